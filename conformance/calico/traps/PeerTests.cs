using Calico.Bgp.Conformance.Golden;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Traps;

/// <summary>Where the choice of peers and of their settings is easily got wrong; cases of our own, their answers from Calico's
/// behaviour.</summary>
public class PeerTests
{
    [NeedsFact(Needs.Bgpctl)]
    public async Task Without_any_configuration_there_is_a_mesh_in_AS_64512()
    {
        var given = new Given(Node("node1", "10.0.0.1/24", "fd00::1/64"), Node("node2", "10.0.0.2/24", "fd00::2/64"),
            Node("node3", "10.0.0.3/24"));
        Assert.Equal("Mesh_10_0_0_2 Mesh_10_0_0_3 Mesh_fd00__2", await given.PeersAsync());
        Assert.Equal(64512u, (await given.PlanAsync()).AsNumber);
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task The_end_with_the_textually_smaller_address_waits()
    {
        var given = new Given(Node("node1", "10.0.0.10/24"), Node("node2", "10.0.0.9/24"), Node("node3", "10.0.0.100/24"));
        // "10.0.0.9" is greater than "10.0.0.10" as a text, and both ends see it so.
        Assert.True((await given.PeerAsync("Mesh_10_0_0_9")).Passive);
        Assert.True((await given.PeerAsync("Mesh_10_0_0_100")).Passive);
        Assert.False((await (given with { Node = "node2" }).PeerAsync("Mesh_10_0_0_10")).Passive);
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task A_reflector_is_in_no_mesh()
    {
        var given = new Given(Node("node1", "10.0.0.1/24", bgp: "routeReflectorClusterID: 224.0.0.1"), Node("node2", "10.0.0.2/24"),
            Node("node3", "10.0.0.3/24"));
        Assert.Equal("", await given.PeersAsync());
        Assert.Equal("Mesh_10_0_0_3", await (given with { Node = "node2" }).PeersAsync());
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task Port_179_is_the_same_peer_as_no_port()
    {
        var given = Given.Pair(Peer("a", "peerIP: 192.0.2.1, asNumber: 65001"), Peer("b", "peerIP: '192.0.2.1:179', asNumber: 65002"));
        Assert.Equal("Global_192_0_2_1", await given.PeersAsync());
        var plan = await given.PlanAsync();
        Assert.Equal(65001u, plan.Peers[0].AsNumber);
        Assert.Contains(plan.Problems, problem => problem.Object == "BGPPeer/b");
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task Another_port_is_another_peer() =>
        Assert.Equal("Global_192_0_2_1 Global_192_0_2_1_port_1790",
            await Given.Pair(Peer("a", "peerIP: 192.0.2.1, asNumber: 65001"), Peer("b", "peerIP: '192.0.2.1:1790', asNumber: 65001"))
                .PeersAsync());

    [NeedsFact(Needs.Bgpctl)]
    public async Task A_global_peer_beats_one_of_the_node() =>
        Assert.Equal("Global_192_0_2_1", await Given.Pair(Peer("z", "peerIP: 192.0.2.1, asNumber: 65001"),
            Peer("a", "node: node1, peerIP: 192.0.2.1, asNumber: 65002")).PeersAsync());

    [NeedsFact(Needs.Bgpctl)]
    public async Task A_node_is_peered_at_its_own_port()
    {
        var given = Given.Pair(Peer("a", "peerIP: 10.0.0.2, asNumber: 64512"), Configuration("listenPort: 180", "node.node2"));
        Assert.Equal(180u, (await given.PeerAsync("Global_10_0_0_2_port_180")).Port);
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task A_stranger_is_peered_at_179_whatever_our_own_port() =>
        Assert.Equal("Global_192_0_2_1", await Given.Pair(Configuration("nodeToNodeMeshEnabled: false, listenPort: 150"),
            Peer("a", "peerIP: 192.0.2.1, asNumber: 65001")).PeersAsync());

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("", "Node_10_0_0_2 Node_fd00__2")]
    [InlineData(", reversePeering: Auto", "Node_10_0_0_2 Node_fd00__2")]
    [InlineData(", reversePeering: Manual", "")]
    public async Task The_other_end_of_a_selected_peer_is_mirrored(string reverse, string peers) =>
        Assert.Equal(peers, await Given.Pair(Peer("a", $"node: node2, peerSelector: \"role == 'edge'\"{reverse}"),
            Node("node1", "10.0.0.1/24", "fd00::1/64", "{ role: edge }")).PeersAsync());

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData(64512, "Node_10_0_0_2")]
    [InlineData(64999, "")]
    public async Task A_peer_by_address_is_mirrored_in_its_family_and_AS_only(int asn, string peers) =>
        Assert.Equal(peers, await Given.Pair(Peer("a", $"node: node2, peerIP: 10.0.0.1, asNumber: {asn}")).PeersAsync());

    [NeedsFact(Needs.Bgpctl)]
    public async Task Selected_nodes_have_their_own_AS_and_some_fields_do_not_count()
    {
        var given = Given.Pair(Peer("a", "peerSelector: all(), localASNumber: 65009, numAllowedLocalASNumbers: 2"),
            Node("node2", "10.0.0.2/24", bgp: "asNumber: 64600"));
        var peer = await given.PeerAsync("Global_10_0_0_2");
        Assert.Equal((64600u, null, 0u), (peer.AsNumber, peer.LocalAsNumber, peer.AllowLocalAs ?? 0));
    }

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("", true)]
    [InlineData("routeReflectorClusterID: 224.0.0.2", true)]
    [InlineData("routeReflectorClusterID: 224.0.0.1", false)]   // reflectors of one cluster are ordinary peers
    [InlineData("asNumber: 64600", false)]                      // only internal peers are clients
    public async Task Who_is_a_client_of_a_reflector(string other, bool client)
    {
        var given = Given.Pair(Peer("a", "peerSelector: all()"), Node("node1", "10.0.0.1/24", bgp: "routeReflectorClusterID: 224.0.0.1"),
            Node("node2", "10.0.0.2/24", bgp: other));
        var peer = await given.PeerAsync("Global_10_0_0_2");
        Assert.Equal((client, client ? "224.0.0.1" : null), (peer.RouteReflectorClient, peer.ClusterId));
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task A_workload_peer_waits_without_password_or_source()
    {
        var given = Given.Pair(Secret("s", "k", "pw"),
            Peer("a", "localWorkloadSelector: all(), asNumber: 65401, password: { secretKeyRef: { name: s, key: k } }")) with
        {
            EndpointStatuses = new Dictionary<string, string>
            {
                ["pod"] = """{"ifaceName":"cali1","ipv4Nets":["10.65.0.5/32"],"ipv6Nets":[],"bgpPeerName":"a"}""",
            },
        };
        var peer = await given.PeerAsync("Local_Workload_10_65_0_5");
        Assert.Equal((true, false, null, 65401u, null), (peer.Passive, peer.PasswordSet, peer.SourceAddress, peer.AsNumber, peer.Problem));
    }

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("asNumber: 65001, keepOriginalNextHop: true", "Keep")]
    [InlineData("asNumber: 64512, keepOriginalNextHop: true", "Auto")]   // external peers only
    [InlineData("asNumber: 64512, nextHopMode: Keep", "Keep")]
    [InlineData("asNumber: 65001, nextHopMode: Self", "Self")]
    [InlineData("asNumber: 65001, nextHopMode: Auto", "Auto")]
    public async Task Next_hops(string fields, string mode) =>
        Assert.Equal(mode, (await Given.Pair(Peer("a", $"peerIP: 192.0.2.1, {fields}")).PeerAsync("Global_192_0_2_1"))
            .NextHopMode ?? "Auto", ignoreCase: true);

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("maxRestartTime: 10s", 10)]
    [InlineData("maxRestartTime: 10500ms", 11)]   // half a second away from zero
    [InlineData("maxRestartTime: 10400ms", 10)]
    [InlineData("maxRestartTime: 1m30s", 90)]
    public async Task Restart_times_are_whole_seconds(string field, int seconds) =>
        Assert.Equal((uint)seconds, (await Given.Pair(Peer("a", $"peerIP: 192.0.2.1, asNumber: 65001, {field}"))
            .PeerAsync("Global_192_0_2_1")).GracefulRestartTime);

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("", 0, 64)]
    [InlineData(", ttlSecurity: 1", 1, 1)]
    [InlineData(", ttlSecurity: 255", 255, 255)]
    public async Task Hops_to_the_peer(string field, int security, int multihop)
    {
        var peer = await Given.Pair(Peer("a", $"peerIP: 192.0.2.1, asNumber: 65001{field}")).PeerAsync("Global_192_0_2_1");
        Assert.Equal(((uint)security, (uint)multihop), (peer.TtlSecurity ?? 0, peer.Multihop ?? 0));
    }

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("", "10.0.0.1")]
    [InlineData(", sourceAddress: UseNodeIP", "10.0.0.1")]
    [InlineData(", sourceAddress: None", null)]
    public async Task Our_end_of_the_connection(string field, string? source) =>
        Assert.Equal(source, (await Given.Pair(Peer("a", $"peerIP: 192.0.2.1, asNumber: 65001{field}")).PeerAsync("Global_192_0_2_1"))
            .SourceAddress);

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("s", "k", true)]
    [InlineData("s", "other", false)]
    [InlineData("other", "k", false)]
    public async Task A_password_that_is_missing_is_a_problem_of_that_peer_alone(string secret, string key, bool found)
    {
        var given = Given.Pair(Secret("s", "k", "pw"),
            Peer("a", $"peerIP: 192.0.2.1, asNumber: 65001, password: {{ secretKeyRef: {{ name: {secret}, key: {key} }} }}"),
            Peer("b", "peerIP: 192.0.2.2, asNumber: 65001"));
        var peer = await given.PeerAsync("Global_192_0_2_1");
        Assert.Equal((found, found), (peer.PasswordSet, peer.Problem == null));
        Assert.Null((await given.PeerAsync("Global_192_0_2_2")).Problem);
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task A_filter_that_is_gone_is_no_filter_and_the_peer_stays() =>
        Assert.Equal("", string.Join(' ', (await Given.Pair(Peer("a", "peerIP: 192.0.2.1, asNumber: 65001, filters: [gone]"))
            .PeerAsync("Global_192_0_2_1")).ImportFilters));

    [NeedsFact(Needs.Bgpctl)]
    public async Task A_bad_object_is_refused_and_the_rest_goes_on()
    {
        var given = Given.Pair(Peer("bad", "peerIP: 192.0.2.300, asNumber: 65001"), Peer("good", "peerIP: 192.0.2.1, asNumber: 65001"));
        var plan = await given.PlanAsync();
        Assert.Equal("Global_192_0_2_1", string.Join(' ', plan.Peers.Select(peer => peer.Name)));
        Assert.Contains(plan.Problems, problem =>
            problem.Object == "BGPPeer/bad" && problem.Field?.Contains("peerIP", StringComparison.Ordinal) == true);
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task A_node_without_IPv4_has_peers_of_IPv6_and_a_router_id()
    {
        var given = new Given(Node("node1", null, "fd00::1/64"), Node("node2", "10.0.0.2/24", "fd00::2/64"));
        Assert.Equal("Mesh_fd00__2", await given.PeersAsync());
        Assert.NotNull((await given.PlanAsync()).RouterId);
    }

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("hash", "25.79.212.8")]
    [InlineData("198.51.100.7", "198.51.100.7")]
    public async Task Router_ids(string word, string id)
    {
        var environment = new Dictionary<string, string> { ["CALICO_ROUTER_ID"] = word };
        var given = new Given(Node("kube-master", "10.0.0.1/24")) { Node = "kube-master", Environment = environment };
        Assert.Equal(id, (await given.PlanAsync()).RouterId);
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task The_order_of_resources_changes_nothing()
    {
        var given = Given.Pair(Peer("a", "peerIP: 192.0.2.1, asNumber: 65001"), Peer("b", "peerIP: 192.0.2.1, asNumber: 65002"),
            Peer("c", "peerSelector: all()"));
        var turned = given with { Resources = [.. given.Resources.Reverse()] };
        Assert.Equal(string.Join('\n', (await given.PlanAsync()).Peers.Select(peer => PeerSettings.Of(peer, 64512, true))),
            string.Join('\n', (await turned.PlanAsync()).Peers.Select(peer => PeerSettings.Of(peer, 64512, true))));
    }
}
