using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker.Plan;
using static Calico.Bgp.Speaker.Tests.Plan.Cluster;

namespace Calico.Bgp.Speaker.Tests.Plan;

/// <summary>Which addresses of services this node announces one by one.</summary>
public class ServiceTests
{
    private static readonly BgpConfiguration Ranges = Global() with
    {
        NodeToNodeMeshEnabled = false,
        ServiceClusterIPs = [Prefix.Parse("10.96.0.0/12"), Prefix.Parse("fd00:96::/112")],
        ServiceExternalIPs = [Prefix.Parse("90.15.0.0/24"), Prefix.Parse("90.16.0.1/32")],
        ServiceLoadBalancerIPs = [Prefix.Parse("80.15.0.0/24"), Prefix.Parse("80.16.0.1/32")],
    };

    private static readonly Service Web = new(new Metadata("web", "default"))
    {
        Type = ServiceType.LoadBalancer,
        ExternalTrafficPolicy = TrafficPolicy.Local,
        ClusterIPs = [Address.Parse("10.96.0.7")],
        IpFamilies = [IpFamily.IPv4],
    };

    private static EndpointSlice Slice(string name, string node, bool? ready = true, IpFamily family = IpFamily.IPv4,
        string service = "web") =>
        new(new Metadata(name, "default") { Labels = Labelled((EndpointSlice.ServiceNameLabel, service)) })
        {
            AddressType = family == IpFamily.IPv4 ? EndpointAddressType.IPv4 : EndpointAddressType.IPv6,
            Endpoints = [new Endpoint([Address.Parse(family == IpFamily.IPv4 ? "192.168.1.5" : "fd00:10::5")], ready, null, null, node,
            null)],
        };

    private static string[] Announced(params ReadOnlySpan<Resource> objects) => Announced(Of([Ranges, .. objects]));
    private static string[] Announced(Cluster cluster) => [.. cluster.Planner().ServiceRoutes.Select(route => route.Prefix.ToString())];
    private static string[] Announced(Planner planner) => [.. planner.ServiceRoutes.Select(route => route.Prefix.ToString())];

    [Theory]
    [InlineData("a", true, true)]
    [InlineData("a", null, true)]
    [InlineData("a", false, false)]
    [InlineData("b", true, false)]
    public void Local_needs_a_ready_endpoint_here(string node, bool? ready, bool announced) =>
        Assert.Equal(announced ? ["10.96.0.7/32"] : [], Announced(Web, Slice("s", node, ready)));

    private static Endpoints Legacy(params IEnumerable<EndpointSlice> slices) =>
        new(new Metadata("web", "default")) { Slices = [.. slices] };

    /// <summary>As confd of these releases, which knew no slices.</summary>
    [Theory]
    [InlineData("3.31", true)]
    [InlineData("3.32", true)]
    [InlineData("3.33", false)]
    public void Endpoints_count_beside_slices_up_to_3_32(string release, bool announced)
    {
        PlanSettings As(PlanSettings settings) => settings with { Release = CalicoRelease.Named(release)! };
        string[] web = announced ? ["10.96.0.7/32"] : [];
        Assert.Equal(web, Announced(Of(Ranges, Web, Legacy(Slice("e", "a"))).Seen(As)));
        Assert.Equal(web, Announced(Of(Ranges, Web, Slice("s", "b"), Legacy(Slice("e", "a"))).Seen(As)));
        Assert.Empty(Announced(Of(Ranges, Web, Legacy(Slice("e", "a", ready: false))).Seen(As)));
        Assert.Empty(Announced(Of(Ranges, Web, Legacy(Slice("e", "b"))).Seen(As)));
        Assert.Equal(["10.96.0.7/32"], Announced(Of(Ranges, Web, Slice("s", "a"), Legacy()).Seen(As)));
    }

    [Fact]
    public void Here_is_the_nodes_name_in_Kubernetes() =>
        Assert.Equal(["10.96.0.7/32"], Announced(Of(Ranges, Web, Slice("s", "ip-10-0-0-1"))
            .Seen(settings => settings with { KubernetesNode = "ip-10-0-0-1" })));

    [Fact]
    public void One_of_several_slices_is_enough() =>
        Assert.Equal(["10.96.0.7/32"], Announced(Web, Slice("s1", "b"), Slice("s2", "a", false), Slice("s3", "a")));

    [Theory]
    [InlineData(TrafficPolicy.Cluster)]
    [InlineData(null)]
    public void Without_policy_Local_the_range_is_enough(TrafficPolicy? policy) =>
        Assert.Empty(Announced(Web with { ExternalTrafficPolicy = policy }, Slice("s", "a")));

    [Fact]
    public void External_and_load_balancer_addresses_must_lie_in_their_ranges_and_cluster_addresses_in_any() =>
        Assert.Equal(
            ["80.15.0.3/32", "90.15.0.3/32", "192.0.2.9/32"],
            Announced(Web with
            {
                ClusterIPs = [Address.Parse("192.0.2.9")],
                ExternalIPs = [Address.Parse("90.15.0.3"), Address.Parse("91.0.0.1")],
                LoadBalancerIngress = [Address.Parse("80.15.0.3"), Address.Parse("81.0.0.1")],
            }, Slice("s", "a")));

    [Fact]
    public void Without_ranges_of_cluster_addresses_none_is_announced() =>
        Assert.Empty(Announced(Of(Ranges with { ServiceClusterIPs = [] }, Web, Slice("s", "a"))));

    [Theory]
    [InlineData("80.16.0.1", null, true)]
    [InlineData(null, "80.16.0.1", true)]
    [InlineData(null, "80.15.0.1", false)]
    public void Policy_Cluster_is_announced_from_everywhere_where_the_address_is_named_by_itself(
        string? asked, string? given, bool announced)
    {
        var service = Web with
        {
            ExternalTrafficPolicy = TrafficPolicy.Cluster,
            LoadBalancerIP = asked == null ? null : Address.Parse(asked),
            LoadBalancerIngress = given == null ? [] : [Address.Parse(given)],
        };
        Assert.Equal(announced, Announced(service, Slice("s", "b", ready: false)).Contains("10.96.0.7/32"));
    }

    [Fact]
    public void A_single_external_address_works_for_every_type() =>
        Assert.Contains("90.16.0.1/32", Announced(Web with
        {
            Type = ServiceType.NodePort,
            ExternalTrafficPolicy = TrafficPolicy.Cluster,
            ExternalIPs = [Address.Parse("90.16.0.1")]
        }, Slice("s", "b")));

    [Fact]
    public void A_single_address_that_nests_in_a_range_counts()
    {
        var nested = Ranges with { ServiceLoadBalancerIPs = [Prefix.Parse("80.15.0.0/24"), Prefix.Parse("80.15.0.100/32")] };
        var service = Web with { ExternalTrafficPolicy = TrafficPolicy.Cluster, LoadBalancerIngress = [Address.Parse("80.15.0.100")] };
        Assert.Contains("80.15.0.100/32", Announced(Of(nested, service, Slice("s", "b"))));
    }

    [Fact]
    public void With_aggregation_off_every_service_is_looked_at_and_its_cluster_address_goes_along()
    {
        var off = Ranges with { ServiceLoadBalancerAggregation = Aggregation.Disabled };
        var service = Web with { ExternalTrafficPolicy = TrafficPolicy.Cluster, LoadBalancerIngress = [Address.Parse("80.15.0.3")] };
        Assert.Equal(["10.96.0.7/32", "80.15.0.3/32"], Announced(Of(off, service, Slice("s", "b"))));
        Assert.Empty(Announced(Of(off, service, Slice("s", "b", ready: false))));
        Assert.Equal(["10.96.0.7/32"], Announced(Of(off, Web with { Type = ServiceType.ClusterIP, ExternalTrafficPolicy = null },
            Slice("s", "b"))));
    }

    [Fact]
    public void A_family_is_announced_where_it_has_endpoints()
    {
        var both = Web with
        {
            ClusterIPs = [Address.Parse("10.96.0.7"), Address.Parse("fd00:96::7")],
            IpFamilies = [IpFamily.IPv4, IpFamily.IPv6]
        };
        Assert.Equal(["10.96.0.7/32"], Announced(both, Slice("s", "a")));
        Assert.Equal(["fd00:96::7/128"], Announced(both, Slice("s", "a", family: IpFamily.IPv6)));
        Assert.Equal(["10.96.0.7/32", "fd00:96::7/128"], Announced(both, Slice("s", "a"), Slice("s6", "a", family: IpFamily.IPv6)));
        Assert.Empty(Announced(Web, Slice("s", "a", family: IpFamily.IPv6)));
    }

    [Fact]
    public void An_excluded_node_announces_no_service() =>
        Assert.Empty(Announced(Web, Slice("s", "a"), Node(
            "a", "10.0.0.1/24", null, ("node.kubernetes.io/exclude-from-external-load-balancers", "true"))));

    [Theory]
    [InlineData(ServiceType.ExternalName, false)]
    [InlineData(ServiceType.ClusterIP, true)]
    public void A_headless_service_or_a_name_has_nothing_to_announce(ServiceType type, bool headless) =>
        Assert.Empty(Announced(Web with { Type = type, Headless = headless, ClusterIPs = headless ? [] : Web.ClusterIPs },
            Slice("s", "a")));

    [Fact]
    public void Readiness_flips_there_and_back()
    {
        var (up, down) = (Of(Ranges, Web, Slice("s", "a")), Of(Ranges, Web, Slice("s", "a", ready: false)));
        var planner = up.Planner();
        Assert.Equal([new ServiceMove(Prefix.Parse("10.96.0.7/32"), false, 0)], planner.Apply(up.To(down)).Moves.ToArray());
        Assert.Equal([new ServiceMove(Prefix.Parse("10.96.0.7/32"), true, 1)], planner.Apply(down.To(up)).Moves.ToArray());
        Assert.Empty(planner.Apply(up.To(up.With(Slice("s", "a") with { Ports = [new("http", ServiceProtocol.TCP, 80, 0)] }))).Moves);
    }

    [Fact]
    public void The_last_slice_that_goes_takes_the_address_along_whatever_its_name()
    {
        var before = Of(Ranges, Web, Slice("web-x7k2p", "a"));
        var planner = before.Planner();
        var step = planner.Apply(before.To(before.Without(Slice("web-x7k2p", "a"))));
        Assert.Equal([new ServiceMove(Prefix.Parse("10.96.0.7/32"), false, 0)], step.Moves.ToArray());
        Assert.Empty(Announced(planner));
    }

    [Fact]
    public void A_slice_named_like_another_service_does_not_touch_it()
    {
        var other = Web with { Metadata = new("other", "default"), ClusterIPs = [Address.Parse("10.96.0.8")] };
        var before = Of(Ranges, Web, other, Slice("other", "a"), Slice("s2", "a", service: "other"));
        var planner = before.Planner();
        planner.Apply(before.To(before.Without(Slice("other", "a"))));
        Assert.Equal(["10.96.0.8/32"], Announced(planner));
    }

    [Fact]
    public void A_slice_that_moves_to_another_service_is_gone_from_the_first()
    {
        var other = Web with { Metadata = new("other", "default"), ClusterIPs = [Address.Parse("10.96.0.8")] };
        var before = Of(Ranges, Web, other, Slice("s", "a"));
        var planner = before.Planner();
        planner.Apply(before.To(before.With(Slice("s", "a", service: "other"))));
        Assert.Equal(["10.96.0.8/32"], Announced(planner));
    }

    [Fact]
    public void A_service_that_becomes_a_name_or_loses_its_policy_withdraws()
    {
        var before = Of(Ranges, Web, Slice("s", "a"));
        foreach (var changed in (Service[])[Web with { Type = ServiceType.ExternalName },
            Web with { ExternalTrafficPolicy = TrafficPolicy.Cluster }, Web with { ClusterIPs = [] }])
        {
            var planner = before.Planner();
            planner.Apply(before.To(before.With(changed)));
            Assert.Empty(Announced(planner));
        }
    }

    [Fact]
    public void An_address_of_two_services_is_announced_while_one_of_them_wants_it()
    {
        var shared = Web with { ExternalIPs = [Address.Parse("90.15.0.3")] };
        var other = shared with { Metadata = new("other", "default"), ClusterIPs = [Address.Parse("10.96.0.8")] };
        var before = Of(Ranges, shared, other, Slice("s", "a"), Slice("s2", "a", service: "other"));
        var planner = before.Planner();
        var one = before.Without(shared);
        Assert.DoesNotContain(planner.Apply(before.To(one)).Moves, move => move.Prefix == Prefix.Parse("90.15.0.3/32") && !move.Announced);
        Assert.Equal(["10.96.0.8/32", "90.15.0.3/32"], Announced(planner));
        planner.Apply(one.To(one.Without(other)));
        Assert.Empty(Announced(planner));
    }

    [Fact]
    public void Slices_may_come_before_their_service()
    {
        var (nothing, slice) = (Of(Ranges), Of(Ranges, Slice("s", "a")));
        var planner = nothing.Planner();
        planner.Apply(nothing.To(slice));
        Assert.Equal([new ServiceMove(Prefix.Parse("10.96.0.7/32"), true, 1)], planner.Apply(slice.To(slice.With(Web))).Moves.ToArray());
    }

    [Fact]
    public void A_service_alone_leaves_the_plan_as_it_is()
    {
        var before = Of(Ranges, Peer("tor", "192.0.2.1", 65001), Web, Slice("s", "a"));
        var planner = before.Planner();
        var plan = planner.Plan;
        Assert.Null(planner.Apply(before.To(before.With(Slice("s", "b")))).Plan);
        Assert.Same(plan, planner.Plan);
    }

    [Fact]
    public void Ranges_that_come_and_go_take_addresses_along()
    {
        var (none, some) = (Of(Global(), Web, Slice("s", "a")), Of(Ranges, Web, Slice("s", "a")));
        var planner = none.Planner();
        Assert.Equal([new ServiceMove(Prefix.Parse("10.96.0.7/32"), true, 1)], planner.Apply(none.To(some)).Moves.ToArray());
        Assert.Equal([new ServiceMove(Prefix.Parse("10.96.0.7/32"), false, 0)], planner.Apply(some.To(none)).Moves.ToArray());
    }

    [Fact]
    public void An_announced_address_passes_the_chain_and_stays_out_of_the_kernels_way_only_inside_a_range()
    {
        var cluster = Of(Ranges, Peer("tor", "192.0.2.1", 65001), Web with { ClusterIPs = [Address.Parse("192.0.2.77")] }, Slice("s", "a"));
        var planner = cluster.Planner();
        Assert.Equal("service address", Ask.OfPeer(planner.Plan, Ask.Static("192.0.2.77/32")).Rule);
        planner.Apply(cluster.To(cluster.With(Slice("s", "b"))));
        Assert.False(Ask.OfPeer(planner.Plan, Ask.Static("192.0.2.77/32")).Accepted);
    }

    [Fact]
    public void Advertise_withholds_from_the_peers_that_it_names_what_it_does_not_select()
    {
        var labelled = Web with
        {
            Metadata = new("shop", "default") { Labels = Labelled(("tier", "public")) },
            ClusterIPs = [Address.Parse("10.96.0.8")]
        };
        var cluster = Of(
            Ranges with { ServiceClusterIPs = [Prefix.Parse("10.96.0.0/16")] }, Peer("tor", "192.0.2.1", 65001),
            Peer("fw", "192.0.2.2", 65002),
            Web, labelled, Slice("s", "a"), Slice("s2", "a", service: "shop")).Seen(settings => settings with
            {
                Advertise = [new AdvertiseRule(Selector.Parse("tier == 'public'"), ["Global_192_0_2_2"])],
            });
        var planner = cluster.Planner();
        bool Hears(string peer, string prefix) => Ask.Of(planner.Plan, Ask.Static(prefix), peer).Accepted;
        Assert.Equal((true, true), (Hears("Global_192_0_2_1", "10.96.0.7/32"), Hears("Global_192_0_2_1", "10.96.0.8/32")));
        Assert.Equal((false, true), (Hears("Global_192_0_2_2", "10.96.0.7/32"), Hears("Global_192_0_2_2", "10.96.0.8/32")));
        planner.Apply(cluster.To(cluster.With(labelled with { Metadata = new("shop", "default") })));
        Assert.False(Hears("Global_192_0_2_2", "10.96.0.8/32"));
    }

    [Fact]
    public void Each_address_says_why()
    {
        var verdict = Of(Ranges, Web with { ExternalIPs = [Address.Parse("91.0.0.1")] }, Slice("s", "b")).Planner()
            .VerdictOf(new("default", "web"))!;
        Assert.Equal(["no ready ipv4 endpoint on this node", "outside of serviceExternalIPs"],
            verdict.Addresses.Select(address => address.Reason));
        Assert.Null(Of(Ranges).Planner().VerdictOf(new("default", "web")));
    }
}
