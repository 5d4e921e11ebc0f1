using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Configuration.Tests;

public class DaemonConfigTests
{
    internal static readonly HostFacts Host = new("box", null,
        [Address.Parse("127.0.0.1"), Address.Parse("169.254.1.1"), Address.Parse("10.1.2.3")]);

    internal static ConfigResult Parse(string text) => DaemonConfig.Parse(text, "bgpd.yaml", Host);

    internal static DaemonConfig Good(string text)
    {
        var result = Parse(text);
        Assert.Empty(result.Errors);
        return result.Config!;
    }

    internal static PeerConfig Peer(string keys) =>
        Assert.Single(Good($"router: {{ asNumber: 65000 }}\npeers:\n  - {{ {keys} }}\n").Speaker.Peers);

    [Theory]
    [InlineData("", 0, 0)]
    [InlineData(", bfd: false", 0, 0)]
    [InlineData(", bfd: true", 300, 3)]
    [InlineData(", bfd: { interval: 50ms }", 50, 3)]
    [InlineData(", bfd: { interval: 10ms, multiplier: 5 }", 10, 5)]
    public void A_peer_is_watched_by_bfd(string key, int milliseconds, int multiplier)
    {
        var bfd = Peer($"peerIP: 10.0.0.1, asNumber: 65001{key}").Bfd;
        if (milliseconds == 0) Assert.Null(bfd);
        else Assert.Equal(new(TimeSpan.FromMilliseconds(milliseconds), TimeSpan.FromMilliseconds(milliseconds), multiplier), bfd!.Times);
    }

    [Fact]
    public void An_own_routes_gateway_is_watched_by_bfd()
    {
        var routes = Good("""
            router: { asNumber: 65000 }
            routes:
              - { prefix: 192.0.2.0/24, via: 10.0.0.1, bfd: { interval: 100ms } }
              - { prefix: 198.51.100.0/24, via: 10.0.0.1 }
            """).Speaker.Routes;
        Assert.Equal([100, null], routes.Select(route => route.Bfd?.Send.TotalMilliseconds));
    }

    [Fact]
    public void The_configuration_of_the_speed_comparison_loads()
    {
        var config = Good("""
            router:
              id: 10.99.0.1
              asNumber: 65001
              listen: [10.99.0.1]
            control:
              socket: /tmp/versus/bgpd.ctl
            kernel:
              installRoutes: false
            peers:
              - name: p0
                peerIP: 10.99.1.1
                asNumber: 65001
                passive: true
                families: [ipv6]
                import: accept
                export: accept
                routeReflectorClient: true
                multihop: 64
            """);
        var peer = Assert.Single(config.Speaker.Peers);
        Assert.Equal(("p0", FamilySet.IPv6, 64), (peer.Session.Name, peer.Session.Families, peer.Session.Multihop));
        Assert.True(peer.RouteReflectorClient && peer.Session.Passive && !config.Speaker.Kernel.InstallRoutes);
        Assert.Equal(Address.Parse("10.99.0.1"), Assert.Single(config.Speaker.Listen));
        Assert.Equal("/tmp/versus/bgpd.ctl", config.Control.Socket);
        Assert.Empty(config.Control.Http);
    }

    [Theory]
    [InlineData("{ receive: [ipv4], send: all }", FamilySet.IPv4, FamilySet.Both, int.MaxValue, int.MaxValue)]
    [InlineData("{ receive: true, send: [ipv6] }", FamilySet.Both, FamilySet.IPv6, 1, int.MaxValue)]
    [InlineData("{ send: best 3 }", FamilySet.None, FamilySet.Both, 3, 3)]
    [InlineData("{ send: { ipv4: best 2, ipv6: all } }", FamilySet.None, FamilySet.Both, 2, int.MaxValue)]
    [InlineData("{ receive: false, send: { ipv4: all } }", FamilySet.None, FamilySet.IPv4, int.MaxValue, 1)]
    public void Several_paths_of_a_prefix_are_asked_for_by_family_and_number(
        string addPath, FamilySet receive, FamilySet send, int ipv4, int ipv6)
    {
        var peer = Peer($"peerIP: 10.0.0.2, asNumber: 65001, addPath: {addPath}");
        Assert.Equal((receive, send), (peer.Session.AddPathReceive, peer.Session.AddPathSend));
        Assert.Equal((new PathsTold(ipv4), new PathsTold(ipv6)), (peer.PathsIPv4, peer.PathsIPv6));
    }

    [Fact]
    public void Equal_paths_are_asked_for_by_a_word()
    {
        var peer = Peer("peerIP: 10.0.0.2, asNumber: 65001, families: [ipv4], addPath: { send: equal }");
        Assert.Equal((FamilySet.IPv4, PathsTold.Equal, PathsTold.Best), (peer.Session.AddPathSend, peer.PathsIPv4, peer.PathsIPv6));
    }

    [Fact]
    public void The_configuration_of_the_reactions_loads()
    {
        var config = Good("""
            router: { id: 10.99.0.1, asNumber: 65001, listen: [10.99.0.1] }
            control: { socket: "/tmp/x/ctl" }
            kernel: { installRoutes: false }
            routes: [{ prefix: 192.0.2.0/24, type: blackhole }]
            peers:
              - { name: ebgp, peerIP: 10.99.0.2, asNumber: 65002, passive: true, holdTime: 90s, families: [ipv4, ipv6],
                  import: accept, export: accept }
              - { name: ibgp, peerIP: 10.99.0.3, asNumber: 65001, passive: true, holdTime: 90s, families: [ipv4, ipv6],
                  import: accept, export: accept }

            """);
        Assert.Equal(["ebgp", "ibgp"], config.Speaker.Peers.Select(peer => peer.Session.Name));
        Assert.Equal((Prefix.Parse("192.0.2.0/24"), RouteType.Blackhole), (config.Speaker.Routes[0].Prefix, config.Speaker.Routes[0].Type));
    }

    [Fact]
    public void Without_a_router_section_the_defaults_are_the_hosts_and_Calicos()
    {
        var speaker = Good("log: { level: debug }").Speaker;
        Assert.Equal(("10.1.2.3", "64512", "box", 179), ($"{speaker.RouterId}", $"{speaker.As}", speaker.HostName, speaker.ListenPort));
    }

    [Fact]
    public void A_host_without_an_address_gets_an_identifier_of_its_name()
    {
        var nameless = new HostFacts("box", "node-a", []);
        Assert.Equal(nameless.DefaultRouterId("node-a"), nameless.DefaultRouterId("node-a"));
        Assert.NotEqual(nameless.DefaultRouterId("node-a"), nameless.DefaultRouterId("node-b"));
    }

    [Fact]
    public void An_external_peer_without_policies_gets_reject_and_says_so()
    {
        var peer = Peer("peerIP: 192.0.2.1, asNumber: 65001");
        Assert.Equal((RejectAll.Instance, RejectAll.Instance), (peer.Import, peer.Export));
        Assert.True(peer.ImportDefaulted && peer.ExportDefaulted);
    }

    [Fact]
    public void A_peer_knows_its_line()
    {
        var peers = Good("peers:\n  - { peerIP: 192.0.2.1, asNumber: 65001 }\n\n  - { peerIP: 192.0.2.2, asNumber: 65001 }").Speaker.Peers;
        Assert.Equal(["bgpd.yaml:2", "bgpd.yaml:4"], peers.Select(peer => peer.Origin.ToString()));
    }

    [Fact]
    public void A_range_has_the_keys_of_a_peer_and_names_its_neighbours_by_their_addresses()
    {
        var range = Assert.Single(
            Good("peers:\n - { peerRange: 10.0.0.0/24, asNumber: 65001, holdTime: 9, import: accept }").Speaker.Ranges);
        Assert.Equal((256, "bgpd.yaml:2"), (range.Limit, range.Each.Origin.ToString()));
        var session = range.For(Address.Parse("10.0.0.7")).Session;
        Assert.Equal(("dyn_10_0_0_7", true, 9), (session.Name, session.Passive, (int)session.HoldTime.TotalSeconds));
        Assert.Equal(Address.Parse("10.0.0.7"), session.PeerAddress);
        Assert.Contains(
            "peers rack_*: 9 at most from 2001:db8::/64, AS 65000 (internal, passive), ipv4 and ipv6, import ACCEPT, export ACCEPT",
            Good("router: { asNumber: 65000 }\npeers: [{ peerRange: '2001:db8::/64', name: rack, peerLimit: 9, asNumber: 65000 }]")
                .Describe());
        Assert.Equal(9, Assert.Single(Good("peers: [{ peerRange: 10.0.0.0/24, sessionLimit: 9, asNumber: 1 }]").Speaker.Ranges).Limit);
    }

    [Fact]
    public void A_peer_by_its_interface_alone_has_the_interfaces_name()
    {
        var config = Good("""
            peers:
             - { interface: eth0, asNumber: external }
             - { interface: eth1, name: tor, asNumber: 1, routerAdvertisements: false }
            """);
        Assert.Equal([("eth0", "eth0", true), ("eth1", "tor", false)],
            config.Speaker.Links.Select(link => (link.Interface, link.Each.Session.Name, link.Advertises)));
        var first = config.Speaker.Links[0].Each.Session;
        Assert.Equal(("eth0", true), (first.Interface, first.ExtendedNextHop));
        const string words = "peer tor: whoever is on eth1, AS 1 (external)";
        Assert.Contains(config.Describe(), line => line.StartsWith(words, StringComparison.Ordinal));
        Assert.Equal(
            "expected each interface once by itself under peers, got eth0 again (first in line 2)",
            Assert.Single(Parse(
                "peers:\n - { interface: eth0, asNumber: 1 }\n - { interface: eth0, name: b, asNumber: 1 }").Errors).Text);
    }

    [Fact]
    public void Producers_of_routes_have_limits_and_prefixes()
    {
        var producers = Good("control: { producers: { metallb: { limit: 9, prefixes: [192.0.2.0/24] }, kube-vip: } }").Speaker.Producers;
        Assert.Equal<ProducerQuota>([new("metallb", 9, [Prefix.Parse("192.0.2.0/24")]), new("kube-vip", 1000, [])], producers);
    }

    [Fact]
    public void A_neighbours_as_may_be_any_but_ours_or_ours()
    {
        var config = Good("""
            router: { asNumber: 65000 }
            peers:
             - { peerRange: 10.0.0.0/24, asNumber: external }
             - { peerIP: 192.0.2.1, asNumber: internal, localAsNumber: 65009 }
            """);
        Assert.True(config.Speaker.Ranges[0].Each.Session.TakesAnyExternalAs);
        Assert.True(config.Speaker.Ranges[0].Each.ImportDefaulted);
        Assert.Equal(new Asn(65009), config.Speaker.Peers[0].Session.PeerAs);
        Assert.Contains(config.Describe(), line => line.Contains(", any AS (external, passive), ", StringComparison.Ordinal));
        Assert.Contains(config.Describe(), line => line.Contains(" AS 65009 (internal), ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_range_stands_beside_others_and_beside_peers_of_their_own_as_far_as_names_and_keys_go()
    {
        const string range = "peers:\n - { peerRange: 10.0.0.0/24, asNumber: 1, password: { value: sesame } }\n - ";
        Assert.Equal(2, Good($"{range}{{ peerRange: 10.0.0.0/25, asNumber: 1 }}").Speaker.Ranges.Length);
        Assert.Equal(
            "expected each range once under peers, got 10.0.0.0/24 again (first in line 2)",
            Assert.Single(Parse($"{range}{{ peerRange: 10.0.0.0/24, asNumber: 1 }}").Errors).Text);
        Assert.Equal(
            "expected a name that no neighbour of 10.0.0.0/24 gets, got \"dyn_10_0_0_7\"",
            Assert.Single(Parse($"{range}{{ name: dyn_10_0_0_7, peerIP: 192.0.2.1, asNumber: 1 }}").Errors).Text);
        Assert.Equal(
            "a has no password, and the kernel asks for the one of 10.0.0.0/24 whenever 10.0.0.9 calls",
            Assert.Single(Parse($"{range}{{ name: a, peerIP: 10.0.0.9, asNumber: 1 }}").Warnings).Text);
    }

    [Fact]
    public void An_internal_peer_without_policies_gets_accept()
    {
        var peer = Peer("peerIP: 192.0.2.1, asNumber: 65000");
        Assert.Equal((AcceptAll.Instance, AcceptAll.Instance), (peer.Import, peer.Export));
        Assert.False(peer.ImportDefaulted || peer.ExportDefaulted);
    }

    [Theory]
    [InlineData("fe80::1%eth0", "fe80::1", "eth0", 179)]
    [InlineData("192.0.2.1:1790", "192.0.2.1", null, 1790)]
    [InlineData("\"[2001:db8::1]:1790\"", "2001:db8::1", null, 1790)]
    [InlineData("2001:db8::1", "2001:db8::1", null, 179)]
    public void A_peers_place_is_an_address_with_scope_and_port(string text, string address, string? device, int port)
    {
        var session = Peer($"peerIP: {text}, asNumber: 65001").Session;
        Assert.Equal((Address.Parse(address), device, port), (session.PeerAddress, session.Interface, session.PeerPort));
    }

    [Theory]
    [InlineData("90s", 90_000)]
    [InlineData("2m", 120_000)]
    [InlineData("90", 90_000)]
    [InlineData("0", 0)]
    [InlineData("3000ms", 3_000)]
    public void Durations_have_units_and_plain_numbers_are_seconds(string text, int milliseconds) =>
        Assert.Equal(
            TimeSpan.FromMilliseconds(milliseconds), Peer($"peerIP: 192.0.2.1, asNumber: 65001, holdTime: {text}").Session.HoldTime);

    [Fact]
    public void A_number_as_ttl_security_is_the_distance()
    {
        var session = Peer("peerIP: 192.0.2.1, asNumber: 65001, ttlSecurity: 3").Session;
        Assert.Equal((true, 3), (session.TtlSecurity, session.Multihop));
    }

    [Theory]
    [InlineData("true", true, null)]
    [InlineData("false", false, null)]
    [InlineData("maintenance until noon", true, "maintenance until noon")]
    public void Shutdown_is_a_flag_or_the_words_for_the_peer(string text, bool down, string? words)
    {
        var session = Peer($"peerIP: 192.0.2.1, asNumber: 65001, shutdown: {text}").Session;
        Assert.Equal((down, words), (session.Shutdown, session.ShutdownText));
    }

    [Fact]
    public void A_unicast_route_keeps_the_names_of_its_interfaces()
    {
        const string text = "routes: [{ prefix: 10.0.0.0/8, hops: [{ via: 192.0.2.1, weight: 2 }, { interface: eth1 }] }]";
        var route = Assert.Single(Good(text).Speaker.Routes);
        Assert.Equal(new RouteHop[] { new(Address.Parse("192.0.2.1"), 0, 2), new(null, 0) }, route.Hops.ToArray());
        Assert.Equal(new[] { null, "eth1" }, route.Interfaces.ToArray());
    }

    [Fact]
    public void Several_peers_share_keys_through_an_anchor()
    {
        var peers = Good("""
            peers:
              - &tor { name: tor1, peerIP: 192.0.2.1, asNumber: 65001, import: accept }
              - { <<: *tor, name: tor2, peerIP: 192.0.2.2 }
            """).Speaker.Peers;
        Assert.Equal(["tor1 192.0.2.1 65001", "tor2 192.0.2.2 65001"],
            peers.Select(p => $"{p.Session.Name} {p.Session.PeerAddress} {p.Session.PeerAs}"));
    }

    [Fact]
    public void What_is_not_acted_on_yet_is_a_warning_with_its_place()
    {
        var result = Parse("control:\n  birdSockets: [{ path: /run/x, dialect: calico }]\n");
        Assert.Equal([(2, 16)], result.Warnings.Select(warning => (warning.Line, warning.Column)));
        Assert.NotNull(result.Config);
    }
}
