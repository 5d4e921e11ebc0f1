using Calico.Bgp.Conformance.Golden;
using static Calico.Bgp.Conformance.Traps.Given;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Traps;

/// <summary>Which service addresses node1 announces, and that none of them becomes a blackhole there.</summary>
public class ServiceTests
{
    private const string Ranges = """
        nodeToNodeMeshEnabled: false, serviceClusterIPs: [{ cidr: 10.96.0.0/12 }],
        serviceExternalIPs: [{ cidr: 203.0.113.0/24 }, { cidr: 198.51.100.7/32 }, {}],
        serviceLoadBalancerIPs: [{ cidr: 80.15.0.0/24 }, { cidr: 80.16.0.9/32 }]
        """;

    private const string Wide = "10.96.0.0/12 203.0.113.0/24 80.15.0.0/24";

    private static Given Cluster(params Manifest[] more) =>
        Given.Pair([Configuration(Ranges), Peer("tor", "peerIP: 192.0.2.1, asNumber: 65001"), .. more]);

    private static string With(params string[] more) => string.Join(' ', Wide.Split(' ').Concat(more).Order(StringComparer.Ordinal));

    [NeedsFact(Needs.Bgpctl)]
    public async Task Ranges_are_announced_without_any_service_and_kept_out_of_the_kernel()
    {
        var plan = await Cluster().PlanAsync();
        Assert.Equal(With(), string.Join(' ', plan.Routes.Select(route => route.Prefix).Order(StringComparer.Ordinal)));
        Assert.Equal(With(), string.Join(' ', plan.RejectedFromKernel.Order(StringComparer.Ordinal)));
        Assert.All(plan.Routes, route => Assert.NotEqual("blackhole", route.Type));
        Assert.Equal("accept", await Cluster().VerdictAsync("Global_192_0_2_1", Static("10.96.0.0/12")));
        Assert.Equal("reject", await Cluster().VerdictAsync("kernel", Learned("10.96.0.0/12")));
        Assert.Equal("reject", await Cluster().VerdictAsync("kernel", Learned("10.96.5.5/32")));
    }

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("node1", true, true)]
    [InlineData("node1", null, true)]      // nothing said counts as ready
    [InlineData("node1", false, false)]
    [InlineData("node2", true, false)]
    public async Task Local_services_are_announced_where_their_endpoints_are(string node, bool? ready, bool announced) =>
        Assert.Equal(announced ? With("10.96.0.10/32", "203.0.113.5/32") : With(), await Cluster(
            Service("web", "type: NodePort, externalTrafficPolicy: Local, clusterIP: 10.96.0.10, externalIPs: [203.0.113.5, 192.0.2.77]"),
            Slice("web-1", "web", "IPv4", (node, ready))).RoutesAsync());

    [NeedsFact(Needs.Bgpctl)]
    public async Task Cluster_services_are_in_the_ranges_already() =>
        Assert.Equal(With(), await Cluster(Service("web", "type: LoadBalancer, externalTrafficPolicy: Cluster, clusterIP: 10.96.0.10",
            "80.15.0.5"), Slice("web-1", "web", "IPv4", ("node1", true))).RoutesAsync());

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("externalIPs: [198.51.100.7]", "", "10.96.0.10/32", "198.51.100.7/32")]
    [InlineData("loadBalancerIP: 80.16.0.9", "80.16.0.9", "10.96.0.10/32", "80.16.0.9/32")]
    [InlineData("", "80.16.0.9", "10.96.0.10/32", "80.16.0.9/32")]            // known by its status alone
    public async Task A_single_address_entry_announces_cluster_services_from_every_node(string fields, string balancer,
        params string[] announced) =>
        Assert.Equal(With(announced), await Cluster(
            Service("web",
            $"type: LoadBalancer, externalTrafficPolicy: Cluster, clusterIP: 10.96.0.10{(fields.Length > 0 ? ", " : "")}{fields}",
            [.. balancer.Split(' ', StringSplitOptions.RemoveEmptyEntries)]),
            Slice("web-1", "web", "IPv4", ("node2", true))).RoutesAsync());

    [NeedsFact(Needs.Bgpctl)]
    public async Task Without_aggregation_each_service_speaks_for_itself()
    {
        var given = Cluster(Configuration(Ranges + ", serviceLoadBalancerAggregation: Disabled"),
            Service("web", "type: LoadBalancer, externalTrafficPolicy: Cluster, clusterIP: 10.96.0.10", "80.15.0.5"),
                Slice("web-1", "web", "IPv4", ("node2", true)),
            Service("idle", "type: LoadBalancer, externalTrafficPolicy: Cluster, clusterIP: 10.96.0.11", "80.15.0.6"),
                Slice("idle-1", "idle", "IPv4", ("node2", false)));
        Assert.Equal("10.96.0.0/12 10.96.0.10/32 203.0.113.0/24 80.15.0.5/32", await given.RoutesAsync());
    }

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("'true'", false)]
    [InlineData("'false'", true)]
    public async Task An_excluded_node_announces_no_service_and_keeps_the_ranges_out_of_its_kernel(string label, bool announces)
    {
        var given = Cluster(Node("node1", "10.0.0.1/24", labels: $"{{ node.kubernetes.io/exclude-from-external-load-balancers: {label} }}"),
            Service("web", "type: NodePort, externalTrafficPolicy: Local, clusterIP: 10.96.0.10"),
                Slice("web-1", "web", "IPv4", ("node1", true)));
        Assert.Equal(announces ? With("10.96.0.10/32") : "", await given.RoutesAsync());
        Assert.Equal(With(), string.Join(' ', (await given.PlanAsync()).RejectedFromKernel.Order(StringComparer.Ordinal)));
    }

    [NeedsTheory(Needs.Bgpctl)]
    [InlineData("type: ClusterIP, clusterIP: 10.96.0.10")]
    [InlineData("type: ExternalName, externalName: example.org")]
    [InlineData("type: ClusterIP, clusterIP: None")]
    public async Task What_is_no_service_of_the_outside_is_not_announced(string spec) =>
        Assert.Equal(With(), await Cluster(Service("web", spec), Slice("web-1", "web", "IPv4", ("node1", true))).RoutesAsync());

    [NeedsFact(Needs.Bgpctl)]
    public async Task Two_services_share_an_address_and_one_of_them_is_enough()
    {
        var given = Cluster(
            Service("one", "type: NodePort, externalTrafficPolicy: Local, clusterIP: 10.96.0.10, externalIPs: [203.0.113.5]"),
            Slice("one-1", "one", "IPv4", ("node2", true)),
            Service("two", "type: NodePort, externalTrafficPolicy: Local, clusterIP: 10.96.0.11, externalIPs: [203.0.113.5]"),
                Slice("two-1", "two", "IPv4", ("node1", true)));
        Assert.Equal(With("10.96.0.11/32", "203.0.113.5/32"), await given.RoutesAsync());
    }

    [NeedsFact(Needs.Bgpctl)]
    public async Task Any_slice_with_a_ready_endpoint_here_is_enough() =>
        Assert.Equal(With("10.96.0.10/32"), await Cluster(Service("web",
            "type: NodePort, externalTrafficPolicy: Local, clusterIP: 10.96.0.10"),
            Slice("web-1", "web", "IPv4", ("node2", true)), Slice("web-2", "web", "IPv4", ("node1", false), ("node1", true)))
                .RoutesAsync());

    [NeedsFact(Needs.Bgpctl)]
    public async Task Slices_of_the_other_family_do_not_count() =>
        Assert.Equal(With(), await Cluster(Service("web",
            "type: NodePort, externalTrafficPolicy: Local, clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], ipFamilies: [IPv4]"),
            Slice("web-1", "web", "IPv6", ("node1", true))).RoutesAsync());

    [NeedsFact(Needs.Bgpctl)]
    public async Task A_reflector_hands_on_what_others_announce_of_external_ranges()
    {
        var given = Cluster(Node("node1", "10.0.0.1/24", bgp: "routeReflectorClusterID: 224.0.0.1"));
        Assert.Equal("accept", await given.VerdictAsync("Global_192_0_2_1", Learned("80.16.0.9/32")));
        Assert.Equal("accept", await given.VerdictAsync("Global_192_0_2_1", Learned("198.51.100.7/32")));
        Assert.Equal("reject", await (given with { Compat = "3.32" }).VerdictAsync("Global_192_0_2_1", Learned("198.51.100.7/32")));
        Assert.Equal("reject", await Cluster().VerdictAsync("Global_192_0_2_1", Learned("80.16.0.9/32")));
    }
}
