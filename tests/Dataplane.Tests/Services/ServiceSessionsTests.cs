using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Tests.Services;

public sealed class ServiceSessionsTests
{
    private static readonly ServiceSession One = new(
        3,
        new(Address.Parse("10.0.0.9"), Address.Parse("30.0.0.2"), (byte)IpProtocol.Tcp, true)
        {
            SourcePort = 40000,
            DestinationPort = 80,
            Server = Address.Parse("20.0.0.1"),
            ServerPort = 8080,
        },
        new(7, Address.Parse("1.2.3.4"), 1024));

    [Theory]
    [InlineData("10.0.0.9", 40000)]
    [InlineData("30.0.0.2", 80)]
    [InlineData("20.0.0.1", 8080)]
    [InlineData("1.2.3.4", 1024)]
    public void Each_of_its_ends_finds_a_session_and_nothing_else_does(string address, int port)
    {
        Assert.True(new SessionFilter { Address = Address.Parse(address), Port = (ushort)port }.Holds(One));
        Assert.False(new SessionFilter { Address = Address.Parse(address), Port = 81 }.Holds(One));
        Assert.False(new SessionFilter { Address = Address.Parse("20.0.0.2"), Port = (ushort)port }.Holds(One));
    }

    [Fact]
    public void All_that_is_said_has_to_hold()
    {
        Assert.True(new SessionFilter().Holds(One));
        Assert.True(new SessionFilter { Id = 7, Translation = 3, Protocol = IpProtocol.Tcp }.Holds(One));
        Assert.False(new SessionFilter { Id = 8, Translation = 3, Protocol = IpProtocol.Tcp }.Holds(One));
        Assert.False(new SessionFilter { Id = 7, Translation = 0, Protocol = IpProtocol.Tcp }.Holds(One));
        Assert.False(new SessionFilter { Id = 7, Translation = 3, Protocol = IpProtocol.Udp }.Holds(One));
    }

    [Fact]
    public void ICMP_is_that_of_either_family()
    {
        var ping = One with { Connection = One.Connection with { Protocol = (byte)IpProtocol.Icmp6 } };
        Assert.True(new SessionFilter { Protocol = IpProtocol.Icmp }.Holds(ping));
        Assert.False(new SessionFilter { Protocol = IpProtocol.Icmp }.Holds(One));
    }
}
