using System.Net;
using Calico.Bgp.Conformance.Golden;
using static Calico.Bgp.Conformance.Traps.Given;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Traps;

/// <summary>Where the chains are easily got wrong: what is announced to whom, and what reaches the kernel.</summary>
public class ChainTests
{
    private const string Inner = "Global_10_0_0_9", Outer = "Global_192_0_2_1";

    /// <summary>An internal and an external peer, a pool and a block of node1's in it.</summary>
    private static Given Edge(params Manifest[] more) => Given.Pair([
        Peer("inner", "peerIP: 10.0.0.9, asNumber: 64512"), Peer("outer", "peerIP: 192.0.2.1, asNumber: 65001"),
        Pool("pool", "10.65.0.0/16"), Block("node1", "10.65.1.0/26"), .. more]);

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("3.33", 512)]
    [InlineData("3.33", 1024)]
    [InlineData("3.32", 1024)]
    public async Task Local_preference_mirrors_the_metric(string compat, int metric) =>
        Assert.Equal(Most - (uint)metric, await LocalPrefAsync(compat, InKernel("10.65.9.0/26", metric: (uint)metric)));

    [NeedsFact(Needs.Bgpctl)]
    public async Task Local_preference_was_itself_before_3_32() =>
        Assert.True(await LocalPrefAsync("3.31", InKernel("10.65.9.0/26", metric: 512)) is 100 or null);

    [NeedsFact(Needs.Bgpctl)]
    public async Task A_route_without_a_metric_counts_as_normal() =>
        Assert.Equal(Most - Normal, await LocalPrefAsync("3.33", Static("10.65.1.0/26")));

    private static async Task<uint?> LocalPrefAsync(string compat, Probe probe) =>
        (await (Edge() with { Compat = compat }).AskAsync(Inner, probe)).Attributes!.LocalPref;

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("10.65.1.0/26", 1024, "accept")]
    [InlineData("10.65.1.5/32", 1024, "reject")]    // the block stands for it
    [InlineData("10.65.1.5/32", 512, "accept")]     // on its way to another node
    [InlineData("10.65.1.5/32", 1023, "accept")]
    [InlineData("10.65.2.5/32", 1024, "accept")]    // borrowed out of another node's block
    [InlineData("10.66.0.0/26", 1024, "reject")]    // in no pool
    [InlineData("0.0.0.0/0", 1024, "reject")]
    public async Task What_a_block_announces(string prefix, int metric, string verdict) =>
        Assert.Equal(verdict, await Edge().VerdictAsync(Outer, InKernel(prefix, "cali1", (uint)metric)));

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("confirmed", "10.65.3.0/26", "10.65.3.5/32", true, "reject")]
    [InlineData("", "10.65.3.0/26", "10.65.3.5/32", true, "reject")]
    [InlineData("pending", "10.65.3.0/26", "10.65.3.5/32", false, "accept")]          // as if it were not there
    [InlineData("pendingDeletion", "10.65.3.0/26", "10.65.3.5/32", true, "accept")]   // the pool alone speaks for it
    public async Task States_of_an_affinity(string state, string block, string host, bool originated, string inside)
    {
        var given = Edge(Block("node1", block, state));
        Assert.Equal(originated, (await given.RoutesAsync()).Split(' ').Contains(block));
        Assert.Equal(inside, await given.VerdictAsync(Outer, InKernel(host, "cali1")));
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task A_block_of_one_address_has_no_blackhole_and_is_announced()
    {
        var given = Edge(Block("node1", "10.65.7.7/32"));
        Assert.DoesNotContain("10.65.7.7/32", await given.RoutesAsync(), StringComparison.Ordinal);
        Assert.Equal("accept", await given.VerdictAsync(Outer, InKernel("10.65.7.7/32", "cali1")));
    }

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("vxlanMode: Always")]
    [InlineData("ipipMode: Always")]
    [InlineData("disabled: true")]
    [InlineData("allowedUses: [LoadBalancer]")]
    public async Task Every_pool_is_announced_whatever_it_is_for(string pool) =>
        Assert.Equal("accept", await Edge(Pool("other", "10.70.0.0/16", pool)).VerdictAsync(Inner, Learned("10.70.1.0/26")));

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("", "reject")]
    [InlineData("filters: [lets-out]", "accept")]
    public async Task DisableBGPExport_beats_everything_but_a_filter(string filters, string verdict) =>
        Assert.Equal(verdict, await Edge(Pool("other", "10.70.0.0/16", "disableBGPExport: true"), Block("node1", "10.70.1.0/26"),
            Filter("lets-out", "exportV4: [{ action: Accept, matchOperator: In, cidr: 10.70.0.0/16 }]"),
            Peer("outer", $"peerIP: 192.0.2.1, asNumber: 65001{(filters.Length > 0 ? ", " : "")}{filters}"))
                .VerdictAsync(Outer, Static("10.70.1.0/26")));

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("vxlan.calico", "reject", "accept")]
    [InlineData("vxlan-v6.calico", "reject", "accept")]
    [InlineData("wireguard.cali", "reject", "accept")]
    [InlineData("tunl0", "reject", "accept")]
    [InlineData("bpfin.cali", "reject", "reject")]
    [InlineData("eth0", "accept", "accept")]
    public async Task Felix_tunnels_are_for_external_peers_only(string link, string inner, string outer)
    {
        Assert.Equal(inner, await Edge().VerdictAsync(Inner, InKernel("10.65.2.0/26", link)));
        Assert.Equal(outer, await Edge().VerdictAsync(Outer, InKernel("10.65.2.0/26", link)));
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task Who_owns_IPIP_announces_what_leads_into_its_tunnel() =>
        Assert.Equal("accept", await Edge(Configuration("nodeToNodeMeshEnabled: false, programClusterRoutes: Enabled"))
            .VerdictAsync(Inner, InKernel("10.65.2.0/26", "tunl0")));

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("accept", "{ action: Accept, interface: '*' }", "eth0")]
    [InlineData("reject", "{ action: Accept, interface: '*' }", null)]   // a blackhole has no link to match
    [InlineData("accept", "{ action: Accept }", null)]
    [InlineData("reject", "{ action: Accept, source: RemotePeers }", "eth0")]
    [InlineData("reject", "{ action: Reject }, { action: Accept }", "eth0")]
    public async Task A_filters_first_match_ends_everything(string verdict, string rules, string? link) =>
        Assert.Equal(verdict, await Edge(Filter("f", $"exportV4: [{rules}]"),
            Peer("outer", "peerIP: 192.0.2.1, asNumber: 65001, filters: [f]")).VerdictAsync(Outer, InKernel("198.18.0.0/24", link)));

    [NeedsFact(Needs.Bgpctl)]
    public async Task Operations_act_in_order_and_the_path_begins_as_written()
    {
        var given = Edge(Filter("f", """
            exportV4: [{ action: Accept, matchOperator: In, cidr: 10.65.0.0/16,
              operations: [{ addCommunity: { value: '65000:7' } }, { addCommunity: { value: '1:2:3' } },
                { prependASPath: { prefix: [65010, 65011] } }] }]
            """), Peer("outer", "peerIP: 192.0.2.1, asNumber: 65001, filters: [f]"));
        var sent = (await given.AskAsync(Outer, Static("10.65.1.0/26"))).Attributes!;
        Assert.Equal("1:2:3 65000:7", string.Join(' ', sent.Communities.Order(StringComparer.Ordinal)));
        Assert.Equal("65010 65011", string.Join(' ', sent.AsPath));
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task Prefix_advertisements_add_up_and_a_nodes_own_take_the_place_of_all()
    {
        var configuration = Configuration("""
            nodeToNodeMeshEnabled: false, communities: [{ name: site, value: '65000:1' }],
            prefixAdvertisements: [{ cidr: 10.65.0.0/16, communities: [site] }, { cidr: 10.65.1.0/24, communities: ['65000:2:3', site] }]
            """);
        Assert.Equal("65000:1 65000:2:3", await Communities(Edge(configuration)));
        Assert.Equal("65000:9", await Communities(Edge(configuration,
            Configuration("prefixAdvertisements: [{ cidr: 10.65.0.0/16, communities: ['65000:9'] }]", "node.node1"))));
        Assert.Equal("", await Communities(Edge(configuration, Configuration("prefixAdvertisements: []", "node.node1"))));
    }

    private static async Task<string> Communities(Given given) =>
        string.Join(' ', (await given.AskAsync(Outer, Static("10.65.1.0/26"))).Attributes!.Communities.Order(StringComparer.Ordinal));

    [NeedsFact(Needs.Bgpctl)]
    public async Task The_route_to_a_peer_behind_a_gateway_is_ours_alone()
    {
        var given = Edge(Peer("far", "peerIP: 203.0.113.9, asNumber: 65002, reachableBy: 10.0.0.254"));
        Assert.Contains("203.0.113.9/32", await given.RoutesAsync(), StringComparison.Ordinal);
        Assert.Equal("reject", await given.VerdictAsync(Outer, Static("203.0.113.9/32")));
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task Class_E_is_unicast()
    {
        var given = Edge(Pool("e", "240.10.0.0/16"), Block("node1", "240.10.1.0/26"));
        Assert.Contains("240.10.1.0/26", await given.RoutesAsync(), StringComparison.Ordinal);
        Assert.Equal("accept", await given.VerdictAsync(Outer, Static("240.10.1.0/26")));
    }

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("ipipMode: Always", "", "reject")]                          // Felix's, since 3.33
    [InlineData("ipipMode: Always", "Enabled", "accept tunl0")]
    [InlineData("ipipMode: Always", "EnabledNoEncapOnly", "reject")]
    [InlineData("vxlanMode: Always", "Enabled", "reject")]
    [InlineData("", "", "accept")]
    [InlineData("", "Disabled", "reject")]
    [InlineData("", "EnabledIPIPOnly", "reject")]
    public async Task Who_writes_a_pools_routes(string pool, string program, string kernel)
    {
        var given = Edge(Pool("other", "10.70.0.0/16", pool),
            Configuration($"nodeToNodeMeshEnabled: false{(program.Length > 0 ? ", programClusterRoutes: " : "")}{program}"));
        var answer = await given.AskAsync("kernel", Learned("10.70.1.0/26"));
        Assert.Equal(kernel, $"{answer.Verdict} {(answer.Verdict == "accept" ? answer.Attributes?.Tunnel : null)}".Trim());
    }

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("10.0.0.77", "")]        // on our own network
    [InlineData("10.0.1.77", "tunl0")]
    [InlineData(null, "tunl0")]
    public async Task CrossSubnet_tunnels_only_across(string? hop, string tunnel)
    {
        var given = Edge(Pool("other", "10.70.0.0/16", "ipipMode: CrossSubnet"),
            Configuration("nodeToNodeMeshEnabled: false, programClusterRoutes: Enabled"));
        var answer = await given.AskAsync("kernel", Learned("10.70.1.0/26") with { NextHop = hop == null ? null : IPAddress.Parse(hop) });
        Assert.Equal(("accept", tunnel), (answer.Verdict, answer.Attributes?.Tunnel ?? ""));
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task A_metric_below_normal_travels_as_a_local_preference()
    {
        var answer = await Edge().AskAsync("kernel", Learned("10.65.1.5/32") with { LocalPref = Most - 512 });
        Assert.Equal(("accept", 512u), (answer.Verdict, answer.Attributes!.Metric));
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task An_import_filter_decides_before_all_else()
    {
        var given = Edge(Filter("f", "importV4: [{ action: Reject, matchOperator: Equal, cidr: 0.0.0.0/0 }, "
            + "{ action: Accept, asPathPrefix: [65001, 65002], operations: [{ setPriority: { value: 100 } }] }]"),
            Peer("outer", "peerIP: 192.0.2.1, asNumber: 65001, filters: [f]"));
        Assert.Equal("reject", await given.VerdictAsync("kernel", Learned("0.0.0.0/0") with { From = Outer }));
        Assert.Equal("accept", await given.VerdictAsync("kernel", Learned("198.18.0.0/15") with { From = Outer }));
        var raised = await given.AskAsync("kernel", Learned("198.18.0.0/15") with { From = Outer, AsPath = [65001, 65002, 65003] });
        Assert.Equal((Most - 100, 100u), (raised.Attributes!.LocalPref, raised.Attributes.Metric));
    }
}
