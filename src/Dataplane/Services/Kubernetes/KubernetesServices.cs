using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Services.Kubernetes;

/// <summary>
/// Kubernetes' Services, and ports of this node that are pods', as translations: kept as objects change, and of a change what it touches
/// is looked at. Where several are called alike, the order of <see cref="CalledBy"/> and then of their names decides, and not who came
/// first.
/// </summary>
internal sealed class KubernetesServices
{
    private const string ZoneLabel = "topology.kubernetes.io/zone", DefaultPrefix = "cali";

    /// <summary>Who is called: a service, or a pod of this node.</summary>
    private readonly record struct Called(ResourceKind Kind, ResourceKey Key)
    {
        public override string ToString() => $"{Kind.Word}/{Key}";
    }

    /// <summary>Who is called by something.</summary>
    private readonly record struct Claim(CalledBy By, ResourceKey Key, Translation Translation)
    {
        public Called Of => new(By == CalledBy.HostPort ? Kinds.Pod : Kinds.Service, Key);

        public static int InOrder(Claim one, (CalledBy By, ResourceKey Key) of) =>
            one.By.CompareTo(of.By) is var order && order != 0 ? order : one.Key.CompareTo(of.Key);
    }

    private readonly Dictionary<ResourceKey, Service> services = [];

    /// <summary>Those with host ports, on whatever node.</summary>
    private readonly Dictionary<ResourceKey, Pod> pods = [];

    /// <summary>Of each service, by their keys.</summary>
    private readonly Dictionary<ResourceKey, EndpointSlice[]?> slices = [];
    private readonly Dictionary<Called, (TranslationKey Key, CalledBy By)[]> made = [];

    /// <summary>Nearly everywhere one. The first of them holds.</summary>
    private readonly Dictionary<TranslationKey, Claim[]> claims = [];

    /// <summary>Of what several are called by, who are not reached there, behind the one who is.</summary>
    private readonly Dictionary<TranslationKey, ListOf<Called>> contested = [];
    private readonly Dictionary<string, FelixConfiguration> configurations = new(StringComparer.Ordinal);
    private readonly HashSet<Called> dirty = [];
    private readonly Dictionary<Called, ListOf<string>> problems = [];
    private readonly SortedDictionary<ResourceKey, HealthCheck> checks = [];
    private DataplaneSettings settings = new("");
    private string? otherProxy;
    private Node? node;
    private NodeHere here = new("", null, []);

    /// <summary>Whether Kubernetes' services are translated.</summary>
    public bool IsOn { get; private set; }

    /// <summary>What of all is not done, and why; null: nothing.</summary>
    public string? Problem => IsWanted && otherProxy is { } other ? $"Kubernetes' services are left to it: {other}" : null;

    /// <summary>What of objects is not done, and why.</summary>
    public IEnumerable<ServiceProblem> Problems => problems.Where(_ => IsOn)
        .SelectMany(one => one.Value.Select(words => new ServiceProblem(one.Key.ToString(), words)))
        .Concat(contested.SelectMany(one => one.Value.Skip(1).Select(other =>
            new ServiceProblem(other.ToString(), $"{one.Key} leads to {one.Value[0]}, which asks for it, too, and comes first"))))
        .Concat(Unanswered)
        .OrderBy(one => one.ToString(), StringComparer.Ordinal);

    /// <summary>Whose load balancers are not answered, as another Service has the port.</summary>
    private IEnumerable<ServiceProblem> Unanswered =>
        from some in checks.Values.GroupBy(check => check.Port)
        let first = new Called(Kinds.Service, some.First().Service)
        from check in some.Skip(1)
        select new ServiceProblem(new Called(Kinds.Service, check.Service).ToString(),
            $"health check port {some.Key} answers for {first}, which has it, too, and comes first");

    /// <summary>Whom what is called so leads to; null: Kubernetes has nothing that is.</summary>
    public string? Holder(TranslationKey at) => claims.TryGetValue(at, out var some) ? some[0].Of.ToString() : null;

    /// <summary>Whom what is called so does not lead to, though they are called so, too.</summary>
    public ListOf<string> Others(TranslationKey at) =>
        contested.TryGetValue(at, out var all) ? [.. all.Skip(1).Select(one => one.ToString())] : [];

    /// <summary>What load balancers are answered; of two Services with one port the first by name.</summary>
    public IEnumerable<HealthCheck> HealthChecks => checks.Values.DistinctBy(check => check.Port);

    private bool IsWanted => settings.Services is { Enabled: true, Kubernetes: true };

    /// <summary>What the names of pods' interfaces begin with.</summary>
    public ListOf<string> Workloads { get; private set; } = [DefaultPrefix];

    public void Configure(DataplaneSettings newest)
    {
        var (hadHostPorts, hasHostPorts) = (settings.Services?.HostPorts, newest.Services?.HostPorts);
        settings = newest;
        if (hadHostPorts != hasHostPorts) Touch(Kinds.Pod, pods.Keys);
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
        if (isOn != IsOn) TouchAll();
        IsOn = isOn;
    }

    public void Apply(ResourceChange change)
    {
        var key = change.Key;
        if (change.Kind == Kinds.Service)
        {
            if (change.After is Service now) services[key] = now;
            else services.Remove(key);
            dirty.Add(new(Kinds.Service, key));
        }
        else if (change.Kind == Kinds.Pod)
        {
            if (change.After is Pod { HostPorts.Count: > 0 } pod) pods[key] = pod;
            else if (!pods.Remove(key)) return;
            dirty.Add(new(Kinds.Pod, key));
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
        ref var all = ref CollectionsMarshal.GetValueRefOrAddDefault(slices, service, out _);
        all = slice == null ? SortedArray.Without(all, key, Order) : SortedArray.With(all, key, slice, Order);
        if (all == null) slices.Remove(service);
        dirty.Add(new(Kinds.Service, service));

        static int Order(EndpointSlice one, ResourceKey key) => one.Key.CompareTo(key);
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
        TouchAll();
    }

    private void TouchAll()
    {
        Touch(Kinds.Service, services.Keys);
        Touch(Kinds.Pod, pods.Keys);
    }

    private void Touch(ResourceKind kind, IEnumerable<ResourceKey> keys) => dirty.UnionWith(keys.Select(key => new Called(kind, key)));

    /// <summary>What has changed since this was last asked: of each address, protocol and port whose translation holds now; null:
    /// none.</summary>
    public List<(TranslationKey Key, Translation? Now)> Look()
    {
        if (dirty.Count == 0) return [];
        if (dirty.Count > made.Count)
        {
            made.EnsureCapacity(dirty.Count);
            claims.EnsureCapacity(dirty.Count);
        }
        var touched = new HashSet<TranslationKey>(dirty.Count);
        foreach (var key in dirty) Look(key, touched);
        dirty.Clear();
        foreach (var key in touched) Contest(key);
        return [.. touched.Select(key => (key, claims.GetValueOrDefault(key)?[0].Translation))];
    }

    private void Contest(TranslationKey at)
    {
        contested.Remove(at);
        if (!claims.TryGetValue(at, out var some) || some.Length < 2) return;
        var called = some.Select(one => one.Of).Distinct();
        if (called.ToArray() is { Length: > 1 } all) contested[at] = [.. all];
    }

    private void Look(Called one, HashSet<TranslationKey> touched)
    {
        var key = one.Key;
        foreach (var (at, by) in made.GetValueOrDefault(one, []))
        {
            if (SortedArray.Without(claims[at], (by, key), Claim.InOrder) is { } others) claims[at] = others;
            else claims.Remove(at);
            touched.Add(at);
        }
        made.Remove(one);
        problems.Remove(one);
        if (one.Kind == Kinds.Service) checks.Remove(key);
        var (asked, lacks) = !IsOn ? ([], []) : one.Kind == Kinds.Pod ? OfPod(key) : OfService(key);
        if (lacks.Count > 0) problems[one] = lacks;
        if (asked.Count == 0) return;
        var now = new (TranslationKey, CalledBy)[asked.Count];
        for (var i = 0; i < now.Length; i++)
        {
            var (by, translation) = asked[i];
            ref var all = ref CollectionsMarshal.GetValueRefOrAddDefault(claims, translation.Key, out _);
            all = SortedArray.With(all, (by, key), new(by, key, translation), Claim.InOrder);
            now[i] = (translation.Key, by);
            touched.Add(translation.Key);
        }
        made[one] = now.Length == 1 ? now : [.. now.Distinct()];
    }

    private (List<(CalledBy By, Translation Translation)> Asked, ListOf<string> Lacks) OfService(ResourceKey key)
    {
        if (!services.TryGetValue(key, out var service)) return ([], []);
        var all = slices.GetValueOrDefault(key) ?? [];
        var balance = BalanceAnnotations.Of(service);
        if (service is { Type: ServiceType.LoadBalancer, ExternalTrafficPolicy: TrafficPolicy.Local, HealthCheckNodePort: > 0 })
            checks[key] = new((ushort)service.HealthCheckNodePort, key, EndpointChoice.ReadyHere(all, here));
        return (ServiceTranslations.Of(service, all, balance, here), balance.Problems);
    }

    private (List<(CalledBy By, Translation Translation)> Asked, ListOf<string> Lacks) OfPod(ResourceKey key) =>
        settings.Services is { HostPorts: true } && pods.TryGetValue(key, out var pod)
            ? ([.. HostPortTranslations.Of(pod, here).Select(one => (CalledBy.HostPort, one))], HostPortTranslations.Problems(pod, here))
            : ([], []);
}
