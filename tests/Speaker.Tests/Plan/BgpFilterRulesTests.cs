using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker.Plan;
using static Calico.Bgp.Speaker.Tests.Plan.Cluster;

namespace Calico.Bgp.Speaker.Tests.Plan;

/// <summary>BGPFilter: each condition, each operation, and how filters follow one another.</summary>
public class BgpFilterRulesTests
{
    private const uint Most = int.MaxValue;
    private static readonly BgpFilterRule Reject = new(FilterAction.Reject), Accept = new(FilterAction.Accept);

    private static Cluster Exporting(params ReadOnlySpan<BgpFilterRule> rules) =>
        Filtering(64512, Filter("f") with { ExportV4 = [.. rules] });
    private static Cluster Filtering(uint asNumber, params ReadOnlySpan<Resource> filters)
    {
        var names = new List<string>();
        foreach (var filter in filters) names.Add(filter.Name);
        return Of([Peer("tor", "192.0.2.1", asNumber) with { Filters = [.. names] }, .. filters]);
    }

    private static ProbeAnswer Ask1(Cluster cluster, Probe probe) => Ask.OfPeer(cluster.Plan(), probe);

    private static BgpFilterRule Cidr(FilterMatchOperator matches, string cidr, int? min = null, int? max = null) => Accept with
    {
        Cidr = Prefix.Parse(cidr),
        MatchOperator = matches,
        PrefixLengthMin = min,
        PrefixLengthMax = max,
        HasPrefixLength = min != null || max != null,
    };

    [Theory]
    [InlineData(FilterMatchOperator.Equal, "77.0.0.0/16", true)]
    [InlineData(FilterMatchOperator.Equal, "77.0.1.0/24", false)]
    [InlineData(FilterMatchOperator.NotEqual, "77.0.0.0/16", false)]
    [InlineData(FilterMatchOperator.NotEqual, "77.0.1.0/24", true)]
    [InlineData(FilterMatchOperator.In, "77.0.0.0/16", true)]
    [InlineData(FilterMatchOperator.In, "77.0.1.0/24", true)]
    [InlineData(FilterMatchOperator.In, "77.0.0.0/15", false)]
    [InlineData(FilterMatchOperator.NotIn, "77.0.1.0/24", false)]
    [InlineData(FilterMatchOperator.NotIn, "78.0.0.0/16", true)]
    public void A_prefix_is_equal_inside_or_not(FilterMatchOperator matches, string prefix, bool accepted) =>
        Assert.Equal(accepted, Ask1(Exporting(Cidr(matches, "77.0.0.0/16"), Reject), Ask.Static(prefix)).Accepted);

    [Theory]
    [InlineData(FilterMatchOperator.In, null, 24, "77.0.0.0/16", true)]
    [InlineData(FilterMatchOperator.In, null, 24, "77.0.0.0/25", false)]
    [InlineData(FilterMatchOperator.In, 20, null, "77.0.0.0/19", false)]
    [InlineData(FilterMatchOperator.In, 20, null, "77.0.0.1/32", true)]
    [InlineData(FilterMatchOperator.In, 8, 12, "77.0.0.0/16", false)]
    [InlineData(FilterMatchOperator.NotIn, 24, 24, "77.0.1.0/24", false)]
    [InlineData(FilterMatchOperator.NotIn, 24, 24, "77.0.1.0/25", true)]
    public void Lengths_narrow_it(FilterMatchOperator matches, int? min, int? max, string prefix, bool accepted) =>
        Assert.Equal(accepted, Ask1(Exporting(Cidr(matches, "77.0.0.0/16", min, max), Reject), Ask.Static(prefix)).Accepted);

    [Fact]
    public void Remote_peers_are_any_peer()
    {
        var cluster = Exporting(Accept with { Source = FilterSource.RemotePeers }, Reject);
        Assert.True(Ask1(cluster, Ask.Bgp("77.0.0.0/16")).Accepted);
        Assert.False(Ask1(cluster, Ask.Static("77.0.0.0/16")).Accepted);
    }

    [Theory]
    [InlineData("eth*", "eth0", true)]
    [InlineData("eth*", "ens3", false)]
    [InlineData("vxlan.*", "vxlan.calico", true)]
    [InlineData("*", null, false)]
    public void A_route_without_interface_fits_no_pattern(string pattern, string? device, bool accepted) =>
        Assert.Equal(accepted, Ask1(Exporting(Accept with { Interface = pattern }, Reject),
            Ask.Static("77.0.0.0/16") with { Interface = device }).Accepted);

    [Theory]
    [InlineData(64512u, FilterPeerType.iBGP, true)]
    [InlineData(64512u, FilterPeerType.eBGP, false)]
    [InlineData(65001u, FilterPeerType.eBGP, true)]
    public void A_rule_may_be_for_one_kind_of_peer(uint asNumber, FilterPeerType type, bool accepted) =>
        Assert.Equal(accepted, Ask1(Filtering(asNumber, Filter("f") with { ExportV4 = [Accept with { PeerType = type }, Reject] }),
            Ask.Static("77.0.0.0/16")).Accepted);

    [Theory]
    [InlineData("65000:100", true)]
    [InlineData("65000:1:2", true)]
    [InlineData("65000:101", false)]
    public void A_community_is_one_of_the_routes(string wanted, bool accepted)
    {
        Assert.True(CommunityValue.TryParse(wanted, out var value));
        var probe = Ask.Bgp("77.0.0.0/16") with { Communities = [Pattern("65000:100"), Pattern("65000:1:2")] };
        Assert.Equal(accepted, Ask1(Exporting(Accept with { Community = value }, Reject), probe).Accepted);
    }

    [Theory]
    [InlineData(true, 65000u, 65001u, 65002u)]
    [InlineData(true, 65000u, 65001u)]
    [InlineData(false, 65000u)]
    [InlineData(false, 65002u, 65000u, 65001u)]
    public void A_path_begins_with_what_is_named(bool accepted, params uint[] path) =>
        Assert.Equal(accepted, Ask1(
            Exporting(Accept with { AsPathPrefix = [new Asn(65000), new Asn(65001)] }, Reject),
            Ask.Bgp("77.0.0.0/16") with { AsPath = [.. path.Select(number => new Asn(number))] }).Accepted);

    [Fact]
    public void A_priority_is_the_metric_that_LOCAL_PREF_stands_for()
    {
        var cluster = Exporting(Accept with { Priority = 512 }, Reject);
        Assert.True(Ask1(cluster, Ask.Bgp("77.0.0.0/16", localPref: Most - 512)).Accepted);
        Assert.True(Ask1(cluster, Ask.Kernel("77.0.0.1/32", metric: 512)).Accepted);
        Assert.False(Ask1(cluster, Ask.Kernel("77.0.0.1/32")).Accepted);
    }

    [Fact]
    public void All_conditions_of_a_rule_must_hold()
    {
        var cluster = Exporting(Cidr(FilterMatchOperator.In, "77.0.0.0/16") with { Source = FilterSource.RemotePeers }, Reject);
        Assert.True(Ask1(cluster, Ask.Bgp("77.0.1.0/24")).Accepted);
        Assert.False(Ask1(cluster, Ask.Static("77.0.1.0/24")).Accepted);
        Assert.False(Ask1(cluster, Ask.Bgp("78.0.1.0/24")).Accepted);
    }

    [Fact]
    public void Operations_are_carried_out_in_order_and_a_path_begins_as_written()
    {
        var rule = Accept with
        {
            Operations =
            [
                new BgpFilterOperation.AddCommunity(new(new Community(65000, 100), null)),
                new BgpFilterOperation.PrependAsPath([new Asn(1), new Asn(2)]),
                new BgpFilterOperation.PrependAsPath([new Asn(3)]), new BgpFilterOperation.SetPriority(100),
                new BgpFilterOperation.SetPriority(200),
            ],
        };
        var attributes = Ask1(Exporting(rule), Ask.Bgp("77.0.0.0/16") with { AsPath = [new Asn(9)] }).Attributes!;
        Assert.Equal([3u, 1u, 2u, 9u], attributes.AsPath.Select(number => number.Value));
        Assert.Equal(["65000:100"], attributes.Communities);
        Assert.Equal(Most - 200, attributes.LocalPref);
    }

    [Fact]
    public void The_first_rule_that_matches_ends_all_and_filters_follow_in_their_order()
    {
        var (first, second) = (Filter("a") with { ExportV4 = [Cidr(FilterMatchOperator.In, "77.0.0.0/16")] },
            Filter("b") with { ExportV4 = [Reject] });
        Assert.Equal("BGPFilter/a exportV4[0]", Ask1(Filtering(64512, first, second), Ask.Static("77.0.0.0/16")).Rule);
        Assert.Equal("BGPFilter/b exportV4[0]", Ask1(Filtering(64512, first, second), Ask.Static("78.0.0.0/16")).Rule);
        Assert.Equal("BGPFilter/b exportV4[0]", Ask1(Filtering(64512, second, first), Ask.Static("77.0.0.0/16")).Rule);
    }

    [Fact]
    public void A_route_that_no_rule_matches_goes_on_to_Calicos_own_part() =>
        Assert.Equal("IPPool/pool-78-0-0-0-16", Ask1(Exporting(Cidr(FilterMatchOperator.In, "77.0.0.0/16")).With(Pool("78.0.0.0/16")),
            Ask.Static("78.0.0.0/16")).Rule);

    [Fact]
    public void On_the_way_in_a_rejected_route_reaches_nobody_and_another_is_accepted()
    {
        var filter = Filter("f") with
        {
            ImportV4 = [Reject with { Cidr = Prefix.Parse("44.1.0.0/16"),
            MatchOperator = FilterMatchOperator.In }]
        };
        var plan = Filtering(65001, filter).Plan();
        var probe = Ask.Bgp("44.1.0.0/16", localPref: null) with { FromPeer = "Global_192_0_2_1" };
        Assert.Equal((false, "import from Global_192_0_2_1: BGPFilter/f importV4[0]"),
            (Ask.OfKernel(plan, probe).Accepted, Ask.OfKernel(plan, probe).Rule));
        Assert.True(Ask.OfKernel(plan, probe with { Prefix = Prefix.Parse("44.2.0.0/16") }).Accepted);
    }

    [Fact]
    public void A_priority_set_on_the_way_in_is_the_kernels_metric()
    {
        var filter = Filter("f") with { ImportV4 = [Accept with { Operations = [new BgpFilterOperation.SetPriority(100)] }] };
        var probe = Ask.Bgp("44.1.0.0/16", localPref: null) with { FromPeer = "Global_192_0_2_1" };
        Assert.Equal(100u, Ask.OfKernel(Filtering(65001, filter).Plan(), probe).Attributes!.Metric);
    }

    [Fact]
    public void A_family_has_its_own_rules()
    {
        var filter = Filter("f") with { ExportV4 = [Reject], ImportV6 = [Accept] };
        var cluster = Of(filter, Peer("tor", "192.0.2.1", 65001) with { Filters = ["f"] },
            Peer("tor6", "2001:db8::1", 65001) with { Filters = ["f"] });
        Assert.Equal([(0, 1), (1, 0)], cluster.Plan().Peers.Select(peer => (peer.ImportFilters.Count, peer.ExportFilters.Count)));
    }

    private static CommunityPattern Pattern(string text) =>
        CommunityPattern.TryParse(text.Count(':') == 2 ? CommunityKind.Large : CommunityKind.Standard, text, out var patterns) ? patterns[0]
            : throw new FormatException(text);
}
