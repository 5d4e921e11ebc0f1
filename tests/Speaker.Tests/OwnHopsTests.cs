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
    [InlineData("eth7", null, OwnHopRule.NoInterface)]
    [InlineData(null, "172.16.0.1", OwnHopRule.NotOnLink)]
    [InlineData("eth1", "10.0.0.9", OwnHopRule.NotOnLink)]
    [InlineData(null, "2001:db8::1", OwnHopRule.NotOnLink)]
    public void A_hop_that_leads_nowhere_waits_and_says_why(string? name, string? gateway, OwnHopRule rule)
    {
        Assert.Null(OwnHops.Resolve(Unicast(name, gateway), FakeKernel.Node()));
        Assert.Equal(rule, OwnHops.Judge(Unicast(name, gateway), 0, FakeKernel.Node(), out _));
    }

    [Fact]
    public void A_gateway_of_a_family_in_which_no_link_has_an_address_says_so()
    {
        var node = FakeKernel.Node();
        var fourOnly = node with { Addresses = node.Addresses.RemoveAll(address => !address.Address.IsIPv4) };
        Assert.Equal(OwnHopRule.NoAddress, OwnHops.Judge(Unicast(null, "2001:db8::1"), 0, fourOnly, out _));
    }

    [Fact]
    public void An_interface_that_is_down_is_not_used()
    {
        Assert.Null(OwnHops.Resolve(Unicast("eth0", null), FakeKernel.Node(eth0Up: false)));
        Assert.Equal(OwnHopRule.InterfaceDown, OwnHops.Judge(Unicast("eth0", null), 0, FakeKernel.Node(eth0Up: false), out _));
    }

    [Fact]
    public void A_blackhole_needs_no_way_out() => Assert.Empty(OwnHops.Resolve(Pair.Blackhole("10.0.0.0/8"), FakeKernel.Node())!.Value);
}
