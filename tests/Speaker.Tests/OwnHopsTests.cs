using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Speaker.Tests;

public class OwnHopsTests
{
    private static OwnRouteConfig Unicast(string? name, string? gateway, bool onLink = false)
    {
        var hop = new RouteHop(gateway == null ? null : Address.Parse(gateway), 0, 1, onLink);
        return new(Prefix.Parse("203.0.113.0/24"), RouteType.Unicast, [hop]) { Interfaces = [name] };
    }

    [Theory]
    [InlineData("eth1", null, false, 3)]
    [InlineData(null, "10.0.0.9", false, 2)]
    [InlineData("eth0", "10.0.0.9", false, 2)]
    [InlineData("eth1", "172.16.0.1", true, 3)]
    [InlineData("eth1", "fe80::9", false, 3)]
    public void A_hop_leads_over_the_interface_it_names_or_its_gateway_is_on(string? name, string? gateway, bool onLink, int leadsTo) =>
        Assert.Equal(leadsTo, Assert.Single(OwnHops.Resolve(Unicast(name, gateway, onLink), FakeKernel.Node())!.Value).Interface);

    [Theory]
    [InlineData("eth7", null)]
    [InlineData(null, "172.16.0.1")]
    [InlineData("eth1", "10.0.0.9")]
    public void A_hop_that_leads_nowhere_waits(string? name, string? gateway) =>
        Assert.Null(OwnHops.Resolve(Unicast(name, gateway), FakeKernel.Node()));

    [Fact]
    public void An_interface_that_is_down_is_not_used() =>
        Assert.Null(OwnHops.Resolve(Unicast("eth0", null), FakeKernel.Node(eth0Up: false)));

    [Fact]
    public void A_blackhole_needs_no_way_out() => Assert.Empty(OwnHops.Resolve(Pair.Blackhole("10.0.0.0/8"), FakeKernel.Node())!.Value);
}
