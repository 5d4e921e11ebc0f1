using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Conformance.Golden;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>Blocks, filters, next hops and packets between a ToR and nodes that know nothing but Calico's resources.</summary>
public sealed class RouteTests
{
    private const string TorSession = "Global_10_192_0_254";

    private static readonly Manifest[] Pods =
        [Pool("pods4", "10.65.0.0/16"), Pool("pods6", "fd65::/48"), Block("node1", "10.65.1.0/26"), Block("node2", "10.65.2.0/26"),
            Block("node1", "fd65:0:0:1::/122"), Block("node2", "fd65:0:0:2::/122")];

    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task Blocks_are_announced_and_withdrawn_with_their_affinity()
    {
        await using var rack = await Rack.MakeAsync(2, null, [Rack.NoMesh(), .. Rack.TorPeers(), .. Pods]);
        await rack.HeardFromAsync("10.65.1.0/26", 1);
        await rack.HeardFromAsync("fd65:0:0:2::/122", 2);
        rack.Apply(Block("node2", "10.65.1.64/26"));
        await rack.HeardFromAsync("10.65.1.64/26", 2);
        Assert.Contains("blackhole", await rack.Nodes[1].KernelAsync("10.65.1.64/26"), StringComparison.Ordinal);
        rack.Delete("BlockAffinity", "node2-10-65-1-64-26");
        await rack.HeardFromAsync("10.65.1.64/26");
        await Until.TrueAsync("its blackhole is gone", async () => await rack.Nodes[1].KernelAsync("10.65.1.64/26") == "", 15,
            rack.Said);
    }

    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task A_mesh_carries_blocks_between_nodes_and_the_kernel_gets_them()
    {
        await using var rack = await Rack.MakeAsync(3, [], Pods);
        await Until.TrueAsync("node2 has the way to node1's block", async () =>
            (await rack.Nodes[1].KernelAsync("10.65.1.0/26")).Contains($"via {Rack.Node4(1)} dev eth0 proto bird metric 1024",
            StringComparison.Ordinal), 60, rack.Said);
        await Until.TrueAsync("node3 has it for IPv6", async () =>
            (await rack.Nodes[2].KernelAsync("fd65:0:0:1::/122")).Contains($"via {Rack.Node6(1)} dev eth0 proto bird metric 1024",
            StringComparison.Ordinal), 60, rack.Said);
    }

    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task A_block_of_two_nodes_is_reached_by_both_and_both_are_shown_as_used()
    {
        await using var rack = await Rack.MakeAsync(
            3, [], Pool("pods4", "10.65.0.0/16"), Block("node2", "10.65.9.0/26"), Block("node3", "10.65.9.0/26"));
        var node = rack.Nodes[0];
        string[] hops = [$"nexthop via {Rack.Node4(2)}", $"nexthop via {Rack.Node4(3)}"];
        await Until.TrueAsync(
            "the kernel has both", async () => Array.TrueForAll(hops, (await node.KernelAsync("10.65.9.0/26")).Contains), 60, rack.Said);
        var routes = (await node.BgpctlAsync("routes", "10.65.9.0/26")).Split('\n');
        Assert.Single(routes, line => line.StartsWith("*  10.65.9.0/26", StringComparison.Ordinal));
        var beside = Assert.Single(routes, line => line.StartsWith("=  10.65.9.0/26", StringComparison.Ordinal));
        Assert.Contains("used beside the best, which has the tie by router id", beside, StringComparison.Ordinal);
        Assert.Contains("used beside it", await node.ExplainAsync("route", "10.65.9.0/26"), StringComparison.Ordinal);
        Assert.Contains("\"multipath\":true", await node.BgpctlAsync("routes", "10.65.9.0/26", "--json"), StringComparison.Ordinal);
    }

    /// <summary>A stand-in for the tunnel: kernels without IPIP have no tunl0, and what is told of the route is the same.</summary>
    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task An_IPIP_pool_leads_through_tunl0_while_that_is_up()
    {
        await using var rack = await Rack.MakeAsync(2, [], Configuration("programClusterRoutes: Enabled"),
            Pool("pods4", "10.65.0.0/16", "ipipMode: Always"), Block("node1", "10.65.1.0/26"), Block("node2", "10.65.2.0/26"));
        var node = rack.Nodes[0];
        await node.Namespace.IpAsync("link add tunl0 type veth peer name nothing");
        await node.Namespace.IpAsync("link set nothing up");
        await node.Namespace.IpAsync("link set tunl0 up");
        await Until.TrueAsync("node2's block lies behind the tunnel", async () =>
            (await node.KernelAsync("10.65.2.0/26")).Contains($"via {Rack.Node4(2)} dev tunl0 proto bird metric 1024 onlink"), 60,
            () => node.ExplainAsync("route", "10.65.2.0/26"));
    }

    /// <summary>A reload that names another folder: what is in both stays, what is in one goes or comes, and no session is reset.</summary>
    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task Another_folder_of_resources_takes_effect_without_a_restart()
    {
        await using var rack = await Rack.MakeAsync(1, null, [Rack.NoMesh(), .. Rack.TorPeers(), .. Pods]);
        await rack.HeardFromAsync("10.65.1.0/26", 1);
        var before = await rack.Nodes[0].SessionsAsync(TorSession);
        using var other = new ResourceFolder();
        other.Apply([Rack.NodeObject(1), Rack.NoMesh(), .. Rack.TorPeers(), Pods[0], Block("node1", "10.65.7.0/26")]);
        rack.Nodes[0].Source = other.Source;
        await rack.Nodes[0].ReconfigureAsync("");
        await rack.HeardFromAsync("10.65.7.0/26", 1);
        await rack.HeardFromAsync("10.65.1.0/26");
        other.Apply(Block("node1", "10.65.8.0/26"));
        await rack.HeardFromAsync("10.65.8.0/26", 1);
        Assert.Equal(before, await rack.Nodes[0].SessionsAsync(TorSession));
    }

    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task A_borrowed_address_goes_out_by_itself_and_one_of_an_own_block_does_not()
    {
        await using var rack = await Rack.MakeAsync(2, null, [Rack.NoMesh(), .. Rack.TorPeers(), .. Pods]);
        await rack.PodAsync(2, "own", "10.65.2.5", "fd65:0:0:2::5");
        await rack.PodAsync(2, "lent", "10.65.1.6", "fd65:0:0:1::6");
        await rack.HeardFromAsync("10.65.1.6/32", 2);
        await rack.HeardFromAsync("fd65:0:0:1::6/128", 2);
        await rack.HeardFromAsync("10.65.2.0/26", 2);
        Assert.Equal("", await rack.Tor.ViaAsync("10.65.2.5/32"));
    }

    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task Import_filters_decide_what_the_kernel_gets()
    {
        await using var rack = await Rack.MakeAsync(1, null, [Rack.NoMesh(), .. Rack.TorPeers(", filters: [first, second]"),
            Filter("first", "importV4: [{ action: Reject, matchOperator: In, cidr: 44.1.0.0/16 }], "
                + "importV6: [{ action: Reject, matchOperator: In, cidr: 'fd44:1::/32' }]"),
            Filter("second", "importV4: [{ action: Accept, matchOperator: In, cidr: 44.0.0.0/8 }, { action: Reject }], "
                + "importV6: [{ action: Accept, matchOperator: In, cidr: 'fd44::/16' }, { action: Reject }]")]);
        await rack.Tor.AnnounceAsync("44.1.1.0/24", "44.2.2.0/24", "45.0.0.0/24", "fd44:1::/64", "fd44:2::/64", "fd45::/64");
        foreach (var prefix in new[] { "44.2.2.0/24", "fd44:2::/64" })
            await Until.TrueAsync($"node1's kernel has {prefix}", async () => await rack.Nodes[0].KernelAsync(prefix) != "", 30,
                rack.Said);
        foreach (var prefix in new[] { "44.1.1.0/24", "45.0.0.0/24", "fd44:1::/64", "fd45::/64" })
            Assert.Equal("", await rack.Nodes[0].KernelAsync(prefix));
        rack.Delete("BGPFilter", "second");
        await Until.TrueAsync("without the second filter the rest comes in", async () =>
            await rack.Nodes[0].KernelAsync("45.0.0.0/24") != "", 60, rack.Said);
        Assert.Equal("", await rack.Nodes[0].KernelAsync("44.1.1.0/24"));
    }

    [NeedsTheory(Needs.Daemon, "bird", "birdc")]
    [InlineData("Auto", "44.2.2.0/24", Rack.Tor4)]
    [InlineData("Keep", "44.2.2.0/24", Rack.Tor4)]
    [InlineData("Self", "44.2.2.0/24", "10.192.0.11")]
    public async Task Next_hops_towards_other_nodes(string mode, string prefix, string hop)
    {
        await using var rack = await Rack.MakeAsync(2, [1], Rack.NoMesh(), Peer("tor-v4",
            $"node: node1, peerIP: {Rack.Tor4}, asNumber: {Rack.TorAs}"), Peer("tor-v6",
            $"node: node1, peerIP: '{Rack.Tor6}', asNumber: {Rack.TorAs}"),
            Peer("inner",
            $"node: node1, peerIP: {Rack.Node4(2)}, asNumber: {Rack.NodeAs}, nextHopMode: {mode}, filters: [out], reversePeering: Auto"),
            Filter("out", "exportV4: [{ action: Accept, source: RemotePeers }]"));
        await rack.Tor.AnnounceAsync(prefix);
        await Until.TrueAsync($"node2 has {prefix} via {hop}", async () =>
            (await rack.Nodes[1].KernelAsync(prefix)).Contains($"via {hop} ", StringComparison.Ordinal), 60, rack.Said);
    }

    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task A_change_of_one_peer_leaves_the_other_sessions_alone()
    {
        await using var rack = await Rack.MakeAsync(1, null, [Rack.NoMesh(), .. Rack.TorPeers(), .. Pods]);
        await rack.HeardFromAsync("10.65.1.0/26", 1);
        var before = await rack.Nodes[0].SessionsAsync(TorSession);
        rack.Apply(Peer("tor-v6", $"peerIP: '{Rack.Tor6}', asNumber: {Rack.TorAs}, maxRestartTime: 77s"), Filter("new",
            "exportV4: [{ action: Accept }]"), Block("node1", "10.65.9.0/26"));
        await rack.HeardFromAsync("10.65.9.0/26", 1);
        Assert.Equal(before, await rack.Nodes[0].SessionsAsync(TorSession));
    }

    [NeedsFact(Needs.Daemon, "bird", "birdc", "ping")]
    public async Task A_pod_with_a_public_address_is_reached_from_outside_and_answers_with_it()
    {
        await using var rack = await Rack.MakeAsync(1, null, [Rack.NoMesh(), .. Rack.TorPeers(),
            Pool("public", "203.0.113.0/24", "natOutgoing: false"), Pool("private", "10.65.0.0/16",
                "natOutgoing: true, disableBGPExport: true"), Block("node1", "203.0.113.64/26"), Block("node1", "10.65.1.0/26")]);
        var pod = await rack.PodAsync(1, "pub", "203.0.113.70");
        await rack.HeardFromAsync("203.0.113.64/26", 1);
        Assert.Equal("", await rack.Tor.ViaAsync("10.65.1.0/26"));
        await Until.TrueAsync("the host reaches the pod", async () => (await rack.Host.RunAsync("ping", "-c1", "-W1",
            "203.0.113.70")).Good, 60, rack.Said);
        Assert.Equal("203.0.113.70", await SeenByAsync(rack.Host, Rack.Host4, pod));
        Assert.Equal(Rack.Host4, await SeenByAsync(pod, "203.0.113.70", rack.Host));
    }

    /// <summary>The address that a server sees a client come from.</summary>
    private static async Task<string> SeenByAsync(Netns server, string address, Netns client)
    {
        using var listener = server.Socket(AddressFamily.InterNetwork);
        listener.Bind(new IPEndPoint(IPAddress.Any, 8080));
        listener.Listen();
        using var caller = client.Socket(AddressFamily.InterNetwork);
        var connecting = caller.ConnectAsync(IPAddress.Parse(address), 8080);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var accepted = await listener.AcceptAsync(limit.Token);
        await connecting;
        return ((IPEndPoint)accepted.RemoteEndPoint!).Address.ToString();
    }

    [NeedsFact(Needs.Daemon, "bird", "birdc")]
    public async Task Pods_that_a_peer_selects_bring_their_own_routes()
    {
        await using var rack = await Rack.MakeAsync(1, null, [Rack.NoMesh(), .. Rack.TorPeers(", filters: [children]"), .. Pods,
            Peer("pods", "localWorkloadSelector: color == 'red', asNumber: 65401"), Filter("children",
                "exportV4: [{ action: Accept, matchOperator: In, cidr: 10.123.0.0/16 }]")]);
        var pod = await rack.PodAsync(1, "bgp", "10.65.1.7");
        await using var bird = new PodRouter(pod, "10.65.1.7", 65401, Rack.Node4(1), "10.123.0.0/24");
        await bird.StartAsync();
        await Task.WhenAll(Until.TrueAsync("nobody waits for the pod yet", async () =>
            !await rack.Nodes[0].IsUpAsync("Local_Workload_10_65_1_7"), 5));
        rack.Nodes[0].Tell("pod", "calibgp", "10.65.1.7", null, "pods");
        await Until.TrueAsync("the node and its pod have a session", () => rack.Nodes[0].IsUpAsync("Local_Workload_10_65_1_7"), 60,
            () => $"{rack.Said()}\n--- pod:\n{bird.Said}");
        await rack.HeardFromAsync("10.123.0.0/24", 1);
        await Until.TrueAsync("the kernel's way leads to the pod", async () =>
            (await rack.Nodes[0].KernelAsync("10.123.0.0/24")).Contains("10.65.1.7", StringComparison.Ordinal), 60, rack.Said);
    }
}
