using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker.Plan;
using static Calico.Bgp.Speaker.Tests.Plan.Cluster;

namespace Calico.Bgp.Speaker.Tests.Plan;

/// <summary>What the kernel gets, with which metric, and through which tunnel.</summary>
public class KernelRulesTests
{
    private const uint Most = int.MaxValue;

    private static Probe Learned(string prefix, string nextHop = "10.0.0.2", uint localPref = Most - 1024) =>
        Ask.Bgp(prefix, localPref) with { NextHop = Address.Parse(nextHop) };

    private static Cluster Owning(ClusterRoutes routes, params ReadOnlySpan<Resource> more) =>
        Of([Global() with { NodeToNodeMeshEnabled = false, ProgramClusterRoutes = routes }, .. more]);

    private static IPPool Ipip(EncapsulationMode mode) => Pool("192.168.0.0/16") with { IpipMode = mode };

    [Theory]
    [InlineData(ClusterRoutes.Enabled, true, true)]
    [InlineData(ClusterRoutes.EnabledIPIPOnly, true, false)]
    [InlineData(ClusterRoutes.EnabledNoEncapOnly, false, true)]
    [InlineData(ClusterRoutes.Disabled, false, false)]
    public void Each_encapsulation_has_its_owner(ClusterRoutes routes, bool ipip, bool noEncap)
    {
        var cluster = Owning(routes, Ipip(EncapsulationMode.Always), Pool("172.17.0.0/16"), Pool("fd00:10::/64"),
            Pool("10.9.0.0/16") with { VxlanMode = EncapsulationMode.Always });
        Assert.Equal(ipip, Ask.OfKernel(cluster.Plan(), Learned("192.168.1.0/26")).Accepted);
        Assert.Equal(noEncap, Ask.OfKernel(cluster.Plan(), Learned("172.17.1.0/26")).Accepted);
        Assert.Equal(noEncap, Ask.OfKernel(cluster.Plan(), Learned("fd00:10::/122", "fd00::2")).Accepted);
        Assert.False(Ask.OfKernel(cluster.Plan(), Learned("10.9.1.0/26")).Accepted);
    }

    [Fact]
    public void IPIP_goes_through_its_tunnel_and_between_subnets_only_where_it_says_so()
    {
        var always = Owning(ClusterRoutes.Enabled, Ipip(EncapsulationMode.Always)).Plan();
        Assert.Equal("tunl0", Ask.OfKernel(always, Learned("192.168.1.0/26")).Attributes!.Tunnel);
        var across = Owning(ClusterRoutes.Enabled, Ipip(EncapsulationMode.CrossSubnet)).Plan();
        Assert.Null(Ask.OfKernel(across, Learned("192.168.1.0/26", "10.0.0.2")).Attributes!.Tunnel);
        Assert.Equal("tunl0", Ask.OfKernel(across, Learned("192.168.1.0/26", "10.0.1.2")).Attributes!.Tunnel);
        Assert.Equal("tunl0", Ask.OfKernel(across, Ask.Bgp("192.168.1.0/26")).Attributes!.Tunnel);
    }

    [Theory]
    [InlineData("3.31", true)]
    [InlineData("3.32", true)]
    [InlineData("3.33", false)]
    public void The_release_says_who_owns_IPIP_where_nobody_does(string release, bool ours)
    {
        var cluster = Of(Ipip(EncapsulationMode.Always)).Seen(settings => settings with { Release = CalicoRelease.Named(release)! });
        Assert.Equal(ours, Ask.OfKernel(cluster.Plan(), Learned("192.168.1.0/26")).Accepted);
    }

    [Fact]
    public void Until_3_31_nobody_asks_BGPConfiguration_whose_routes_they_are() =>
        Assert.True(Ask.OfKernel(Owning(ClusterRoutes.Disabled, Pool("172.17.0.0/16"))
            .Seen(settings => settings with { Release = CalicoRelease.V331 }).Plan(), Learned("172.17.1.0/26")).Accepted);

    [Fact]
    public void Without_an_IPv4_network_of_its_own_a_node_writes_all() =>
        Assert.True(Ask.OfKernel(Of(Node("a", null, "fd00::1/64"), Pool("10.9.0.0/16") with { VxlanMode = EncapsulationMode.Always })
            .Plan(), Learned("10.9.1.0/26")).Accepted);

    [Theory]
    [InlineData("3.33", Most - 512, 512u)]
    [InlineData("3.33", 100u, Most - 100)]
    [InlineData("3.31", 100u, null)]
    public void A_learned_routes_metric_is_that_of_its_LOCAL_PREF(string release, uint localPref, uint? metric)
    {
        var plan = Of().Seen(settings => settings with { Release = CalicoRelease.Named(release)! }).Plan();
        Assert.Equal(metric, Ask.OfKernel(plan, Learned("203.0.113.0/24", localPref: localPref)).Attributes!.Metric);
        Assert.Null(Ask.OfKernel(plan, Ask.Static("203.0.113.0/24")).Attributes!.Metric);
    }

    [Fact]
    public void Service_ranges_stay_out_and_single_addresses_are_not_ranges()
    {
        var plan = Of(Global() with
        {
            ServiceClusterIPs = [Prefix.Parse("10.96.0.0/12")],
            ServiceExternalIPs = [Prefix.Parse("90.15.0.0/24"), Prefix.Parse("90.16.0.1/32")],
            ServiceLoadBalancerIPs = [Prefix.Parse("80.15.0.0/24")],
        }).Plan();
        Assert.Equal(["10.96.0.0/12", "80.15.0.0/24", "90.15.0.0/24"], plan.RejectedFromKernel.Select(prefix => prefix.ToString()));
        Assert.False(Ask.OfKernel(plan, Learned("10.96.0.7/32")).Accepted);
        Assert.True(Ask.OfKernel(plan, Learned("90.16.0.1/32")).Accepted);
    }

    [Fact]
    public void With_aggregation_off_load_balancers_have_no_range()
    {
        var plan = Of(Global() with
        {
            ServiceLoadBalancerIPs = [Prefix.Parse("80.15.0.0/24")],
            ServiceLoadBalancerAggregation = Aggregation.Disabled
        }).Plan();
        Assert.Empty(plan.RejectedFromKernel);
        Assert.Empty(plan.Routes);
    }

    [Fact]
    public void What_lies_behind_WireGuard_is_Felixs_once_both_ends_have_it()
    {
        var (key, peer) = (Address.Parse("10.200.0.1"),
            Node("b", "10.0.0.2/24") with { IPv4WireguardAddress = Address.Parse("10.200.0.2") });
        Assert.True(Ask.OfKernel(Of(peer).Plan(), Learned("192.168.1.0/26")).Accepted);
        var both = Of(peer, Node("a", "10.0.0.1/24") with { IPv4WireguardAddress = key });
        Assert.False(Ask.OfKernel(both.Plan(), Learned("192.168.1.0/26")).Accepted);
        Assert.True(Ask.OfKernel(both.Plan(), Learned("192.168.1.0/26", "10.0.0.10")).Accepted);
        Assert.True(Ask.OfKernel(both.Seen(settings => settings with { Release = CalicoRelease.V332 }).Plan(), Learned("192.168.1.0/26"))
            .Accepted);
    }

    [Fact]
    public void Two_owners_of_a_pools_routes_or_none_are_told()
    {
        var felix = new FelixConfiguration(new Metadata(FelixConfiguration.Default)) { ProgramClusterRoutes = ClusterRoutes.Enabled };
        Assert.Contains(Owning(ClusterRoutes.Enabled, felix).Plan().Problems, problem => problem.Reason.Contains("both Felix and BGP"));
        Assert.DoesNotContain(Owning(ClusterRoutes.Disabled, felix).Plan().Problems,
            problem => problem.Field == "spec.programClusterRoutes");
    }
}
