using Calico.Bgp.Dataplane.Selectors;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.LocalEndpoints;

/// <summary>What of the configuration decides which endpoints are here.</summary>
/// <param name="InterfacePrefixes">What workloads' interfaces' names begin with (FelixConfiguration's interfacePrefix); the first is that
/// of pods. None: <c>cali</c>.</param>
internal sealed record EndpointSettings(string Node, ListOf<string> InterfacePrefixes, bool AutomaticHostEndpoints)
{
    private const string Default = "cali";

    public string PodPrefix => InterfacePrefixes.Count > 0 ? InterfacePrefixes[0] : Default;

    public bool IsWorkload(string interfaceName) => InterfacePrefixes.Count > 0
        ? InterfacePrefixes.Any(prefix => interfaceName.StartsWith(prefix, StringComparison.Ordinal))
        : interfaceName.StartsWith(Default, StringComparison.Ordinal);
}

/// <summary>
/// The endpoints on this node's interfaces, and which of the selectors in use each matches.
///
/// A workload is where it says; of two that claim one interface the lowest by orchestrator, workload and endpoint is there. A host endpoint
/// is on the interface that it names, whether or not the kernel has it yet, or on those that have one of its expected addresses; of several
/// the lowest name is there, and none on a workload's interface. Of those of every interface the lowest name stands for all interfaces
/// that have none of their own.
/// </summary>
internal sealed class EndpointTable
{
    private readonly Action<EndpointChange> changed;
    private readonly ProfileTable profiles = new();
    private readonly HostEndpoints hostEndpoints;
    /// <summary>Pods and WorkloadEndpoints of all nodes, as this may become another.</summary>
    private readonly HashSet<Resource> workloads = new(ById.Instance);
    private readonly Dictionary<string, SortedSet<Claim>> claims = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, HostEndpoint> hosts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LocalEndpoint> endpoints = new(StringComparer.Ordinal);
    private readonly Dictionary<ResourceId, int> interfaces = [];
    private KernelSnapshot machine = KernelSnapshot.Empty;
    private HashSet<string> links = [];
    private bool hostsHaveChanged;

    /// <param name="changed">Told each interface whose endpoint has come, changed or gone.</param>
    /// <param name="selected">Told each endpoint that has come to match a selector of <see cref="Selectors"/>, or does so no
    /// longer.</param>
    public EndpointTable(Action<EndpointChange> changed, Action<Membership> selected)
    {
        this.changed = changed;
        Selectors = new(selected, profiles.LabelsOf);
        hostEndpoints = new(SetHost);
    }

    /// <summary>Whoever selects local endpoints (policies) uses a selector here. Its items are the endpoints' ids.</summary>
    public SelectorIndex Selectors { get; }

    public EndpointSettings Settings { get; private set; } = new("", [], false);

    /// <summary>Pods and WorkloadEndpoints of all nodes.</summary>
    public IReadOnlyCollection<Resource> Workloads => workloads;

    /// <summary>By interface; <see cref="LocalEndpoint.EveryInterface"/> among them.</summary>
    public IReadOnlyCollection<LocalEndpoint> All => endpoints.Values;

    /// <summary>Workloads that claim an interface which another of them has, where the two have other addresses: one workload that is said
    /// by a Pod and by a WorkloadEndpoint is none.</summary>
    public IEnumerable<LocalEndpoint> Shadowed => claims.Values.Where(all => all.Count > 1).SelectMany(all =>
        all.Skip(1).Select(Local).Where(one => one.Nets != Local(all.Min!).Nets));

    /// <summary>How many of them are workloads', and how many are not.</summary>
    public int OfWorkloads { get; private set; }
    public int OfHosts => endpoints.Count - OfWorkloads;

    /// <summary>Workloads whose interface the kernel does not have; none where nothing is known of interfaces.</summary>
    public int WithoutInterface { get; private set; }

    /// <summary>Null: there is none; a host endpoint of every interface counts there by itself alone.</summary>
    public LocalEndpoint? On(string interfaceName) => endpoints.GetValueOrDefault(interfaceName);

    public void Apply(ResourceChange change)
    {
        if (profiles.Apply(change) is { } profile) Selectors.LookAtProfile(profile);
        else if (change.Kind == Kinds.Pod || change.Kind == Kinds.WorkloadEndpoint) SetWorkload(change);
        else if (hostEndpoints.Apply(change) && hostsHaveChanged) ResolveHosts();
    }

    /// <summary>Links and their addresses may be others.</summary>
    public void Apply(KernelSnapshot now)
    {
        var isNews = now.Links != machine.Links || now.Addresses != machine.Addresses;
        var areOtherLinks = now.Links != machine.Links;
        machine = now;
        if (areOtherLinks)
        {
            links = [.. now.Links.Values.Select(link => link.Name)];
            WithoutInterface = endpoints.Values.Count(IsMissing);
        }
        if (isNews && hosts.Count > 0) ResolveHosts();
    }

    public void Configure(EndpointSettings newer)
    {
        if (newer == Settings) return;
        var before = Settings;
        var areOthers = (before.Node, before.PodPrefix) != (newer.Node, newer.PodPrefix);
        if (areOthers)
            foreach (var workload in workloads) Say(workload, isIn: false);
        Settings = newer;
        if (areOthers)
            foreach (var workload in workloads) Say(workload, isIn: true);
        if (before.Node != newer.Node) hostEndpoints.TellAll();
        hostEndpoints.AreAutomatic = newer.AutomaticHostEndpoints;
        ResolveHosts();
    }

    private void SetWorkload(ResourceChange change)
    {
        if (change.Before is { } before && workloads.Remove(before)) Say(before, isIn: false, becomes: change.After);
        if (change.After is { } after && workloads.Add(after)) Say(after, isIn: true);
    }

    private void Say(Resource workload, bool isIn, Resource? becomes = null)
    {
        if (EndpointOf(workload) is not { } endpoint) return;
        var name = endpoint.Interface;
        if (!claims.TryGetValue(name, out var all)) claims[name] = all = new(Claim.Order);
        if (isIn) all.Add(new(endpoint, workload.Id));
        else all.Remove(new(endpoint, workload.Id));
        // It is changed rather than gone and come.
        if (becomes != null && EndpointOf(becomes)?.Interface == name) return;
        if (all.Count == 0) claims.Remove(name);
        Set(name, all.Min is { } first ? Local(first) : null);
        if (!Settings.IsWorkload(name)) ResolveHosts();
    }

    /// <summary>Null: it is not here.</summary>
    private WorkloadEndpoint? EndpointOf(Resource workload) => workload switch
    {
        Pod pod when pod.Node == Settings.Node => pod.Endpoint(Settings.PodPrefix),
        WorkloadEndpoint endpoint when endpoint.Node == Settings.Node && endpoint.Interface.Length > 0 => endpoint,
        _ => null,
    };

    private static LocalEndpoint Local(Claim claim) => new(claim.Source, claim.Endpoint.Interface)
    {
        IsWorkload = true,
        Labels = claim.Endpoint.Labels,
        Profiles = claim.Endpoint.Profiles,
        Nets = claim.Endpoint.Nets,
        AllowedSpoofedPrefixes = claim.Endpoint.AllowedSpoofedPrefixes,
    };

    private static LocalEndpoint Local(HostEndpoint endpoint, string interfaceName) => new(endpoint.Id, interfaceName)
    {
        Labels = endpoint.Labels,
        Profiles = endpoint.Profiles,
        Nets = [.. endpoint.ExpectedIPs.Select(address => new Prefix(address, address.Family.Bits()))],
    };

    private void SetHost(string name, HostEndpoint? endpoint)
    {
        var here = endpoint?.Node == Settings.Node ? endpoint : null;
        if (hosts.GetValueOrDefault(name) == here) return;
        hostsHaveChanged = true;
        if (here == null) hosts.Remove(name);
        else hosts[name] = here;
    }

    private void ResolveHosts()
    {
        hostsHaveChanged = false;
        var resolved = new Dictionary<string, HostEndpoint>(StringComparer.Ordinal);
        // Each name in order, so that the lowest is there first.
        foreach (var host in hosts.Values)
            foreach (var name in InterfacesOf(host))
                if (!Settings.IsWorkload(name) && !claims.ContainsKey(name)) resolved.TryAdd(name, host);
        foreach (var (name, there) in endpoints.ToArray())
            if (!there.IsWorkload && !resolved.ContainsKey(name)) Set(name, null);
        foreach (var (name, host) in resolved) Set(name, Local(host, name));
    }

    private IEnumerable<string> InterfacesOf(HostEndpoint host)
    {
        if (host.Interface.Length > 0) return [host.Interface];
        return machine.Addresses.Where(address => host.ExpectedIPs.Contains(address.Address))
            .Select(address => machine.Links.GetValueOrDefault(address.Interface)?.Name).OfType<string>();
    }

    private void Set(string interfaceName, LocalEndpoint? after)
    {
        var before = endpoints.GetValueOrDefault(interfaceName);
        if (before == after) return;
        OfWorkloads += (after is { IsWorkload: true } ? 1 : 0) - (before is { IsWorkload: true } ? 1 : 0);
        WithoutInterface += (IsMissing(after) ? 1 : 0) - (IsMissing(before) ? 1 : 0);
        if (after != null)
        {
            endpoints[interfaceName] = after;
            interfaces[after.Id] = interfaces.GetValueOrDefault(after.Id) + 1;
            Selectors.SetItem(after.Id, after.Labels, after.Profiles);
        }
        else endpoints.Remove(interfaceName);
        if (before != null && --interfaces[before.Id] == 0)
        {
            interfaces.Remove(before.Id);
            Selectors.RemoveItem(before.Id);
        }
        changed(new(interfaceName, before, after));
    }

    private bool IsMissing(LocalEndpoint? one) => one is { IsWorkload: true } && links.Count > 0 && !links.Contains(one.Interface);

    private sealed class ById : IEqualityComparer<Resource>
    {
        public static readonly ById Instance = new();

        public bool Equals(Resource? a, Resource? b) => a?.Id == b?.Id;

        public int GetHashCode(Resource one) => one.Id.GetHashCode();
    }

    /// <param name="Source">The object that says so: a Pod says what a WorkloadEndpoint may say, too, which then counts.</param>
    private sealed record Claim(WorkloadEndpoint Endpoint, ResourceId Source)
    {
        public static readonly Comparer<Claim> Order = Comparer<Claim>.Create((a, b) =>
        {
            var order = string.CompareOrdinal(a.Endpoint.Orchestrator, b.Endpoint.Orchestrator);
            if (order == 0) order = string.CompareOrdinal(a.Endpoint.Workload, b.Endpoint.Workload);
            if (order == 0) order = string.CompareOrdinal(a.Endpoint.Endpoint, b.Endpoint.Endpoint);
            return order != 0 ? order : b.Source.CompareTo(a.Source);
        });
    }
}
