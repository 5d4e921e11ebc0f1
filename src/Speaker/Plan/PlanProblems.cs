using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>What is valid object by object and yet does not do what it looks like.</summary>
internal static class PlanProblems
{
    public static IEnumerable<PlanProblem> Of(NodeView view) =>
    [
        .. UnknownNode(view), .. RefusedConfiguration(view), .. OwnAddress(view), .. MissingFilters(view), .. OverlappingPools(view),
        .. UnevenOwnership(view), .. NotActedOn(view),
    ];

    private static IEnumerable<PlanProblem> UnknownNode(NodeView view)
    {
        if (!view.IsKnown) yield return new($"Node/{view.Settings.Node}", "",
            "no such Node: this node has no address, and so no peers of the resources");
        else if (!view.OwnAddresses.Any() && view.Resources.Of(Kinds.BgpPeer).Any(peer => peer.LocalWorkloadSelector == null))
            yield return new(view.Self.Id.ToString(), "",
                "has no address for BGP (projectcalico.org/IPv4Address, projectcalico.org/IPv6Address): BGPPeers make no peers here");
    }

    private static IEnumerable<PlanProblem> RefusedConfiguration(NodeView view)
    {
        if (view.Global is not { IsRefused: true } global) yield break;
        var mesh = global.NodeToNodeMeshEnabled == false ? "there is no mesh" : "there is a mesh";
        yield return new(
            global.Id.ToString(), "", "no good version of it was seen: until there is one only its nodeToNodeMeshEnabled, asNumber, "
            + $"nodeMeshPassword and listenPort count, as far as they can be read ({mesh})");
    }

    private static IEnumerable<PlanProblem> OwnAddress(NodeView view) =>
        from family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6]
        let own = view.AddressOf(family)
        where own != null
        from node in view.NodesAt(own.Value)
        where node.Name != view.Settings.Node
        select new PlanProblem(node.Id.ToString(), "", $"has this node's address {own}: no session is opened with it");

    private static IEnumerable<PlanProblem> MissingFilters(NodeView view) =>
        from peer in view.Resources.Of(Kinds.BgpPeer)
        from filter in peer.Filters.Index()
        where view.Resources.Of(Kinds.BgpFilter)[filter.Item] == null
        select new PlanProblem(peer.Id.ToString(), $"spec.filters[{filter.Index}]",
            $"no BGPFilter {filter.Item}: the peer goes unfiltered by it");

    /// <summary>
    /// libcalico-go refuses a pool that overlaps with one that is there already; a folder has no such order, so both stay and it is said.
    /// Of two prefixes that overlap one holds the other, and in their order the outer one comes first.
    /// </summary>
    private static IEnumerable<PlanProblem> OverlappingPools(NodeView view)
    {
        IPPool? outer = null;
        foreach (var pool in view.Resources.Of(Kinds.IPPool).OrderBy(pool => pool.Cidr))
        {
            if (outer?.Cidr.Contains(pool.Cidr) == true)
                yield return new(pool.Id.ToString(), "spec.cidr", $"overlaps with {outer.Id} ({outer.Cidr}), which Calico does not allow");
            else outer = pool;
        }
    }

    /// <summary>Between BGP and Felix each pool's routes must have exactly one writer; nothing in Calico looks whether they have.</summary>
    private static IEnumerable<PlanProblem> UnevenOwnership(NodeView view)
    {
        if (!view.Release.ReadsClusterRoutes || Felix(view) is not { } felix) yield break;
        var ipip = felix is ClusterRoutes.Enabled or ClusterRoutes.EnabledIPIPOnly;
        var noEncap = felix is ClusterRoutes.Enabled or ClusterRoutes.EnabledNoEncapOnly;
        if (view.OwnsIpip == ipip) yield return Uneven("IPIP", ipip);
        if (view.OwnsNoEncap == noEncap) yield return Uneven("unencapsulated", noEncap);
    }

    private static PlanProblem Uneven(string kind, bool both) => new(
        "BGPConfiguration/default", "spec.programClusterRoutes",
        $"together with FelixConfiguration/default it leaves {kind} pools' routes to {(both ? "both Felix and BGP" : "nobody")}");

    private static ClusterRoutes? Felix(NodeView view) =>
        view.Resources.Of(Kinds.FelixConfiguration)[FelixConfiguration.NodePrefix + view.Settings.Node]?.ProgramClusterRoutes
        ?? view.Resources.Of(Kinds.FelixConfiguration)[FelixConfiguration.Default]?.ProgramClusterRoutes;

    /// <summary>Calico Enterprise's fields and orders to this node, and what of them this daemon does not do.</summary>
    private static IEnumerable<PlanProblem> NotActedOn(NodeView view)
    {
        foreach (var peer in view.Resources.Of(Kinds.BgpPeer))
        {
            if (peer.BirdGatewayMode != BirdGatewayMode.Recursive)
                yield return NotDone(peer, "birdGatewayMode", "next hops are resolved recursively");
            if (peer.ExternalNetwork != null) yield return NotDone(peer, "externalNetwork", "routes go to the main table");
            if (peer.Network != null) yield return NotDone(peer, "network", "routes go to the main table");
            if (peer.Extensions.Count > 0) yield return NotDone(peer, "extensions", "there are no templates");
        }
        if (view.Settings.WritesStatus) yield break;
        foreach (var order in view.Resources.Of(Kinds.CalicoNodeStatus))
            if (order.Node == view.Settings.Node) yield return NotDone(order, "node", "only API servers are reported to; ask bgpctl");
    }

    private static PlanProblem NotDone(Resource resource, string field, string instead) =>
        new(resource.Id.ToString(), $"spec.{field}", $"not acted on: {instead}");
}
