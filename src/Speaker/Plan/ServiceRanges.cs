using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// The ranges of service addresses that BGPConfiguration names, as this node uses them. A range is announced by every node, whether there
/// is a service in it or not, and kept out of the kernel; an entry of a single address only says that a service may announce it.
/// </summary>
internal sealed record ServiceRanges
{
    public ListOf<Prefix> Cluster { get; private init; }
    public ListOf<Prefix> External { get; private init; }
    public ListOf<Prefix> LoadBalancer { get; private init; }
    /// <summary>Off: load balancers' ranges are not announced as such, and each service is looked at by itself.</summary>
    public bool Aggregates { get; private init; }
    /// <summary>The node announces no service, only what is not one.</summary>
    public bool IsExcluded { get; private init; }
    /// <summary>See <see cref="CalicoRelease.ReadsEndpoints"/>.</summary>
    public bool ReadsEndpoints { get; private init; }
    /// <summary>The node's name as endpoints have it.</summary>
    public string KubernetesNode { get; private init; } = "";
    /// <summary>Kept out of the kernel's table, on excluded nodes too.</summary>
    public ListOf<Prefix> Rejected { get; private init; }
    /// <summary>The addresses of single services that are announced now.</summary>
    public required LivePrefixes Hosts { get; init; }

    public static ServiceRanges Of(NodeView view, LivePrefixes hosts)
    {
        var global = view.Global;
        ListOf<Prefix> cluster = view.Settings.ClusterIPs is { } said ? [said] : global?.ServiceClusterIPs ?? [];
        var (external, loadBalancer) = (global?.ServiceExternalIPs ?? [], global?.ServiceLoadBalancerIPs ?? []);
        var aggregates = global?.ServiceLoadBalancerAggregation != Aggregation.Disabled;
        var ranges = cluster.Concat(external.Where(range => !range.IsHost))
            .Concat(aggregates ? loadBalancer.Where(range => !range.IsHost) : []);
        return new()
        {
            Cluster = cluster,
            External = external,
            LoadBalancer = loadBalancer,
            Aggregates = aggregates,
            IsExcluded = view.IsExcludedFromServices,
            ReadsEndpoints = view.Release.ReadsEndpoints,
            KubernetesNode = view.Settings.KubernetesName,
            Rejected = [.. ranges.Distinct().Order()],
            Hosts = hosts,
        };
    }

    public IEnumerable<Prefix> Announced(IpFamily family) => IsExcluded ? [] : Rejected.Where(range => range.Family == family);

    public static bool HaveSingle(ListOf<Prefix> ranges, Address address) => ranges.Any(range => range.IsHost && range.Address == address);
    public static bool Cover(ListOf<Prefix> ranges, Address address) => ranges.Any(range => range.Contains(address));
}
