using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>A pod, or an endpoint that an object of its own says, as far as gateways are concerned.</summary>
/// <param name="Wish">Its own annotations'; null: they say nothing.</param>
/// <param name="HasNamespace">There is an object for its namespace, which may say what its own annotations do not.</param>
internal sealed record EgressPod(ResourceKey Key, string Node, ListOf<Address> Addresses, EgressWish? Wish, bool HasNamespace)
{
    /// <summary>Of one of its gateways, as its annotations say.</summary>
    public EgressMaintenance? Maintenance { get; init; }
}

/// <summary>What of the objects decides who leaves by which gateway, kept as they change: the same after the same objects, in whatever
/// order they came.</summary>
internal sealed class EgressObjects
{
    private readonly SortedDictionary<ResourceKey, EgressGateway> gateways = [];
    private readonly Dictionary<string, ExternalNetwork> networks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, EgressGatewayPolicy> policies = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Node> nodes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, IPPool> pools = new(StringComparer.Ordinal);
    private readonly Dictionary<string, KubernetesNamespace> namespaces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FelixConfiguration> configurations = new(StringComparer.Ordinal);
    private readonly Dictionary<ResourceId, EgressPod> pods = [];
    private readonly Dictionary<ResourceKey, Pod> podObjects = [];

    /// <summary>Pods are asked for what makes them gateways, too.</summary>
    public bool GatewaysArePods { get; set; }

    /// <summary>By namespace and name.</summary>
    public IReadOnlyCollection<EgressGateway> Gateways => gateways.Values;

    /// <summary>By name.</summary>
    public IReadOnlyCollection<Node> Nodes => nodes.Values;

    /// <summary>By name.</summary>
    public IReadOnlyCollection<IPPool> Pools => pools.Values;

    /// <summary>Between nodes what pods send is always put into a tunnel, also on a link that both are on.</summary>
    public bool Wraps => pools.Values.Any(pool =>
        pool.IpipMode == EncapsulationMode.Always || pool.VxlanMode == EncapsulationMode.Always);

    public IReadOnlyDictionary<ResourceId, EgressPod> Pods => pods;

    public Node? Node(string name) => nodes.GetValueOrDefault(name);

    /// <summary>In no order.</summary>
    public IReadOnlyCollection<Pod> PodObjects => podObjects.Values;

    public Pod? PodObject(ResourceKey key) => podObjects.GetValueOrDefault(key);

    public EgressGatewayPolicy? Policy(string name) => policies.GetValueOrDefault(name);

    public ExternalNetwork? Network(string name) => networks.GetValueOrDefault(name);

    public bool HasNamespace(string name) => namespaces.ContainsKey(name);

    public EgressWish? WishOf(string within) => namespaces.GetValueOrDefault(within)?.Egress;

    public FelixConfiguration Felix(string node) => FelixConfiguration.Effective(
        configurations.GetValueOrDefault(FelixConfiguration.Default),
        configurations.GetValueOrDefault(FelixConfiguration.NodePrefix + node));

    /// <summary>A namespace's labels, its name among them (<c>projectcalico.org/name</c>).</summary>
    public Labels LabelsOf(string within) =>
        (namespaces.GetValueOrDefault(within)?.Labels ?? Labels.Empty).With(Labels.From([new("projectcalico.org/name", within)]));

    /// <returns>False: nothing can differ by it.</returns>
    public bool Apply(ResourceChange change)
    {
        var (kind, name) = (change.Kind, change.Key.Name);
        if (kind == Kinds.Pod)
            return Put(new(kind, change.Key), Of(change.After)) | (Put(podObjects, change.Key, (Pod?)change.After) && GatewaysArePods);
        if (kind == Kinds.WorkloadEndpoint) return Put(new(kind, change.Key), Of(change.After));
        if (kind == Kinds.EgressGateway) return Put(gateways, change.Key, (EgressGateway?)change.After);
        if (kind == Kinds.EgressGatewayPolicy) return Put(policies, name, (EgressGatewayPolicy?)change.After);
        if (kind == Kinds.ExternalNetwork) return Put(networks, name, (ExternalNetwork?)change.After);
        if (kind == Kinds.Node) return Put(nodes, name, (Node?)change.After);
        if (kind == Kinds.IPPool) return Put(pools, name, (IPPool?)change.After);
        if (kind == Kinds.KubernetesNamespace) return Put(namespaces, name, (KubernetesNamespace?)change.After);
        return kind == Kinds.FelixConfiguration && Put(configurations, name, (FelixConfiguration?)change.After);
    }

    private static EgressPod? Of(Resource? workload) => workload switch
    {
        Pod { IsHostNetwork: false, Node: { } node } pod => Made(pod.Key, node, pod.Nets, pod.Egress, pod.Maintenance, true),
        WorkloadEndpoint endpoint => Made(endpoint.Key, endpoint.Node, endpoint.Nets, endpoint.Egress,
            endpoint.Maintenance, false),
        _ => null,
    };

    private static EgressPod? Made(
        ResourceKey key, string node, ListOf<Prefix> nets, EgressWish? wish, EgressMaintenance? maintenance, bool hasNamespace) =>
        nets.Count == 0 ? null : new(key, node, [.. nets.Select(net => net.Address)], wish, hasNamespace) { Maintenance = maintenance };

    private bool Put(ResourceId id, EgressPod? now)
    {
        if (pods.GetValueOrDefault(id) == now) return false;
        if (now == null) pods.Remove(id);
        else pods[id] = now;
        return true;
    }

    private static bool Put<TKey, T>(IDictionary<TKey, T> into, TKey key, T? now) where T : Resource
    {
        if (now == null) return into.Remove(key);
        into[key] = now;
        return true;
    }
}
