using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// Which destinations are reached through given peers alone, as long as neither the routes in use nor others' routes in the kernel move.
/// The answer is remembered: pools are many, and they all ask for the same peers.
/// </summary>
internal sealed class UpstreamWays(ListOf<RouteFact> routes, KernelSnapshot kernel)
{
    private const uint MainTable = 254;

    private readonly Dictionary<(ListOf<string>, IpFamily), AddressRanges> known = [];

    public bool IsOf(RoutingFacts facts, KernelSnapshot now) => facts.Routes.Items == routes.Items && now.Routes == kernel.Routes;

    public AddressRanges Through(ListOf<string> peers, IpFamily family)
    {
        if (!known.TryGetValue((peers, family), out var destinations))
            known[(peers, family)] = destinations = UpstreamCoverage.Of(family, Ways([.. peers], family));
        return destinations;
    }

    /// <summary>Every prefix that there is a route for, and whether it leads to these peers alone. Where others have put a route of the
    /// same prefix into the kernel, the lower metric is in use.</summary>
    private Dictionary<Prefix, bool> Ways(HashSet<string> peers, IpFamily family)
    {
        var ways = new Dictionary<Prefix, bool>();
        var metrics = new Dictionary<Prefix, uint>();
        foreach (var (prefix, through, metric) in routes.Where(route => route.Prefix.Family == family))
            (ways[prefix], metrics[prefix]) = (through.Count > 0 && through.All(peers.Contains), metric);
        foreach (var (prefix, metric, table) in kernel.Routes.Keys)
        {
            if (table != MainTable || prefix.Family != family) continue;
            if (!metrics.TryGetValue(prefix, out var ours) || metric <= ours) ways[prefix] = false;
        }
        return ways;
    }
}
