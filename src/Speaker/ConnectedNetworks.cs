using System.Collections.Frozen;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker;

/// <summary>
/// IPv6 networks that links of ours are on, by the metric of the kernel's own route. IPv4's have metric 0 and cannot be outdone; IPv6's
/// have 256 (addrconf, router advertisements), so that a neighbour's route with a lower one would take the link's own network over.
/// </summary>
internal static class ConnectedNetworks
{
    // rtm_protocol (linux/rtnetlink.h)
    private const byte ByKernel = 2, ByRouterAdvertisement = 9;
    private const int OfOneHost = 128;

    public static FrozenDictionary<Prefix, uint> Of(KernelSnapshot kernel) => kernel.Routes
        .Where(route => IsConnected(route.Value))
        .GroupBy(route => route.Key.Prefix, route => route.Key.Metric)
        .ToFrozenDictionary(network => network.Key, network => network.Max());

    private static bool IsConnected(ForeignRoute route) =>
        route.Prefix.Family == IpFamily.IPv6 && route.Prefix.Length < OfOneHost && !route.Prefix.Address.IsLinkLocal
        && route.Protocol is ByKernel or ByRouterAdvertisement
        && route.Target is { Type: RouteType.Unicast, Hops: [{ Gateway: null }, ..] };

    public static bool Same(FrozenDictionary<Prefix, uint> one, FrozenDictionary<Prefix, uint> other) =>
        one.Count == other.Count && one.All(network => other.TryGetValue(network.Key, out var metric) && metric == network.Value);
}

/// <summary>
/// The kernel's filter as the shards ask it: what bgpd.yaml says, the metric of routes for which nobody said another (a part of where a
/// route leads, so that the shards notice when it changes), and that nothing of ours outdoes a connected network.
/// </summary>
internal sealed record KernelFilter(IFilter Said, uint Metric, uint Table, FrozenDictionary<Prefix, uint> Connected) : IFilter
{
    /// <summary>IP6_RT_PRIO_USER: what the kernel makes of 0 (net/ip6_route.h).</summary>
    private const uint UnsaidMetric = 1024;

    public string Name => Said.Name;
    public bool LooksAtPrefix => Connected.Count > 0 || Said.LooksAtPrefix;

    public FilterResult Run(in FilterInput route, AttributeEditor editor)
    {
        var result = Said.Run(route, editor);
        if (result.Verdict == FilterVerdict.Reject) return result;
        var hints = result.Verdict == FilterVerdict.AcceptChanged ? result.Hints : route.Hints;
        if (hints.Metric == 0 && Metric != 0)
        {
            hints = hints with { Metric = Metric };
            result = result with { Verdict = FilterVerdict.AcceptChanged, Hints = hints };
        }
        return Outdoes(route.Prefix, hints)
            ? new(FilterVerdict.Reject, default, "the network is connected, and connected ones win") : result;
    }

    /// <summary>With the same metric IPv6 would make one multipath route of both.</summary>
    private bool Outdoes(Prefix prefix, KernelHints hints) =>
        !prefix.Address.IsIPv4 && Connected.TryGetValue(prefix, out var theirs)
        && (hints.Metric == 0 ? UnsaidMetric : hints.Metric) <= theirs
        && (hints.Table == 0 || hints.Table == Table);
}
