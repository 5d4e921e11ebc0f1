using System.Text.RegularExpressions;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary><c>bgpctl explain</c> on a running node: who brought a route, what let it in, why which is best, who is told, what the kernel
/// says.</summary>
public sealed partial class ExplainTests
{
    /// <summary>A route of the other node's that was let in, is not the best, and says because of what.</summary>
    [GeneratedRegex(@"^Node_10_192_0_12 +accept +accept +(?!best)\w.*10\.192\.0\.254 +63000", RegexOptions.Multiline)]
    private static partial Regex Rivals();

    private static void Says(string answer, params string[] parts)
    {
        foreach (var part in parts) Assert.Contains(part, answer, StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task A_route_is_explained_from_the_ToR_to_the_kernel()
    {
        await using var rack = await Rack.MakeAsync(2, null, [Rack.NoMesh(), .. Rack.TorPeers(", filters: [from-tor]"),
            Peer("nodes", "nodeSelector: all(), peerSelector: all(), filters: [pass]"), Filter("pass", "exportV4: [{ action: Accept }]"),
            Pool("pods", "10.65.0.0/16"), Block("node1", "10.65.1.0/26"), Filter("from-tor",
                "importV4: [{ action: Reject, matchOperator: In, cidr: 44.1.0.0/16 }]")]);
        var node = rack.Nodes[0];
        await rack.Tor.AnnounceAsync("44.1.0.0/16", "44.2.0.0/16");
        await Until.TrueAsync("the kernel has the route", async () => await node.KernelAsync("44.2.0.0/16") != "", 60, rack.Said);
        await Until.TrueAsync("the other node tells of it too", async () =>
            Rivals().IsMatch(await node.ExplainAsync("route", "44.2.0.0/16")), 60, rack.Said);

        var best = await node.ExplainAsync("route", "44.2.7.7");
        Says(best, "44.2.0.0/16: who brought it", "Global_10_192_0_254", "Node_10_192_0_12", "it is the one who sent it");
        Says(best, "has it: 10.192.0.254 eth0 metric", "no rule keeps it out");
        // The loser's line ends with why, and with what it came with: it is not empty where the winner's says "best".
        Assert.Matches(Rivals(), best);

        Says(await node.ExplainAsync("route", "44.1.0.0/16"), "BGPFilter/from-tor importV4[0]", "rejected on import");
        Says(await node.ExplainAsync("route", "10.65.1.0/26"), "own route: BlockAffinity/node1-10-65-1-0-26", "own block",
            "has it: blackhole");
        Says(await node.ExplainAsync("route", "198.18.0.0/15"), "nobody", "there is no best route");
    }

    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task A_peer_and_a_service_are_explained_by_the_objects_that_ask_for_them()
    {
        await using var rack = await Rack.MakeAsync(1, null, [Rack.NoMesh("serviceClusterIPs: [{ cidr: 10.96.0.0/12 }]"),
            .. Rack.TorPeers(", filters: [gone]"),
            Peer("locked", "peerIP: 10.192.0.99, asNumber: 63001, password: { secretKeyRef: { name: keys, key: tor } }"),
            Service("web", "type: NodePort, externalTrafficPolicy: Local, clusterIP: 10.96.0.7, externalIPs: [203.0.113.9]"),
            Slice("web-1", "web", "IPv4", ("node1", true), ("node2", true))]);
        var node = rack.Nodes[0];
        Says(await node.ExplainAsync("peer", "tor-v4"), "Global_10_192_0_254", "BGPPeer/tor-v4", "no BGPFilter gone", "established",
            "service range 10.96.0.0/12: accept");
        Says(await node.ExplainAsync("peer", "locked"), "the password's Secret kube-system/keys is not there: the session stays down");
        Says(await node.ExplainAsync("service", "default/web"), "10.96.0.7", "a ready ipv4 endpoint on this node", "203.0.113.9",
            "outside of serviceExternalIPs", "1 ready endpoint on this node");
        Says(await node.ExplainAsync("route", "10.96.0.7"), "own route: Service/default/web", "service range 10.96.0.0/12");
    }
}
