using Calico.Bgp.Kernel.Links;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Tests.Links;

public class LinkMessageTests
{
    // +--------+-----+-----------+---------------+---------------+---------------+
    // | family | pad | type (16) |  index (32)   |  flags (32)   |  change (32)  |   struct ifinfomsg, then attributes
    // +--------+-----+-----------+---------------+---------------+---------------+
    [Fact]
    public void A_link_is_read()
    {
        var octets = Octets.Of("00 00 0100 03000000 43100100 00000000" + "07000300 613000 00" + "08000400 dc050000" + "08000a00 05000000"
            + "0a000100 dedda9a11a74 0000");
        Assert.True(LinkMessage.TryRead(octets, out var link));
        Assert.Equal(new Link(3, "a0", 0x11043, 1500, 5, new MacAddress(0xdedda9a11a74)), link);
        Assert.True(link.IsUp && link.HasCarrier && !link.IsLoopback);
    }

    [Fact]
    public void News_of_a_bridge_port_is_no_link() =>
        Assert.False(LinkMessage.TryRead(Octets.Of("07 00 0100 03000000 43100100 00000000 07000300 613000 00"), out _));

    [Theory]
    // ip address add 10.0.0.1/24 dev a0
    [InlineData("02 18 80 00 03000000 08000100 0a000001 08000200 0a000001", "10.0.0.1", 24, null, false)]
    // ip address add 10.0.0.9/24 dev a0, the second of its subnet
    [InlineData("02 18 81 00 03000000 08000100 0a000009 08000200 0a000009", "10.0.0.9", 24, null, true)]
    // ip address add 10.0.0.1 peer 10.9.0.0/16 dev a0
    [InlineData("02 10 80 00 03000000 08000100 0a090000 08000200 0a000001", "10.0.0.1", 16, "10.9.0.0", false)]
    // ip address add fd00::1/64 dev a0
    [InlineData("0a 40 80 00 03000000 14000100 fd000000000000000000000000000001", "fd00::1", 64, null, false)]
    // ip address add fd00::1 peer fd00::2/128 dev a0
    [InlineData("0a 80 80 00 03000000 14000200 fd000000000000000000000000000001 14000100 fd000000000000000000000000000002", "fd00::1", 128,
        "fd00::2", false)]
    public void An_address_is_read(string hex, string address, int length, string? opposite, bool secondary)
    {
        Assert.True(AddressMessage.TryRead(Octets.Of(hex), out var read));
        Assert.Equal(new LinkAddress(3, Address.Parse(address), length, opposite == null ? null : Address.Parse(opposite), 0, secondary),
            read);
    }

    [Theory]
    [InlineData("0200", true)]  // reachable
    [InlineData("0400", true)]  // stale
    [InlineData("8000", true)]  // permanent
    [InlineData("0100", false)] // incomplete
    [InlineData("2000", false)] // failed
    [InlineData("4000", false)] // noarp
    public void A_neighbour_is_known_when_it_has_answered(string state, bool expected)
    {
        var octets = Octets.Of($"0a 00 0000 03000000 {state} 80 01 14000100 fe800000000000000000000000000002 0a000200 dedda9a11a74 0000");
        Assert.True(NeighbourMessage.TryRead(octets, out var neighbour, out var known));
        Assert.Equal(new Neighbour(3, Address.Parse("fe80::2"), new MacAddress(0xdedda9a11a74), true), neighbour);
        Assert.Equal(expected, known);
    }
}
