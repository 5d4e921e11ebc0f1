using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Services.Kubernetes;

/// <summary>
/// Kubernetes' Services as translations: kept as objects change, and of a change the service is looked at that it touches. Where several
/// services are called alike, the order of <see cref="CalledBy"/> and then of their names decides, and not who came first.
/// </summary>
internal sealed class KubernetesServices
{
    private const string ZoneLabel = "topology.kubernetes.io/zone", DefaultPrefix = "cali";

    private readonly Dictionary<ResourceKey, Service> services = [];
    private readonly Dictionary<ResourceKey, SortedDictionary<ResourceKey, EndpointSlice>> slices = [];
    private readonly Dictionary<ResourceKey, List<(TranslationKey Key, CalledBy By)>> made = [];
    private readonly Dictionary<TranslationKey, SortedDictionary<(CalledBy By, ResourceKey Service), Translation>> claims = [];
    private readonly Dictionary<string, FelixConfiguration> configurations = new(StringComparer.Ordinal);
    private readonly HashSet<ResourceKey> dirty = [];
    private readonly SortedDictionary<ResourceKey, ListOf<string>> problems = [];
    private readonly SortedDictionary<ResourceKey, HealthCheck> checks = [];
    private DataplaneSettings settings = new("");
    private string? otherProxy;
    private Node? node;
    private NodeHere here = new("", null, []);

    /// <summary>Whether Kubernetes' services are translated.</summary>
    public bool IsOn { get; private set; }

    /// <summary>What is not done of what was asked for, and why.</summary>
    public IEnumerable<string> Problems =>
    [
        .. IsWanted && otherProxy is { } other ? [$"Kubernetes' services are left to it: {other}"] : Array.Empty<string>(),
        .. IsOn ? problems.SelectMany(one => one.Value.Select(words => $"Service/{one.Key}: {words}")) : [],
    ];

    /// <summary>What load balancers are answered, by the services' names.</summary>
    public IEnumerable<HealthCheck> HealthChecks => checks.Values;

    private bool IsWanted => settings.Services is { Enabled: true, Kubernetes: true };

    /// <summary>What the names of pods' interfaces begin with.</summary>
    public ListOf<string> Workloads { get; private set; } = [DefaultPrefix];

    public void Configure(DataplaneSettings newest)
    {
        settings = newest;
        FollowProxy();
        FollowFelix();
        FollowNode();
    }

    /// <param name="other">Null: nobody else translates services here.</param>
    public void Beside(string? other)
    {
        otherProxy = other;
        FollowProxy();
    }

    /// <summary>Two that translate the same would each have a part of the connections, and neither know of the other's.</summary>
    private void FollowProxy()
    {
        var isOn = IsWanted && otherProxy == null;
        if (isOn != IsOn) dirty.UnionWith(services.Keys);
        IsOn = isOn;
    }

    public void Apply(ResourceChange change)
    {
        var key = change.Key;
        if (change.Kind == Kinds.Service)
        {
            if (change.After is Service now) services[key] = now;
            else services.Remove(key);
            dirty.Add(key);
        }
        else if (change.Kind == Kinds.EndpointSlice)
        {
            if (change.Before is EndpointSlice { Service: { } from }) Put(from, key, null);
            if (change.After is EndpointSlice { Service: { } to } slice) Put(to, key, slice);
        }
        else if (change.Kind == Kinds.Node && key.Name == settings.Node)
        {
            node = (Node?)change.After;
            FollowNode();
        }
        else if (change.Kind == Kinds.FelixConfiguration)
        {
            if (change.After is FelixConfiguration felix) configurations[key.Name] = felix;
            else configurations.Remove(key.Name);
            FollowFelix();
        }
    }

    private void Put(ResourceKey service, ResourceKey key, EndpointSlice? slice)
    {
        var all = CollectionsMarshal.GetValueRefOrAddDefault(slices, service, out _) ??= [];
        if (slice != null) all[key] = slice;
        else all.Remove(key);
        if (all.Count == 0) slices.Remove(service);
        dirty.Add(service);
    }

    private void FollowFelix()
    {
        var felix = FelixConfiguration.Effective(configurations.GetValueOrDefault(FelixConfiguration.Default),
            configurations.GetValueOrDefault(FelixConfiguration.NodePrefix + settings.Node));
        Workloads = felix.InterfacePrefixes.Count > 0 ? felix.InterfacePrefixes : [DefaultPrefix];
    }

    private void FollowNode()
    {
        var now = new NodeHere(settings.KubernetesNode ?? settings.Node,
            node?.Labels.TryGetValue(ZoneLabel, out var zone) == true ? zone : null,
            node == null ? [] : [.. NodeAddresses.Of(node).Concat(
                node.Addresses.Where(one => one.Type is "InternalIP" or "ExternalIP").Select(one => one.Address)).Distinct().Order()]);
        if (now == here) return;
        here = now;
        dirty.UnionWith(services.Keys);
    }

    /// <summary>What has changed since this was last asked: of each address, protocol and port whose translation holds now; null:
    /// none.</summary>
    public IEnumerable<(TranslationKey Key, Translation? Now)> Look()
    {
        var touched = new HashSet<TranslationKey>();
        foreach (var key in dirty) Look(key, touched);
        dirty.Clear();
        return touched.Select(key => (key, claims.GetValueOrDefault(key)?.First().Value));
    }

    private void Look(ResourceKey key, HashSet<TranslationKey> touched)
    {
        foreach (var (at, by) in made.GetValueOrDefault(key, []))
        {
            claims[at].Remove((by, key));
            if (claims[at].Count == 0) claims.Remove(at);
            touched.Add(at);
        }
        made.Remove(key);
        problems.Remove(key);
        checks.Remove(key);
        if (!IsOn || !services.TryGetValue(key, out var service)) return;
        var all = slices.GetValueOrDefault(key);
        var balance = BalanceAnnotations.Of(service);
        if (balance.Problems.Count > 0) problems[key] = balance.Problems;
        if (service is { Type: ServiceType.LoadBalancer, ExternalTrafficPolicy: TrafficPolicy.Local, HealthCheckNodePort: > 0 })
            checks[key] = new((ushort)service.HealthCheckNodePort, key, EndpointChoice.ReadyHere(all == null ? [] : all.Values, here));
        var now = new List<(TranslationKey, CalledBy)>();
        foreach (var (by, translation) in ServiceTranslations.Of(service, all == null ? [] : all.Values, balance, here))
        {
            var at = CollectionsMarshal.GetValueRefOrAddDefault(claims, translation.Key, out _) ??= [];
            at[(by, key)] = translation;
            now.Add((translation.Key, by));
            touched.Add(translation.Key);
        }
        if (now.Count > 0) made[key] = [.. now.Distinct()];
    }
}
