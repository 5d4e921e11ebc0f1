using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Speaker.Tests.Plan;

/// <summary>A probe is told what BGP itself bars, by the rules of the RIB's doors, beside what the chains say.</summary>
public class ProbeDoorsTests
{
    private static readonly PeerConfig Tor = Peer("tor", 65002, "192.0.2.2"), Other = Peer("other", 65003, "192.0.2.3");
    private static readonly PeerConfig Node = Peer("node", 65001, "192.0.2.4"), Node2 = Peer("node2", 65001, "192.0.2.5");
    private static readonly Probe Plain = new(Prefix.Parse("203.0.113.0/24"), RouteOrigin.Bgp) { NextHop = Address.Parse("192.0.2.9") };

    private static PeerConfig Peer(string name, uint peerAs, string address) => new()
    {
        Session = new()
        {
            Name = name,
            Index = 0,
            PeerAddress = Address.Parse(address),
            LocalAs = new(65001),
            PeerAs = new(peerAs),
            RouterId = new(7),
        },
        Import = AcceptAll.Instance,
        Export = AcceptAll.Instance,
    };

    private static CommunityPattern Community(string text) =>
        CommunityPattern.TryParse(CommunityKind.Standard, text, out var patterns) ? patterns[0] : throw new ArgumentException(text);

    private static Dictionary<string, string?> Bars(Probe probe, params PeerConfig[] peers) =>
        new ProbeRun([.. peers], null).Ask(probe).ToDictionary(answer => answer.Target, answer => answer.Barred);

    [Fact]
    public void No_export_keeps_it_from_external_peers_and_no_advertise_from_all()
    {
        var bars = Bars(Plain with { Communities = [Community("65535:65281")] }, Tor, Node);
        Assert.Equal(
            ("its community no-export, and the peer is external (RFC 1997)", null, null), (bars["tor"], bars["node"], bars["kernel"]));
        bars = Bars(Plain with { Communities = [Community("65535:65282")] }, Tor, Node);
        Assert.Equal(("its community no-advertise (RFC 1997)", true), (bars["tor"], bars["node"] == bars["tor"]));
    }

    [Fact]
    public void A_loop_bars_it_at_the_door_of_the_peer_that_sent_it()
    {
        var probe = Plain with { FromPeer = "tor", AsPath = [new(65002), new(65001)] };
        var bars = Bars(probe, Tor, Other);
        Assert.Equal("import from tor: our own AS is in the path (RFC 4271 9.1.2)", bars["other"]);
        Assert.Equal(bars["other"], bars["kernel"]);
        Assert.Null(Bars(probe, Tor with { AllowLocalAs = 1 }, Other)["other"]);
    }

    [Fact]
    public void It_does_not_go_back_and_from_inside_to_inside_only_through_a_reflector()
    {
        var bars = Bars(Plain with { FromPeer = "node" }, Node, Node2, Tor);
        Assert.Equal("it is the one who sent it", bars["node"]);
        Assert.Equal("learned inside, and not for inside but through a reflector (RFC 4456)", bars["node2"]);
        Assert.Null(bars["tor"]);
        Assert.Null(Bars(Plain with { FromPeer = "node" }, Node with { RouteReflectorClient = true }, Node2)["node2"]);
    }

    [Fact]
    public void A_next_hop_that_the_session_cannot_carry_bars_it()
    {
        var kept = Other with { NextHop = NextHopMode.Keep };
        var bars = Bars(Plain with { NextHop = Address.Parse("2001:db8::9") }, Tor, kept);
        Assert.Equal("its next hop is of a family that the session does not carry (RFC 8950)", bars["other"]);
        Assert.Null(bars["tor"]);
    }

    [Fact]
    public void What_is_longer_than_a_message_bars_it()
    {
        var path = Enumerable.Range(1, 1100).Select(number => new Asn((uint)(70000 + number)));
        var small = Tor with { Session = Tor.Session with { ExtendedMessages = false } };
        var bars = Bars(Plain with { AsPath = [.. path] }, small, Other);
        Assert.Equal(("its attributes are too long for a message", null), (bars["tor"], bars["other"]));
    }
}
