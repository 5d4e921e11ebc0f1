using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>Which news of links and addresses end whose session. eth0 (2) has 10.0.0.1/24 and fd00::1/64.</summary>
public class PeerWayTests
{
    internal static readonly SessionSettings Tor = new()
    {
        Name = "tor",
        Index = 16,
        PeerAddress = Address.Parse("10.0.0.254"),
        LocalAs = new(65001),
        PeerAs = new(65002),
        RouterId = new(1),
    };

    private static readonly SessionSettings Mesh = Tor with { PeerAs = Tor.LocalAs };
    private static readonly KernelSnapshot Node = FakeKernel.Node();

    private static PeerLife Up(SessionSettings settings, string own = "10.0.0.1")
    {
        var open = Negotiated(settings, own);
        var config = new PeerConfig { Session = settings, Import = AcceptAll.Instance, Export = AcceptAll.Instance };
        return new(open, config.ForRib(settings, open, new(), Node));
    }

    private static Negotiated Negotiated(SessionSettings settings, string own) => new()
    {
        LocalAs = settings.LocalAs,
        PeerAs = settings.PeerAs,
        LocalId = new(1),
        PeerId = new(2),
        LocalAddress = Address.Parse(own),
        PeerAddress = settings.PeerAddress,
        Families = FamilySet.IPv4,
        HoldTime = 90,
        Sent = new(settings.LocalAs, 90, new(1), new()),
        Received = new(settings.PeerAs, 90, new(2), new()),
    };

    private static KernelSnapshot Eth0(uint flags) =>
        Node with { Links = Node.Links.SetItem(2, Node.Links[2] with { Flags = flags }) };

    private static KernelSnapshot Without(string address) =>
        Node with { Addresses = Node.Addresses.RemoveAll(one => one.Address == Address.Parse(address)) };

    /// <summary>The name and the addresses are back, under another number.</summary>
    private static KernelSnapshot MadeAnew() => Node with
    {
        Links = Node.Links.Remove(2).Add(9, Node.Links[2] with { Index = 9 }),
        Addresses = [.. Node.Addresses.Select(address => address with { Interface = 9 })],
    };

    private static KernelSnapshot WithDefault(KernelSnapshot node) => node with
    {
        Routes = node.Routes.Add(
            (Prefix.DefaultIPv4, 0, 254),
            new(Prefix.DefaultIPv4, new(RouteType.Unicast, [new(Address.Parse("192.0.2.1"), 3, OnLink: true)]), 3, 0, null)),
    };

    [Fact]
    public void Nothing_has_changed() => Assert.Null(PeerWay.Lost(Up(Tor), Tor, Node));

    [Theory]
    [InlineData(0x1002u, "eth0 is down")]
    [InlineData(0x1003u, "eth0 has no carrier")]
    public void A_direct_session_ends_with_its_link(uint flags, string why)
    {
        Assert.Equal(new("Link down", why), PeerWay.Lost(Up(Tor), Tor, Eth0(flags)));
        Assert.Equal((WayState.Lost, new LostWay("Link down", why)), PeerWay.To(Tor, Eth0(flags)));
    }

    [Fact]
    public void A_link_that_is_made_anew_is_another()
    {
        Assert.Equal("Link down", PeerWay.Lost(Up(Tor), Tor, MadeAnew())?.Text);
        Assert.Equal(WayState.There, PeerWay.To(Tor, MadeAnew()).State);
    }

    [Fact]
    public void An_address_that_is_removed_ends_the_sessions_that_have_it()
    {
        Assert.Equal(new("Address gone", "eth0 no longer has 10.0.0.1"), PeerWay.Lost(Up(Tor), Tor, Without("10.0.0.1")));
        Assert.Equal("Address gone", PeerWay.Lost(Up(Mesh), Mesh, Without("10.0.0.1"))?.Text);
        Assert.Null(PeerWay.Lost(Up(Tor), Tor, Without("fd00::1")));
        Assert.Equal(WayState.Unknown, PeerWay.To(Tor with { SourceAddress = Address.Parse("10.0.0.1") }, Without("10.0.0.1")).State);
    }

    [Fact]
    public void What_another_route_may_reach_stays_up()
    {
        Assert.Null(PeerWay.Lost(Up(Mesh), Mesh, WithDefault(Eth0(0x1002))));
        Assert.Equal("Link down", PeerWay.Lost(Up(Mesh), Mesh, Eth0(0x1002))?.Text);
    }

    [Fact]
    public void An_address_that_no_link_claims_is_not_judged()
    {
        var far = Tor with { PeerAddress = Address.Parse("198.51.100.1") };
        Assert.Equal(WayState.Unknown, PeerWay.To(far, Eth0(0x1002)).State);
        Assert.Null(PeerWay.Lost(Up(far, own: "127.0.0.9"), far, Eth0(0x1002)));
    }

    [Fact]
    public void A_peer_that_is_named_with_its_interface_waits_for_it()
    {
        var unnumbered = Tor with { PeerAddress = Address.Parse("fe80::1"), Interface = "eth7" };
        Assert.Equal((WayState.Lost, new LostWay("Link down", "there is no interface eth7")), PeerWay.To(unnumbered, Node));
        Assert.Equal(WayState.There, PeerWay.To(unnumbered with { Interface = "eth1" }, Node).State);
    }
}
