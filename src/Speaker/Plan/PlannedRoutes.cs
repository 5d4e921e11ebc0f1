using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>The routes that a node originates: its blocks, the ranges of services, and the way to peers that name their gateway.</summary>
internal static class PlannedRoutes
{
    public static IEnumerable<PlannedRoute> Of(NodeView view, ServiceRanges services, IReadOnlyCollection<PlannedPeer> peers)
    {
        IEnumerable<PlannedRoute> all =
            [.. Blocks(view), .. Ranges(services, IpFamily.IPv4), .. Ranges(services, IpFamily.IPv6), .. Reachable(view, peers)];
        return all.DistinctBy(route => route.Prefix).OrderBy(route => route.Prefix);
    }

    /// <summary>A block of one address is the pod's own route, which Felix has made.</summary>
    private static IEnumerable<PlannedRoute> Blocks(NodeView view) =>
        from block in OwnBlocks.Of(view)
        where !block.Cidr.IsHost
        select new PlannedRoute(block.Cidr, PlannedRouteType.Blackhole,
            block.Leaving ? $"{block.Origin} (pending deletion)" : block.Origin);

    private static IEnumerable<PlannedRoute> Ranges(ServiceRanges services, IpFamily family) =>
        services.Announced(family).Select(range => new PlannedRoute(range, PlannedRouteType.Announced, "service range"));

    /// <summary>Keeps the way to a peer from being learned from that peer.</summary>
    private static IEnumerable<PlannedRoute> Reachable(NodeView view, IReadOnlyCollection<PlannedPeer> peers)
    {
        var opened = peers.Where(peer => peer.Scope is PeerScope.Global or PeerScope.Node).Select(peer => (peer.Origin, peer.Address))
            .ToHashSet();
        foreach (var peer in view.Resources.Of(Kinds.BgpPeer))
            if (peer is { ReachableBy: { } gateway, PeerIP.Address: var address } && opened.Contains((peer.Id, address)))
                yield return new(new(address, address.Family.Bits()), PlannedRouteType.Unicast, $"{peer.Id} reachableBy", gateway);
    }
}
