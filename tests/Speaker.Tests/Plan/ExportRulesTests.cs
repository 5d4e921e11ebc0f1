using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker.Plan;
using static Calico.Bgp.Speaker.Tests.Plan.Cluster;

namespace Calico.Bgp.Speaker.Tests.Plan;

/// <summary>What is announced, in the order in which Calico asks.</summary>
public class ExportRulesTests
{
    private const uint Most = int.MaxValue, Ordinary = Most - 1024;
    private static readonly BgpPeer Outside = Peer("tor", "192.0.2.1", 65001), Inside = Peer("tor", "192.0.2.1", 64512);
    private static readonly IPPool Pods = Pool("192.168.0.0/16");

    private static ProbeAnswer Export(Cluster cluster, Probe probe) => Ask.OfPeer(cluster.Plan(), probe);

    private static void Says(bool accepted, string rule, ProbeAnswer answer) =>
        Assert.Equal((accepted, rule), (answer.Accepted, answer.Rule));

    [Fact]
    public void A_route_that_nothing_announces_is_rejected() =>
        Says(false, "nothing announces it", Export(Of(Outside, Pods), Ask.Kernel("0.0.0.0/0", "eth0")));

    [Theory]
    [InlineData("3.31", null, null)]
    [InlineData("3.32", Ordinary, 1024u)]
    [InlineData("3.33", Ordinary, 1024u)]
    public void Since_3_32_a_route_gets_the_LOCAL_PREF_of_its_metric(string release, uint? localPref, uint? metric)
    {
        var cluster = Of(Inside, Pods).Seen(settings => settings with { Release = CalicoRelease.Named(release)! });
        var answer = Export(cluster, Ask.Static("192.168.1.0/26"));
        Assert.Equal((localPref, metric), (answer.Attributes!.LocalPref, answer.Attributes.Metric));
    }

    [Fact]
    public void A_kernel_routes_own_metric_counts() =>
        Assert.Equal(Most - 512, Export(Of(Inside, Pods), Ask.Kernel("192.168.1.1/32", metric: 512)).Attributes!.LocalPref);

    [Fact]
    public void A_learned_routes_LOCAL_PREF_stays_and_says_its_metric()
    {
        var attributes = Export(Of(Inside, Pods), Ask.Bgp("192.168.1.0/26", localPref: Most - 512)).Attributes!;
        Assert.Equal((Most - 512, 512u), (attributes.LocalPref, attributes.Metric));
    }

    [Fact]
    public void Normal_is_what_BGPConfiguration_says_of_each_family()
    {
        var cluster = Of(Inside, Pods, Peer("tor6", "2001:db8::1", 64512), Pool("fd00:10::/64"),
            Global() with { NodeToNodeMeshEnabled = false, IPv4NormalRoutePriority = 5000, IPv6NormalRoutePriority = 80 });
        Assert.Equal(Most - 5000, Export(cluster, Ask.Static("192.168.1.0/26")).Attributes!.LocalPref);
        Assert.Equal(Most - 80, Export(cluster, Ask.Static("fd00:10::/122")).Attributes!.LocalPref);
    }

    [Fact]
    public void A_pool_that_is_not_to_be_exported_beats_everything_but_filters()
    {
        var hidden = Pods with { DisableBgpExport = true };
        Says(false, $"{hidden.Id} disableBGPExport", Export(Of(Outside, hidden, Block("192.168.1.0/26")), Ask.Static("192.168.1.0/26")));
        var filter = Filter("f") with { ExportV4 = [new BgpFilterRule(FilterAction.Accept)] };
        Says(true, "BGPFilter/f exportV4[0]", Export(Of(Outside with { Filters = ["f"] }, filter, hidden), Ask.Static("192.168.1.0/26")));
    }

    [Theory]
    [InlineData(true, "vxlan.calico", false)]
    [InlineData(true, "wireguard.cali", false)]
    [InlineData(true, "tunl0", false)]
    [InlineData(true, "eth0", true)]
    [InlineData(false, "vxlan.calico", true)]
    [InlineData(false, "tunl0", true)]
    [InlineData(false, "bpfin.cali", false)]
    public void Routes_into_Felixs_tunnels_are_for_external_peers_only(bool inside, string device, bool announced) =>
        Assert.Equal(announced, Export(Of(inside ? Inside : Outside, Pods), Ask.Kernel("192.168.7.0/26", device)).Accepted);

    [Theory]
    [InlineData("3.31", null)]
    [InlineData("3.32", null)]
    [InlineData("3.33", ClusterRoutes.Enabled)]
    [InlineData("3.33", ClusterRoutes.EnabledIPIPOnly)]
    public void The_IPIP_tunnel_is_ours_where_the_resources_or_the_release_say_so(string release, ClusterRoutes? routes)
    {
        var cluster = Of(Inside, Pods, Global() with { NodeToNodeMeshEnabled = false, ProgramClusterRoutes = routes })
            .Seen(settings => settings with { Release = CalicoRelease.Named(release)! });
        Assert.True(Export(cluster, Ask.Kernel("192.168.7.0/26", "tunl0")).Accepted);
    }

    [Fact]
    public void A_block_goes_out_and_nothing_beneath_it_but_what_is_on_the_move()
    {
        var cluster = Of(Outside, Pods, Block("192.168.1.0/26"));
        Says(true, "own block", Export(cluster, Ask.Static("192.168.1.0/26")));
        Says(false, "inside an own block", Export(cluster, Ask.Kernel("192.168.1.5/32")));
        Says(true, "on the move out of an own block", Export(cluster, Ask.Kernel("192.168.1.5/32", metric: 512)));
        Says(true, Pods.Id.ToString(), Export(cluster, Ask.Kernel("192.168.2.5/32")));
    }

    [Fact]
    public void Until_3_31_nothing_moves_out_of_a_block() =>
        Assert.False(Export(Of(Outside, Pods, Block("192.168.1.0/26")).Seen(settings => settings with { Release = CalicoRelease.V331 }),
            Ask.Kernel("192.168.1.5/32", metric: 512)).Accepted);

    [Fact]
    public void The_affinitys_state_decides()
    {
        var cluster = Of(
            Outside, Pods, Block("192.168.1.0/26", AffinityState.None), Block("192.168.2.0/26", AffinityState.Pending),
            Block("192.168.3.0/26", AffinityState.PendingDeletion), Block("192.168.4.0/26") with { Deleted = true },
            Block("192.168.5.0/26") with { Type = AffinityType.Virtual }, Block("192.168.6.0/26", node: "b"), Block("192.168.7.1/32"));
        Assert.Equal(["192.168.1.0/26 Blackhole", "192.168.3.0/26 Blackhole"], cluster.RouteTexts());
        Says(false, "inside an own block", Export(cluster, Ask.Kernel("192.168.1.5/32")));
        Says(true, Pods.Id.ToString(), Export(cluster, Ask.Kernel("192.168.2.5/32")));
        Says(true, Pods.Id.ToString(), Export(cluster, Ask.Static("192.168.3.0/26")));
        Says(true, Pods.Id.ToString(), Export(cluster, Ask.Kernel("192.168.3.5/32")));
        Says(true, "own block", Export(cluster, Ask.Kernel("192.168.7.1/32")));
    }

    [Fact]
    public void A_block_in_a_block_is_judged_by_the_first()
    {
        var cluster = Of(Outside, Block("10.5.0.0/24"), Block("10.5.0.64/26"));
        Says(false, "inside an own block", Export(cluster, Ask.Static("10.5.0.64/26")));
    }

    [Fact]
    public void Communities_add_up_over_the_rules_and_a_nodes_list_takes_the_clusters_place()
    {
        var global = Global() with
        {
            NodeToNodeMeshEnabled = false,
            Communities = [new("big", Community("50:50:5364"))],
            PrefixAdvertisements = [new(Prefix.Parse("192.168.0.0/16"), ["5663:12", "big", "5663:12"]),
            new(Prefix.Parse("192.168.1.0/24"), ["1:1"]), new(Prefix.Parse("10.0.0.0/8"), ["9:9"])],
        };
        var cluster = Of(Outside, Pods, global);
        Assert.Equal(["5663:12", "1:1", "50:50:5364"], Export(cluster, Ask.Static("192.168.1.0/26")).Attributes!.Communities);
        var replaced = cluster.With(OwnConfiguration() with { PrefixAdvertisements = [new(Prefix.Parse("192.168.0.0/16"), ["7:7"])] });
        Assert.Equal(["7:7"], Export(replaced, Ask.Static("192.168.1.0/26")).Attributes!.Communities);
        Assert.Empty(Export(cluster.With(OwnConfiguration() with { PrefixAdvertisements = new ListOf<PrefixAdvertisement>([]) }),
            Ask.Static("192.168.1.0/26")).Attributes!.Communities);
        Assert.Equal(3, Export(cluster.With(OwnConfiguration() with { ListenPort = 180 }), Ask.Static("192.168.1.0/26"))
            .Attributes!.Communities.Count);
    }

    [Fact]
    public void A_service_range_takes_what_lies_in_it_from_any_source_unless_the_node_is_excluded()
    {
        var ranges = Global() with
        {
            NodeToNodeMeshEnabled = false,
            ServiceClusterIPs = [Prefix.Parse("10.96.0.0/12"), Prefix.Parse("fd00:96::/112")]
        };
        var cluster = Of(Outside, ranges);
        Assert.Equal(["10.96.0.0/12 Announced", "fd00:96::/112 Announced"], cluster.RouteTexts());
        Says(true, "service range 10.96.0.0/12", Export(cluster, Ask.Bgp("10.96.0.7/32")));
        var excluded = cluster.With(Node("a", "10.0.0.1/24", null, ("node.kubernetes.io/exclude-from-external-load-balancers", "true")));
        Assert.Empty(excluded.RouteTexts());
        Assert.False(Export(excluded, Ask.Bgp("10.96.0.7/32")).Accepted);
        Assert.Equal(["10.96.0.0/12", "fd00:96::/112"], excluded.Plan().RejectedFromKernel.Select(prefix => prefix.ToString()));
        var notQuite = cluster.With(Node("a", "10.0.0.1/24", null, ("node.kubernetes.io/exclude-from-external-load-balancers", "")));
        Assert.NotEmpty(notQuite.RouteTexts());
    }

    [Theory]
    [InlineData("3.32", "80.15.0.7/32", true)]
    [InlineData("3.32", "90.15.0.7/32", false)]
    [InlineData("3.33", "90.15.0.7/32", true)]
    [InlineData("3.33", "10.96.0.7/32", false)]
    public void A_reflector_hands_on_the_services_of_others(string release, string prefix, bool announced)
    {
        var global = Global() with
        {
            NodeToNodeMeshEnabled = false,
            ServiceLoadBalancerIPs = [Prefix.Parse("80.15.0.0/24")],
            ServiceExternalIPs = [Prefix.Parse("90.15.0.7/32")],
        };
        var reflector = Node("a", "10.0.0.1/24", null, (
            "node.kubernetes.io/exclude-from-external-load-balancers", "true")) with
        { RouteReflectorClusterId = new(7) };
        var cluster = Of(Outside, global, reflector).Seen(settings => settings with { Release = CalicoRelease.Named(release)! });
        Assert.Equal(announced, Ask.Of(cluster.Plan(), Ask.Bgp(prefix), "Global_192_0_2_1").Accepted);
    }

    [Fact]
    public void Every_pool_is_announced_whatever_it_is_for()
    {
        var pools = Of(
            Outside, Pool("10.1.0.0/16") with { VxlanMode = EncapsulationMode.Always }, Pool("10.2.0.0/16") with { Disabled = true },
            Pool("240.0.0.0/8"), Pool("10.3.0.0/16") with { AllowedUses = PoolUses.LoadBalancer });
        foreach (var prefix in (string[])["10.1.1.0/26", "10.2.1.0/26", "240.1.0.0/26", "10.3.0.1/32"]) Assert.True(
            Export(pools, Ask.Bgp(prefix)).Accepted, prefix);
    }

    private static CommunityValue Community(string text) =>
        CommunityValue.TryParse(text, out var value) ? value : throw new FormatException(text);
}
