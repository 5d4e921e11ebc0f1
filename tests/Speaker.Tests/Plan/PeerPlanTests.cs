using System.Text;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Rib;
using Calico.Bgp.Speaker.Plan;
using static Calico.Bgp.Speaker.Tests.Plan.Cluster;

namespace Calico.Bgp.Speaker.Tests.Plan;

public class PeerPlanTests
{
    private static readonly BgpConfiguration Mesh = Global();
    private static readonly BgpPeer Tor = Peer("tor", "192.0.2.1", 65001);

    [Fact]
    public void A_mesh_is_every_other_node_in_every_family_it_shares() =>
        Assert.Equal(
            ["Mesh_10_0_0_10", "Mesh_10_0_0_2", "Mesh_fd00__10", "Mesh_fd00__2"], Of(Mesh).PeerNames());

    [Fact]
    public void A_node_without_an_address_for_BGP_has_no_peers_of_BGPPeers_and_says_why()
    {
        var plan = new Cluster().With(Node("a", null), Node("b", "10.0.0.2/24"), Tor).Plan();
        Assert.Empty(plan.Peers);
        Assert.Equal([new("Node/a", "", "has no address for BGP (projectcalico.org/IPv4Address, projectcalico.org/IPv6Address): BGPPeers "
            + "make no peers here")], plan.Problems);
        Assert.Empty(new Cluster().With(Node("a", null), Node("b", "10.0.0.2/24")).Plan().Problems);
    }

    [Fact]
    public void A_mesh_needs_both_addresses_of_a_family() =>
        Assert.Equal(["Mesh_10_0_0_10", "Mesh_10_0_0_2"], Of(Mesh, Node("a", "10.0.0.1/24")).PeerNames());

    [Fact]
    public void Without_any_BGPConfiguration_there_is_a_mesh() =>
        Assert.Equal(["Mesh_10_0_0_2"], new Cluster().With(Node("a", "10.0.0.1/24"), Node("b", "10.0.0.2/24")).PeerNames());

    /// <summary>It may have forbidden one, or asked for a password: what can be read of that counts.</summary>
    [Theory]
    [InlineData("""{ "nodeToNodeMeshEnabled": false, "serviceClusterIPs": 1 }""", false, "there is no mesh")]
    [InlineData("""{ "nodeToNodeMeshEnabled": "nonsense" }""", false, "there is no mesh")]
    [InlineData("""{ "asNumber": "nonsense" }""", false, "there is no mesh")]
    [InlineData("""{ "listenPort": "nonsense" }""", false, "there is no mesh")]
    [InlineData("""{ "nodeMeshPassword": "nonsense" }""", false, "there is no mesh")]
    [InlineData("""{ "serviceClusterIPs": 1 }""", true, "there is a mesh")]
    [InlineData("""{ "nodeToNodeMeshEnabled": true, "serviceClusterIPs": 1 }""", true, "there is a mesh")]
    public void Of_a_BGPConfiguration_that_was_never_good_what_it_says_of_the_mesh_counts(string spec, bool isMeshed, string told)
    {
        var plan = new Cluster().With(Node("a", "10.0.0.1/24"), Node("b", "10.0.0.2/24"), Refused(spec)).Plan();
        Assert.Equal(isMeshed ? ["Mesh_10_0_0_2"] : [], plan.Peers.Select(peer => peer.Name));
        var problem = Assert.Single(plan.Problems);
        Assert.Equal("BGPConfiguration/default", problem.Object);
        Assert.Contains("no good version of it was seen", problem.Reason, StringComparison.Ordinal);
        Assert.EndsWith($"({told})", problem.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refused_BGPConfigurations_AS_number_and_password_are_the_meshs()
    {
        var cluster = new Cluster().With(Node("a", "10.0.0.1/24"), Node("b", "10.0.0.2/24"), Key("keys", "mesh", "sesame"),
            Refused("""
                {
                  "asNumber": 64999, "serviceClusterIPs": 1,
                  "nodeMeshPassword": { "secretKeyRef": { "name": "keys", "key": "mesh" } }
                }
                """));
        var peer = Assert.Single(cluster.Plan().Peers);
        Assert.Equal((64999u, "sesame"), (peer.As.Value, peer.Password));
    }

    private static BgpConfiguration Refused(string spec)
    {
        const string kind = """ "apiVersion": "projectcalico.org/v3", "kind": "BGPConfiguration", "metadata": { "name": "default" } """;
        var document = JsonTree.Read(Encoding.UTF8.GetBytes($"{{ {kind}, \"spec\": {spec} }}"), 1, out _)!;
        var definition = Assert.Single(ResourceJson.Read([document], "f").Definitions);
        Assert.Null(definition.Value);
        return Assert.IsType<BgpConfiguration>(definition.WhileRefused);
    }

    [Fact]
    public void Two_nodes_with_one_address_are_one_neighbour_and_the_later_is_told()
    {
        var mesh = Of(Mesh, Node("c", "10.0.0.2/24")).Plan();
        Assert.Equal(["Mesh_10_0_0_2", "Mesh_fd00__2"], mesh.Peers.Select(peer => peer.Name));
        Assert.Equal([new("Node/c", "", "Node/b has the address 10.0.0.2 too, and counts")], mesh.Problems);
        var selected = Of(Node("c", "10.0.0.2/24"), Peer("all") with { PeerSelector = All }).Plan();
        Assert.Equal(["Global_10_0_0_2", "Global_fd00__2"], selected.Peers.Select(peer => peer.Name));
        Assert.Equal([new("Node/c", "", "Node/b has the address 10.0.0.2 too, and counts")], selected.Problems);
        var mirrored = Of(Node("c", "10.0.0.2/24"), Peer("to-a", "10.0.0.1", 64512) with { NodeSelector = All }).Plan();
        Assert.Equal(["Node_10_0_0_2"], mirrored.Peers.Select(peer => peer.Name));
        Assert.Equal([new("Node/c", "", "Node/b has the address 10.0.0.2 too, and counts")], mirrored.Problems);
    }

    [Fact]
    public void Of_two_mesh_nodes_on_one_address_with_ports_of_their_own_one_counts() =>
        Assert.Equal(["Node/c"],
            Of(Mesh, Node("c", "10.0.0.2/24"), OwnConfiguration("c") with { ListenPort = 1790 }).Plan().Problems.Select(one => one.Object));

    [Fact]
    public void A_node_with_this_ones_address_is_told() =>
        Assert.Equal([new("Node/b", "", "has this node's address 10.0.0.1: no session is opened with it")],
            Of(Mesh, Node("b", "10.0.0.1/24")).Plan().Problems);

    [Fact]
    public void Who_is_asked_for_by_a_BGPPeer_is_left_out_of_the_mesh_and_told()
    {
        var plan = Of(Mesh, Peer("direct", "10.0.0.2", 64512)).Plan();
        Assert.Equal(
            ["Global_10_0_0_2", "Mesh_10_0_0_10", "Mesh_fd00__10", "Mesh_fd00__2"], plan.Peers.Select(peer => peer.Name));
        Assert.Equal(
            [new("Node/b", "", "BGPPeer/direct already asks for a session with 10.0.0.2 port 179: the mesh opens none")], plan.Problems);
    }

    /// <summary>confd looks whether the address is a node's, and at nothing else.</summary>
    [Theory]
    [InlineData(64512u, null)]
    [InlineData(65001u, null)]
    [InlineData(64512u, 1790)]
    public void A_global_peer_at_a_nodes_address_waits_for_the_greater_text_whatever_its_AS_and_port(uint asNumber, int? port) =>
        Assert.True(Assert.Single(Of(Peer("b", "10.0.0.2", asNumber, port)).Plan().Peers).Passive);

    [Fact]
    public void A_Secret_that_is_missing_is_told_with_the_peer_that_names_it()
    {
        var plan = Of(Tor with { Password = new("keys", "tor") }).Plan();
        Assert.Equal(
            [new("BGPPeer/tor", "spec.password", "the password's Secret kube-system/keys is not there: the session stays down")],
            plan.Problems);
        var mesh = Of(Mesh with { NodeMeshPassword = new("keys", "mesh") }).Plan();
        Assert.Equal(
            [
                new("BGPConfiguration/default", "spec.nodeMeshPassword",
                    "the password's Secret kube-system/keys is not there: the session stays down"),
            ],
            mesh.Problems);
    }

    [Fact]
    public void A_key_that_ends_in_a_line_end_is_used_and_told()
    {
        var secret = new Secret(new Metadata("keys", "kube-system")) { Data = [new("tor", new([.. "word\n"u8]))] };
        var plan = Of(secret, Tor with { Password = new("keys", "tor") }).Plan();
        Assert.Equal("word\n", Assert.Single(plan.Peers).Password);
        Assert.Contains("ends in a line end", Assert.Single(plan.Problems).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reflector_is_in_no_mesh()
    {
        var reflector = Node("b", "10.0.0.2/24", "fd00::2/64") with { RouteReflectorClusterId = new(1) };
        Assert.Equal(["Mesh_10_0_0_10", "Mesh_fd00__10"], Of(Mesh, reflector).PeerNames());
        Assert.Empty(Of(Mesh, Node("a", "10.0.0.1/24") with { RouteReflectorClusterId = new(1) }).PeerNames());
    }

    [Fact]
    public void In_a_mesh_the_end_with_the_lesser_text_waits()
    {
        var peers = Of(Mesh, Node("d", "10.0.0.9/24"), Node("a", "10.0.0.10/24"), Node("c", null)).Plan()
            .Peers.ToDictionary(peer => peer.Name);
        Assert.True(peers["Mesh_10_0_0_9"].Passive);
        Assert.True(peers["Mesh_10_0_0_2"].Passive);
    }

    [Fact]
    public void A_mesh_neighbour_without_AS_is_taken_to_have_ours()
    {
        var peers = Of(Mesh, Node("a", "10.0.0.1/24") with { AsNumber = new(65100) },
            Node("c", "10.0.0.10/24") with { AsNumber = new(65200) }).Plan().Peers;
        Assert.Equal([("Mesh_10_0_0_10", 65200u, false), ("Mesh_10_0_0_2", 65100u, true)],
            peers.Select(peer => (peer.Name, peer.As.Value, peer.IsInternal)));
    }

    [Fact]
    public void A_mesh_neighbours_port_is_its_own_and_not_in_its_name() =>
        Assert.Equal(1790, Of(Mesh, Node("a", "10.0.0.1/24"), Node("c", null), OwnConfiguration("b") with { ListenPort = 1790 }).Plan()
            .Peers
            .Single(peer => peer.Name == "Mesh_10_0_0_2").Port);

    [Theory]
    [InlineData(null, "Global_192_0_2_1")]
    [InlineData(179, "Global_192_0_2_1")]
    [InlineData(1790, "Global_192_0_2_1_port_1790")]
    public void A_port_is_in_the_name_unless_it_is_179(int? port, string name) =>
        Assert.Equal([name], Of(Peer("tor", "192.0.2.1", 65001, port)).PeerNames());

    [Fact]
    public void A_global_peer_wins_over_a_nodes_of_the_same_address_and_port_and_the_loser_is_told()
    {
        var cluster = Of(Tor, Peer("another", "192.0.2.1", 65002, 179) with { Node = "a" });
        Assert.Equal(["Global_192_0_2_1"], cluster.PeerNames());
        Assert.Contains(cluster.Plan().Problems, problem => problem.Object == "BGPPeer/another");
    }

    [Fact]
    public void Of_two_overlapping_peers_the_first_by_name_wins_whatever_their_order()
    {
        BgpPeer[] peers = [Peer("one", "192.0.2.1", 65001), Peer("two", "192.0.2.1", 65002)];
        Assert.Equal(65001u, Of(peers[0], peers[1]).Peer().As.Value);
        Assert.Equal(65001u, Of(peers[1], peers[0]).Peer().As.Value);
    }

    [Fact]
    public void A_peer_of_one_node_is_that_nodes() =>
        Assert.Equal(["Node_192_0_2_2"], Of(Peer("x", "192.0.2.1", 65001) with { Node = "b" },
            Peer("y", "192.0.2.2", 65001) with { Node = "a" }).PeerNames());

    [Fact]
    public void A_node_has_no_session_with_itself() =>
        Assert.DoesNotContain("Global_10_0_0_1", Of(Peer("self", "10.0.0.1", 64512)).PeerNames());

    [Fact]
    public void A_node_without_IPv4_has_no_IPv4_peers() =>
        Assert.Equal(["Global_2001_db8__1"], Of(Node("a", null, "fd00::1/64"), Tor, Peer("tor6", "2001:db8::1", 65001)).PeerNames());

    [Fact]
    public void Selected_nodes_bring_their_own_AS_port_and_cluster_and_ignore_what_is_for_addresses()
    {
        var reflector = Node("b", "10.0.0.2/24", null, ("rr", "yes")) with { AsNumber = new(65100), RouteReflectorClusterId = new(7) };
        var peer = Of(reflector, Peer("rr") with
        {
            NodeSelector = All,
            PeerSelector = Selector.Parse("rr == 'yes'"),
            LocalAsNumber = new(65999),
            NumAllowedLocalAsNumbers = 3,
        }).Peer();
        Assert.Equal(("Node_10_0_0_2", 65100u, 64512u, 0), (peer.Name, peer.As.Value, peer.LocalAs.Value, peer.AllowLocalAs));
    }

    [Theory]
    [InlineData(null, 7u)]
    [InlineData(8u, 7u)]
    [InlineData(7u, null)]
    public void A_reflector_has_clients_but_for_reflectors_of_its_own_cluster(uint? theirs, uint? client)
    {
        var peer = Of(
            Node("a", "10.0.0.1/24") with { RouteReflectorClusterId = new(7) },
            Node("b", "10.0.0.2/24", null, ("x", "y")) with { RouteReflectorClusterId = theirs is { } id ? new RouterId(id) : null },
            Peer("p") with { Node = "a", PeerSelector = Selector.Parse("has(x)") }).Peer();
        Assert.Equal(client, peer.ClusterId?.Value);
    }

    [Fact]
    public void An_external_peer_is_no_reflectors_client() =>
        Assert.Null(Of(Node("a", "10.0.0.1/24") with { RouteReflectorClusterId = new(7) }, Tor).Plan()
            .Peers.Single(peer => peer.Name.StartsWith("Global")).ClusterId);

    [Theory]
    [InlineData(64512u, true)]
    [InlineData(65001u, false)]
    public void The_far_end_opens_its_side_where_the_AS_fits(uint asNumber, bool opens)
    {
        var peer = Peer("to-a", "10.0.0.1", asNumber) with { Node = "b" };
        Assert.Equal(opens ? ["Node_10_0_0_2"] : [], Of(peer).PeerNames());
    }

    [Fact]
    public void Reversed_by_address_it_is_that_family_by_selector_both()
    {
        Assert.Equal(["Node_10_0_0_2"], Of(Peer("to-a", "10.0.0.1", 64512) with { Node = "b" }).PeerNames());
        var selected = Peer("to-a") with { Node = "b", PeerSelector = Selector.Parse("has(me)") };
        Assert.Equal(["Node_10_0_0_2", "Node_fd00__2"], Of(Node("a", "10.0.0.1/24", "fd00::1/64", ("me", "")), selected).PeerNames());
    }

    [Fact]
    public void Manual_is_not_reversed() =>
        Assert.Empty(Of(Peer("to-a", "10.0.0.1", 64512) with { Node = "b", ReversePeering = ReversePeering.Manual }).PeerNames());

    [Fact]
    public void A_reversed_session_has_the_peers_filters_time_and_next_hop_but_no_local_AS()
    {
        var filter = Filter("f") with { ImportV4 = [new BgpFilterRule(FilterAction.Reject)] };
        var peer = Of(filter, Peer("to-a", "10.0.0.1", 64512) with
        {
            Node = "b",
            Filters = ["f"],
            NextHopMode = PeerNextHopMode.Self,
            MaxRestartTime = TimeSpan.FromSeconds(10.5),
            LocalAsNumber = new(64999),
            NumAllowedLocalAsNumbers = 2,
            TtlSecurity = 255,
        }).Peer();
        Assert.Equal((NextHopMode.Self, 11, 255, 0, false),
            (peer.NextHop, peer.RestartSeconds, peer.TtlSecurity, peer.AllowLocalAs, peer.HasOwnLocalAs));
        Assert.Equal(["f"], peer.ImportFilters);
        Assert.Empty(peer.ExportFilters);
    }

    [Theory]
    [InlineData(65001u, true, null, NextHopMode.Keep)]
    [InlineData(64512u, true, null, NextHopMode.Auto)]
    [InlineData(64512u, false, PeerNextHopMode.Keep, NextHopMode.Keep)]
    [InlineData(65001u, false, PeerNextHopMode.Self, NextHopMode.Self)]
    [InlineData(65001u, false, PeerNextHopMode.Auto, NextHopMode.Auto)]
    public void The_old_word_keeps_next_hops_outside_the_new_one_everywhere(
        uint asNumber, bool keep, PeerNextHopMode? mode, NextHopMode becomes) =>
        Assert.Equal(becomes, Of(Peer("p", "192.0.2.1", asNumber) with { KeepOriginalNextHop = keep, NextHopMode = mode }).Peer().NextHop);

    [Fact]
    public void A_local_AS_decides_what_is_internal()
    {
        var peer = Of(Peer("p", "192.0.2.1", 65001) with { LocalAsNumber = new(65001) }).Peer();
        Assert.True(peer.IsInternal && peer.HasOwnLocalAs);
    }

    [Theory]
    [InlineData(0, 64, false)]
    [InlineData(1, 1, true)]
    [InlineData(255, 255, true)]
    public void Sessions_are_multihop_and_ttl_security_counts_hops(int hops, int multihop, bool secure)
    {
        var cluster = Of(Tor with { TtlSecurity = hops });
        var session = cluster.Peer().ToConfig(cluster.Plan()).Session;
        Assert.Equal((multihop, secure), (session.Multihop, session.TtlSecurity));
    }

    [Fact]
    public void A_peer_knows_the_object_that_asks_for_it()
    {
        var cluster = Of(Tor);
        Assert.Equal(Tor.Id, cluster.Peer().ToConfig(cluster.Plan()).Origin.Object);
    }

    [Fact]
    public void The_source_is_the_nodes_address_unless_none_is_wanted()
    {
        Assert.Equal(Address.Parse("10.0.0.1"), Of(Tor).Peer().SourceAddress);
        Assert.Null(Of(Tor with { SourceAddress = PeerSourceAddress.None }).Peer().SourceAddress);
    }

    [Fact]
    public void Times_that_nobody_says_are_BIRDs()
    {
        var cluster = Of(Tor);
        var session = cluster.Peer().ToConfig(cluster.Plan()).Session;
        Assert.Null(cluster.Peer().RestartSeconds);
        Assert.Equal((240d, 120d), (session.HoldTime.TotalSeconds, session.GracefulRestartTime!.Value.TotalSeconds));
    }

    /// <summary>Calico Enterprise: the mode says which of the two times maxRestartTime is.</summary>
    [Theory]
    [InlineData(RestartMode.GracefulRestart, null, 120d, null)]
    [InlineData(RestartMode.GracefulRestart, 30, 30d, null)]
    [InlineData(RestartMode.LongLivedGracefulRestart, null, 120d, 3600d)]
    [InlineData(RestartMode.LongLivedGracefulRestart, 7200, 120d, 7200d)]
    public void The_restart_mode_says_what_the_restart_time_is(RestartMode mode, int? seconds, double restart, double? stale)
    {
        var cluster = Of(Tor with
        {
            RestartMode = mode,
            MaxRestartTime = seconds is { } time ? TimeSpan.FromSeconds(time) : null,
        });
        var session = cluster.Peer().ToConfig(cluster.Plan()).Session;
        Assert.Equal((restart, stale), (session.GracefulRestartTime!.Value.TotalSeconds, session.LongLivedStaleTime?.TotalSeconds));
    }

    [Fact]
    public void A_pod_peers_passively_without_source_password_or_times()
    {
        var cluster = Of(Peer("pods") with
        {
            LocalWorkloadSelector = All,
            AsNumber = new(65401),
            LocalAsNumber = new(65002),
            Password = new("s", "k"),
            TtlSecurity = 1
        })
            .Seen(settings => settings with
            {
                Workloads = [new("cali1", "pods", Address.Parse("192.168.0.7"), Address.Parse("fd00:10::7")),
            new("cali2", "others", Address.Parse("192.168.0.8"), null)]
            });
        Assert.Equal(["Local_Workload_192_168_0_7", "Local_Workload_fd00_10__7"], cluster.PeerNames());
        var peer = cluster.Plan().Peers[0];
        Assert.Equal((true, null, null, 0, 65401u, 65002u),
            (peer.Passive, peer.SourceAddress, peer.PasswordKey, peer.TtlSecurity, peer.As.Value, peer.LocalAs.Value));
        Assert.Null(peer.Problem);
    }

    [Fact]
    public void A_password_that_is_not_there_keeps_its_session_down_and_no_other()
    {
        var cluster = Of(Tor with { Password = new("keys", "tor") }, Peer("open", "192.0.2.2", 65001));
        var (open, signed) = (cluster.Plan().Peers.Single(peer => peer.Name.EndsWith("_2")),
            cluster.Plan().Peers.Single(peer => peer.Name.EndsWith("_1")));
        Assert.Contains("kube-system/keys", signed.Problem);
        Assert.True(signed.ToConfig(cluster.Plan()).Session.Shutdown);
        Assert.Null(open.Problem);
        Assert.False(open.ToConfig(cluster.Plan()).Session.Shutdown);
    }

    [Fact]
    public void A_key_that_comes_changes_that_session_alone()
    {
        var before = Of(Tor with { Password = new("keys", "tor") }, Peer("open", "192.0.2.2", 65001));
        var after = before.With(Key("keys", "tor", "sesame"));
        var planner = before.Planner();
        var (was, becomes) = (planner.Plan, planner.Apply(before.To(after)).Plan!);
        Assert.Equal(["Global_192_0_2_1"], Changed(was, becomes));
        Assert.Equal("sesame", becomes.Peers[0].ToConfig(becomes).Session.Password);
    }

    /// <summary>The kernel counts octets, and would sign with the first 80.</summary>
    [Fact]
    public void A_key_that_the_kernel_has_no_room_for_keeps_the_session_down()
    {
        var fits = Of(Tor with { Password = new("keys", "tor") }, Key("keys", "tor", new string('ü', 40)));
        Assert.Null(fits.Peer().Problem);
        Assert.Contains("got 82", fits.With(Key("keys", "tor", new string('ü', 41))).Peer().Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_of_another_namespace_is_none()
    {
        var cluster = Of(Tor with { Password = new("keys", "tor") }, Key("keys", "tor", "sesame"))
            .Seen(settings => settings with { SecretNamespace = "calico-system" });
        Assert.NotNull(cluster.Peer().Problem);
    }

    [Fact]
    public void A_filter_that_is_gone_is_no_filter_and_the_session_stays()
    {
        var before = Of(Tor with { Filters = ["f"] }, Filter("f") with { ExportV4 = [new BgpFilterRule(FilterAction.Accept)] });
        var after = before.Without(Filter("f"));
        var (was, becomes) = (before.Peer(), after.Peer());
        Assert.Equal(["f"], was.ExportFilters);
        Assert.Empty(becomes.ExportFilters);
        Assert.Equal(was.ToConfig(before.Plan()).Session, becomes.ToConfig(after.Plan()).Session);
        Assert.Contains(after.Plan().Problems, problem => problem is { Object: "BGPPeer/tor", Field: "spec.filters[0]" });
    }

    [Fact]
    public void The_way_to_a_peer_that_names_its_gateway_is_installed_and_not_announced()
    {
        var cluster = Of(Tor with { ReachableBy = Address.Parse("10.0.0.254") }, Pool("172.16.0.0/16"));
        Assert.Equal(["192.0.2.1/32 Unicast"], cluster.RouteTexts());
        Assert.False(Ask.OfPeer(cluster.Plan(), Ask.Static("192.0.2.1/32")).Accepted);
        Assert.True(Ask.OfKernel(cluster.Plan(), Ask.Static("192.0.2.1/32")).Accepted);
    }

    [Fact]
    public void A_router_id_is_said_or_the_IPv4_address_or_a_hash()
    {
        Assert.Equal("10.0.0.1", Of().Plan().RouterId.ToString());
        Assert.Equal("25.79.212.8", NodeHash.RouterId("kube-master").ToString());
        Assert.Equal(NodeHash.RouterId("a"), Of(Node("a", null, "fd00::1/64")).Plan().RouterId);
        Assert.Equal(NodeHash.RouterId("a"), Of().Seen(settings => settings with { HashRouterId = true }).Plan().RouterId);
        Assert.Equal("10.10.10.10", Of().Seen(settings => settings with { RouterId = new(0x0a0a0a0a) }).Plan().RouterId.ToString());
    }

    [Fact]
    public void Ports_and_addresses_to_listen_on_are_the_nodes_then_the_clusters()
    {
        var cluster = Of(Global() with { ListenPort = 177, BindMode = BindMode.NodeIP, NodeToNodeMeshEnabled = false });
        Assert.Equal(177, cluster.Plan().ListenPort);
        Assert.Equal([Address.Parse("10.0.0.1"), Address.Parse("fd00::1")], cluster.Plan().Listen);
        Assert.Equal(180, cluster.With(OwnConfiguration() with { ListenPort = 180 }).Plan().ListenPort);
    }

    internal static Secret Key(string name, string key, string value) =>
        new(new Metadata(name, "kube-system")) { Data = [new(key, new([.. System.Text.Encoding.UTF8.GetBytes(value)]))] };

    private static string[] Changed(NodePlan before, NodePlan after) =>
        [.. after.Peers.Where(peer => !before.Peers.Contains(peer)).Select(peer => peer.Name)];

    [Fact]
    public void A_cordoned_node_is_drained_where_that_is_asked_for()
    {
        var cordoned = Of(Node("a", "10.0.0.1/24") with { Unschedulable = true });
        Assert.False(cordoned.Plan().IsDrained);
        Assert.True(cordoned.Seen(settings => settings with { DrainOnCordon = true }).Plan().IsDrained);
        Assert.False(Of().Seen(settings => settings with { DrainOnCordon = true }).Plan().IsDrained);
        Assert.False(Of(Node("b", "10.0.0.2/24") with { Unschedulable = true })
            .Seen(settings => settings with { DrainOnCordon = true }).Plan().IsDrained);
    }

    [Fact]
    public void Peers_on_nodes_that_do_not_work_are_named_whoever_asks_for_them()
    {
        var at = Of(Global(), Node("b", "10.0.0.2/24") with { IsNotReady = true }, Peer("c", "10.0.0.10", 64512));
        Assert.Equal(["Mesh_10_0_0_2"], at.Plan().Absent);
        var other = at.With(Node("b", "10.0.0.2/24"), Node("c", "10.0.0.10/24") with { IsNotReady = true }).Plan();
        Assert.Equal(["Global_10_0_0_10"], other.Absent);
        var file = new SpeakerConfig { RouterId = new(1), As = new(64512), HostName = "a" };
        Assert.Equal(other.Absent, PlannedConfig.Join(file, other).Absent);
    }
}
