using System.Net;

namespace Calico.Bgp.Conformance.Bird;

/// <summary>The reader of protocols: each setting once, templates under it, and what it does not know.</summary>
public class ConfigTests
{
    private const string Template = "template bgp t { local as 64512; add paths on; gateway recursive; graceful restart; "
        + "connect delay time 2; error wait time 5,30; description \"x\"; debug { states }; }";

    private static Peer Peer(string settings) =>
        BirdConfig.Parse($"{Template} protocol bgp Node_x from t {{ neighbor 192.0.2.1 as 65001; {settings} }}").Peers.Single();

    [Fact]
    public void A_peer_has_what_its_template_says_and_what_it_says_itself()
    {
        var peer = Peer("local as 65009; source address 192.0.2.2;");
        Assert.Equal(("Node_x", "192.0.2.1", 65001u, 65009u, 179u, "192.0.2.2", true),
            (peer.Name, $"{peer.Address}", peer.As, peer.LocalAs, peer.Port, $"{peer.SourceAddress}", peer.GracefulRestart));
        Assert.Equal(64512u, Peer("").LocalAs);
    }

    [Theory]
    [InlineData("ttl security on; multihop 3;", true, true, 3u)]
    [InlineData("ttl security off; multihop;", false, true, null)]
    [InlineData("", false, false, null)]
    public void Hops(string settings, bool security, bool multihop, uint? hops) =>
        Assert.Equal((security, multihop, hops), (Peer(settings).TtlSecurity, Peer(settings).Multihop, Peer(settings).Hops));

    [Fact]
    public void Every_further_setting_of_a_peer()
    {
        var peer = Peer("""
            passive on; graceful restart time 10; keepalive time 7; rr client; rr cluster id 10.0.0.1; password "secret";
            next hop keep; allow local as 2;
            """);
        Assert.Equal((true, 10u, 7u, true, "10.0.0.1", "secret", NextHop.Keep, 2u),
            (peer.Passive, peer.GracefulRestartTime, peer.KeepaliveTime, peer.ReflectorClient, $"{peer.ClusterId}", peer.Password,
                peer.NextHop, peer.AllowLocalAs));
        Assert.Equal(NextHop.Self, Peer("next hop self;").NextHop);
        Assert.Equal(NextHop.Auto, Peer("").NextHop);
    }

    [Fact]
    public void A_port_of_its_own_and_IPv6() =>
        Assert.Equal("2001:db8::1 166 64500", BirdConfig.Parse("protocol bgp p { neighbor 2001:db8::1 port 166 as 64500; local as 1; }")
            .Peers
            .Select(peer => $"{peer.Address} {peer.Port} {peer.As}").Single());

    [Fact]
    public void Filters_of_a_peer_are_its_own_or_named()
    {
        var config = BirdConfig.Parse("""
            filter named { reject; }
            protocol bgp p { import filter { accept; }; export filter named; }
            protocol bgp q { import all; export none; }
            """);
        var route = new BirdRoute(IPNetwork.Parse("10.0.0.0/8"), Source.RTS_BGP);
        Assert.Equal([(true, false), (true, false)],
            config.Peers.Select(peer => (config.Accepts(peer.Import, route), config.Accepts(peer.Export, route))));
    }

    [Fact]
    public void Static_routes() =>
        Assert.Equal([new(IPNetwork.Parse("10.0.0.0/26"), null),
            new StaticRoute(IPNetwork.Parse("192.0.2.1/32"), IPAddress.Parse("198.51.100.1"))],
            BirdConfig.Parse(
            "template static s { route 10.0.0.0/26 blackhole; route 192.0.2.1/32 via 198.51.100.1; } protocol static from s { }").Routes);

    [Fact]
    public void The_table_and_the_links()
    {
        var config = BirdConfig.Parse("""
            router id 192.0.2.9;   # ours
            listen bgp port 177;
            listen bgp address 192.0.2.9;
            filter k { reject; }
            template kernel kt { learn; persist; scan time 2; import all; }
            protocol kernel from kt { export filter k; graceful restart; merge paths on; }
            protocol device { scan time 2; debug { states }; }
            protocol direct { interface -"cali*", -"x", "*"; }
            """);
        Assert.Equal(("192.0.2.9", 177u, "192.0.2.9", true),
            ($"{config.RouterId}", config.ListenPort, $"{config.ListenAddress}", config.Kernel.Learns));
        Assert.Equal("-cali* -x *", string.Join(' ', config.Direct.Interfaces));
        Assert.False(config.Accepts(config.Kernel.Export, new(IPNetwork.Parse("10.0.0.0/8"), Source.RTS_BGP)));
    }

    [Theory]
    [InlineData("log syslog all;")]
    [InlineData("listen bgp v6only;")]
    [InlineData("protocol ospf o { }")]
    [InlineData("protocol bgp p { hold time 9; }")]
    [InlineData("protocol bgp p { neighbor 192.0.2.1; }")]
    [InlineData("protocol bgp p from nowhere { }")]
    [InlineData("protocol bgp p { export filter nowhere; }")]
    [InlineData("protocol kernel k { import none; }")]
    [InlineData("protocol static s { route 10.0.0.0/8 unreachable; }")]
    [InlineData("protocol static s { import all; }")]
    [InlineData("protocol device d { interface \"eth0\"; }")]
    [InlineData("function f() { } function f() { }")]
    [InlineData("protocol bgp p { local as 1 }")]
    [InlineData("function f(real x) { }")]
    [InlineData("protocol bgp p { @ }")]
    public void What_is_not_known_stops_the_test(string text) => Assert.Throws<BirdException>(() => BirdConfig.Parse(text));
}
