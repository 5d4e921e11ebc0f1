using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Tests.Live;
using Calico.Bgp.Net;
using static Calico.Bgp.Kernel.Tests.Nftables.Tables;

namespace Calico.Bgp.Kernel.Tests.Nftables;

/// <summary>
/// For each kind of rule, set and chain: what the nft program makes of a text, and what we make of values, listed by nft in text, JSON
/// and bytecode, are the same.
/// </summary>
public class OracleTests
{
    private const string Pools = """
        counter seen {
        }
        set pools {
         type ipv4_addr
         flags interval
         elements = { 192.168.0.0/16 }
        }
        set named {
         type ipv4_addr . inet_proto . inet_service
         elements = { 10.0.0.1 . 6 . 80 }
        }
        set named6 {
         type ipv6_addr . inet_proto . inet_service
         elements = { fd00::1 . 132 . 80 }
        }
        set links {
         type ifname
         elements = { "cali1" }
        }
        set asked {
         type ifname . ipv4_addr
         elements = { "cali1" . 10.0.0.1 }
        }
        set asked6 {
         type ifname . ipv6_addr
         elements = { "cali1" . fd00::1 }
        }

        """;
    private static readonly Address One = Address.Parse("198.51.100.1"), Nine = Address.Parse("198.51.100.9"),
        V6 = Address.Parse("2001:db8::1");
    private static readonly MatchFamily Four = new(IpFamily.IPv4), Six = new(IpFamily.IPv6);

    public static readonly TheoryData<string, NftRule> Rules = new()
    {
        { "meta nfproto ipv4 masquerade fully-random", Rule(Four, new ActMasquerade()) },
        { "meta nfproto ipv6 counter", Rule(new MatchFamily(IpFamily.IPv6), new ActCount()) },
        { "ip saddr @pools ip daddr != @pools return", Rule(
            Four, In(NftEnd.Source), In(NftEnd.Destination, outside: true), ActDecide.Return) },
        { "meta l4proto udp masquerade to :4790-65535 fully-random",
            Rule(new MatchProtocols(IpProtocol.Udp), new ActMasquerade(new(4790, 65535))) },
        { "oifname \"eth*\" accept", Rule(new MatchInterface(true, "eth*"), ActDecide.Accept) },
        { "iifname \"cali0123456789a\" accept", Rule(new MatchInterface(false, "cali0123456789a"), ActDecide.Accept) },
        { "meta nfproto ipv4 snat ip to 198.51.100.1 fully-random", Rule(Four, new ActSourceNat(One, One)) },
        { "meta nfproto ipv4 snat ip to 198.51.100.1-198.51.100.9 fully-random,persistent",
            Rule(Four, new ActSourceNat(One, Nine, null, Persistent: true)) },
        { "meta nfproto ipv6 snat ip6 to 2001:db8::1 fully-random", Rule(new MatchFamily(IpFamily.IPv6), new ActSourceNat(V6, V6)) },
        { "meta nfproto ipv4 snat ip prefix to 198.51.100.0/24",
            Rule(Four, new ActPrefixNat(NftEnd.Source, Prefix.Parse("198.51.100.0/24"))) },
        { "meta nfproto ipv6 snat ip6 prefix to 2001:db8:7::/48",
            Rule(new MatchFamily(IpFamily.IPv6), new ActPrefixNat(NftEnd.Source, Prefix.Parse("2001:db8:7::/48"))) },
        { "meta nfproto ipv4 meta l4proto tcp snat ip to 198.51.100.1-198.51.100.9:1000-2000 fully-random",
            Rule(Four, new MatchProtocols(IpProtocol.Tcp), new ActSourceNat(One, Nine, new(1000, 2000))) },
        { "fib saddr . oif type != local fib saddr type local masquerade fully-random",
            Rule(new MatchLocalSource(true, Not: true), new MatchLocalSource(false), new ActMasquerade()) },
        { "numgen random mod 10 < 4 accept", Rule(new MatchChance(10, 4), ActDecide.Accept) },
        { "jhash ip saddr mod 10 seed 0x0 < 4 accept", Rule(Four, new MatchSourceShare(IpFamily.IPv4, 10, 4), ActDecide.Accept) },
        { "meta mark & 0x4000 == 0x4000 meta mark set meta mark & 0xffffbfff",
            Rule(new MatchMark(0x4000, 0x4000), new ActMark(0xffffbfff, 0)) },
        { "ct mark & 0x4000 == 0x4000 ct mark set ct mark & 0xffffbfff",
            Rule(new MatchConnectionMark(0x4000, 0x4000), new ActConnectionMark(0xffffbfff, 0)) },
        { "ct direction reply ct mark & 0x6000 != 0x2000 accept",
            Rule(new MatchDirection(Reply: true), new MatchConnectionMark(0x6000, 0x2000, Not: true), ActDecide.Accept) },
        { "meta l4proto tcp tcp flags & syn != 0x0 accept", Rule(new MatchProtocols(IpProtocol.Tcp), new MatchSyn(), ActDecide.Accept) },
        { "ct state new tcp flags & syn == 0x0 ct mark set ct mark & 0xffff9fff ^ 0x2000",
            Rule(new MatchState(ConnectionStates.New), new MatchProtocols(IpProtocol.Tcp), new MatchSyn(Not: true),
                new ActConnectionMark(0xffff9fff, 0x2000)) },
        { "udp dport 4789 @th,96,24 4096 drop", Rule(new MatchProtocols(IpProtocol.Udp), new MatchPorts(NftEnd.Destination, 4789),
            new MatchVxlanNetwork(4096), ActDecide.Drop) },
        { "ct state established,related accept", Rule(new MatchState(ConnectionStates.Established | ConnectionStates.Related),
            ActDecide.Accept) },
        { "limit rate 100/second burst 50 packets log prefix \"seen\" group 9", Rule(new MatchRate(100, 50), new ActLog(9, "seen")) },
        { "tcp dport 80 drop", Rule(new MatchProtocols(IpProtocol.Tcp), new MatchPorts(NftEnd.Destination, 80), ActDecide.Drop) },
        { "udp sport != 100-200 accept",
            Rule(new MatchProtocols(IpProtocol.Udp), new MatchPorts(NftEnd.Source, [new(100, 200)], Outside: true), ActDecide.Accept) },
        { "meta l4proto { tcp, udp } accept", Rule(new MatchProtocols([6, 17]), ActDecide.Accept) },
        { "meta l4proto != { 6, 17, 47 } accept", Rule(new MatchProtocols([47, 17, 6, 6], Outside: true), ActDecide.Accept) },
        { "meta l4proto != 4 accept", Rule(new MatchProtocols([4], Outside: true), ActDecide.Accept) },
        { "ip saddr { 10.0.0.0/8, 192.168.1.1 } drop", Rule(Four,
            Nets(IpFamily.IPv4, NftEnd.Source, "192.168.1.1/32", "10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8"), ActDecide.Drop) },
        { "ip daddr != { 0.0.0.0/1, 192.168.0.0/16 } drop", Rule(Four,
            Nets(IpFamily.IPv4, NftEnd.Destination, "0.0.0.0/1", "192.168.0.0/16") with { Outside = true }, ActDecide.Drop) },
        { "ip saddr 10.0.0.0/8 drop", Rule(Four, Nets(IpFamily.IPv4, NftEnd.Source, "10.0.0.0/8"), ActDecide.Drop) },
        { "ip saddr 10.1.2.0/24 drop", Rule(Four, Nets(IpFamily.IPv4, NftEnd.Source, "10.1.2.0/24"), ActDecide.Drop) },
        { "ip saddr 10.16.0.0/12 drop", Rule(Four, Nets(IpFamily.IPv4, NftEnd.Source, "10.16.0.0/12"), ActDecide.Drop) },
        { "ip daddr != 10.0.0.1 drop",
            Rule(Four, Nets(IpFamily.IPv4, NftEnd.Destination, "10.0.0.1/32") with { Outside = true }, ActDecide.Drop) },
        { "ip saddr 0.0.0.0/0 drop", Rule(Four, Nets(IpFamily.IPv4, NftEnd.Source, "0.0.0.0/0"), ActDecide.Drop) },
        { "ip6 saddr fd00::/8 drop", Rule(Six, Nets(IpFamily.IPv6, NftEnd.Source, "fd00::/8"), ActDecide.Drop) },
        { "ip6 saddr fd00::/9 drop", Rule(Six, Nets(IpFamily.IPv6, NftEnd.Source, "fd00::/9"), ActDecide.Drop) },
        { "ip6 daddr 2001:db8::1 drop", Rule(Six, Nets(IpFamily.IPv6, NftEnd.Destination, "2001:db8::1/128"), ActDecide.Drop) },
        { "ip6 daddr != { fd00::/8, 2001:db8::1 } drop",
            Rule(Six, Nets(IpFamily.IPv6, NftEnd.Destination, "fd00::/8", "2001:db8::1/128") with { Outside = true }, ActDecide.Drop) },
        { "tcp dport { 80, 443, 8000-8100 } accept", Rule(new MatchProtocols(IpProtocol.Tcp),
            new MatchPorts(NftEnd.Destination, [new(8000, 8050), new(443, 443), new(80, 80), new(8051, 8100)]), ActDecide.Accept) },
        { "tcp sport != { 80, 443 } accept", Rule(new MatchProtocols(IpProtocol.Tcp),
            new MatchPorts(NftEnd.Source, [new(443, 443), new(80, 80)], Outside: true), ActDecide.Accept) },
        { "tcp dport 8000-8100 accept", Rule(new MatchProtocols(IpProtocol.Tcp), new MatchPorts(NftEnd.Destination, [new(8000, 8100)]),
            ActDecide.Accept) },
        { "udp dport { 0-1023, 65535 } accept", Rule(new MatchProtocols(IpProtocol.Udp),
            new MatchPorts(NftEnd.Destination, [new(0, 1023), new(65535, 65535)]), ActDecide.Accept) },
        { "icmp type echo-request accept",
            Rule(Four, new MatchProtocols(IpProtocol.Icmp), new MatchIcmp(IpFamily.IPv4, 8), ActDecide.Accept) },
        { "icmp type != 3 accept",
            Rule(Four, new MatchProtocols(IpProtocol.Icmp), new MatchIcmp(IpFamily.IPv4, 3, Not: true), ActDecide.Accept) },
        { "icmp type 3 icmp code 1 accept",
            Rule(Four, new MatchProtocols(IpProtocol.Icmp), new MatchIcmp(IpFamily.IPv4, 3, 1), ActDecide.Accept) },
        { "icmp type . icmp code != { 8 . 0 } accept",
            Rule(Four, new MatchProtocols(IpProtocol.Icmp), new MatchIcmp(IpFamily.IPv4, 8, 0, Not: true), ActDecide.Accept) },
        { "icmpv6 type . icmpv6 code != { 1 . 4 } accept",
            Rule(Six, new MatchProtocols(IpProtocol.Icmp6), new MatchIcmp(IpFamily.IPv6, 1, 4, Not: true), ActDecide.Accept) },
        { "icmpv6 type 133-136 accept",
            Rule(Six, new MatchProtocols(IpProtocol.Icmp6), new MatchIcmp(IpFamily.IPv6, 133) { LastType = 136 }, ActDecide.Accept) },
        { "icmpv6 type != 133-136 accept",
            Rule(Six, new MatchProtocols(IpProtocol.Icmp6), new MatchIcmp(IpFamily.IPv6, 133, Not: true) { LastType = 136 },
                ActDecide.Accept) },
        { "ip daddr . meta l4proto . th dport @named accept",
            Rule(Four, new MatchAddressPort(IpFamily.IPv4, NftEnd.Destination, "named"), ActDecide.Accept) },
        { "ip6 saddr . meta l4proto . th sport != @named6 accept",
            Rule(Six, new MatchAddressPort(IpFamily.IPv6, NftEnd.Source, "named6", Outside: true), ActDecide.Accept) },
        { "oifname @links accept", Rule(new MatchInterfaceIn(true, "links"), ActDecide.Accept) },
        { "meta nfproto ipv4 iifname . ip daddr @asked accept",
            Rule(Four, new MatchInterfaceAddress(IpFamily.IPv4, "asked"), ActDecide.Accept) },
        { "meta nfproto ipv6 iifname . ip6 daddr @asked6 accept",
            Rule(Six, new MatchInterfaceAddress(IpFamily.IPv6, "asked6"), ActDecide.Accept) },
        { "ct direction reply accept", Rule(new MatchDirection(Reply: true), ActDecide.Accept) },
        { "ct direction original accept", Rule(new MatchDirection(Reply: false), ActDecide.Accept) },
        { "ct status & dnat == 0 accept", Rule(new MatchTranslated(Destination: true, Not: true), ActDecide.Accept) },
        { "ct status & snat != 0 accept", Rule(new MatchTranslated(Destination: false), ActDecide.Accept) },
        { "fib daddr type local accept", Rule(new MatchLocalDestination(), ActDecide.Accept) },
        { "fib daddr type != local accept", Rule(new MatchLocalDestination(Not: true), ActDecide.Accept) },
        { "log prefix \"a b|c\" group 5 accept", Rule(new ActLog(5, "a b|c"), ActDecide.Accept) },
        { "log group 65535 accept", Rule(new ActLog(65535, ""), ActDecide.Accept) },
        { "counter name \"seen\" accept", Rule(new ActCountBy("seen"), ActDecide.Accept) },
        { "accept comment \"why\"", new NftRule([ActDecide.Accept], "why") },
    };

    private static MatchNets Nets(IpFamily family, NftEnd end, params string[] nets) => new(family, end, [.. nets.Select(Prefix.Parse)]);

    private static MatchAddress In(NftEnd end, bool outside = false) => new(IpFamily.IPv4, end, "pools", outside);

    [NeedsTheory(Needs.Namespaces, "nft")]
    [MemberData(nameof(Rules))]
    public void A_rule_is_what_nft_makes_of_its_text(string text, NftRule rule) => Same(
        Pools + $"chain post {{\n type nat hook postrouting priority 110; policy accept;\n {text}\n}}", WithRule(rule));

    public static readonly TheoryData<string, NftSet> Sets = new()
    {
        { "type ipv4_addr\n elements = { 192.0.2.1, 10.0.0.1 }",
            new("s", [NftType.Ipv4Address], false, [Host("192.0.2.1"), Host("10.0.0.1")]) },
        { "type ipv4_addr\n flags interval\n elements = { 10.0.0.0/24, 10.0.1.0/24, 192.168.0.0/16 }",
            Prefixes("s", "10.0.0.0/24", "10.0.1.0/24", "192.168.0.0/16") },
        { "type ipv4_addr\n flags interval\n elements = { 0.0.0.0/1, 255.0.0.0/8 }", Prefixes("s", "0.0.0.0/1", "255.0.0.0/8") },
        { "type ipv6_addr\n flags interval\n elements = { fd00::/8, 2001:db8::1 }", Prefixes("s", "fd00::/8", "2001:db8::1/128") },
        { "type ipv6_addr\n flags interval\n elements = { ff00::/8 }", Prefixes("s", "ff00::/8") },
        { "type ipv4_addr . ipv4_addr\n flags interval\n elements = { 10.0.0.0/8 . 0.0.0.0/0 }", Pairs("10.0.0.0/8", "0.0.0.0/0") },
        { "type ipv6_addr . ipv6_addr\n flags interval\n elements = { fd00::/8 . 2001:db8::/32 }", Pairs("fd00::/8", "2001:db8::/32") },
        { "type ipv4_addr . inet_proto . inet_service\n elements = { 10.0.0.1 . 6 . 80 }",
            new("s", [NftType.Ipv4Address, NftType.Protocol, NftType.Port], false,
            [NftElement.Of(NftOctets.Of(NftOctets.Of(Address.Parse("10.0.0.1")), new NftOctets([6]), NftOctets.Of((ushort)80)))]) },
        { "type ifname . ipv4_addr\n flags dynamic,timeout\n timeout 1m\n size 1000",
            new("s", [NftType.InterfaceName, NftType.Ipv4Address], false, [])
            { Dynamic = true, Timeout = TimeSpan.FromMinutes(1), Size = 1000 } },
        { "type ipv4_addr\n flags dynamic,timeout\n size 65535",
            new("s", [NftType.Ipv4Address], false, []) { Dynamic = true, Size = 65535 } },
        { "type ipv4_addr\n comment \"why\"", new("s", [NftType.Ipv4Address], false, []) { Comment = "why" } },
    };

    private static NftElement Host(string address) => NftElement.Of(NftOctets.Of(Address.Parse(address)));

    private static NftSet Pairs(string first, string second)
    {
        var (a, b) = (NftElement.Of(Prefix.Parse(first)), NftElement.Of(Prefix.Parse(second)));
        var type = first.Contains(':') ? NftType.Ipv6Address : NftType.Ipv4Address;
        return new("s", [type, type], true, [new NftElement(NftOctets.Of(a.From, b.From), NftOctets.Of(a.To, b.To))]);
    }

    [NeedsTheory(Needs.Namespaces, "nft")]
    [MemberData(nameof(Sets))]
    public void A_set_is_what_nft_makes_of_its_text(string text, NftSet set) => Same($"set s {{\n {text}\n}}", Table([set]));

    [NeedsFact(Needs.Namespaces, "nft")]
    public void What_stands_in_chains_of_certain_hooks_alone_is_what_nft_makes_of_its_text()
    {
        NftChain early = new("early", new("filter", NftHookPoint.Prerouting, -150),
            [Rule(new MatchReversePath(Missing: true), ActDecide.Drop), Rule(new MatchReversePath(Missing: false), ActDecide.Accept)]);
        NftChain forward = new("ahead", new("filter", NftHookPoint.Forward, 0), [Rule(new ActReject()),
            Rule(new MatchProtocols(IpProtocol.Tcp), new ActReject(Resets: true))]);
        Same("""
            chain early {
             type filter hook prerouting priority mangle; policy accept;
             fib saddr . mark . iif oif 0 drop
             fib saddr . mark . iif oif != 0 accept
            }
            chain ahead {
             type filter hook forward priority filter; policy accept;
             reject
             meta l4proto tcp reject with tcp reset
            }
            """, Table([], early, forward));
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void Maps_and_chains_are_what_nft_makes_of_their_text()
    {
        NftSet verdicts = new("v", [NftType.InterfaceName], false,
            [NftElement.Of(NftOctets.OfInterface("caliA"), new NftVerdict(NftVerdictCode.Goto, "sub"))], [NftType.Verdict]);
        NftSet services = new("a", [NftType.Ipv4Address, NftType.Protocol, NftType.Port], false,
            [NftElement.Of(MatchAddressPort.Key(One, 6, 80), new NftVerdict(NftVerdictCode.Goto, "sub"))], [NftType.Verdict]);
        NftSet addresses = new("w", [NftType.Ipv4Address], false,
            [Host("198.51.100.1") with { Value = new NftVerdict(NftVerdictCode.Goto, "sub") }], [NftType.Verdict]);
        NftChain sub = new("sub", null, [Rule(ActDecide.Return)]) { Comment = "why" };
        NftChain raw = new("raw", Prerouting, [Rule(new MatchProtocols(IpProtocol.Udp), new MatchPorts(NftEnd.Destination, 4789),
            new ActNoTrack()),
            Rule(new ActDecideByInterface(false, "v")), Rule(Four, new ActDecideByAddress(IpFamily.IPv4, NftEnd.Source, "w")),
            Rule(ActDecide.Jump("sub"))]);
        NftChain nat = new("nat", new("nat", NftHookPoint.Prerouting, -100), [Rule(Four, new ActDecideByService(IpFamily.IPv4, "a"))]);
        Same("""
            comment "ours"
            map v {
             type ifname : verdict
             elements = { "caliA" : goto sub }
            }
            map a {
             type ipv4_addr . inet_proto . inet_service : verdict
             elements = { 198.51.100.1 . 6 . 80 : goto sub }
            }
            map w {
             type ipv4_addr : verdict
             elements = { 198.51.100.1 : goto sub }
            }
            chain sub {
             comment "why"
             return
            }
            chain raw {
             type filter hook prerouting priority raw; policy accept;
             udp dport 4789 notrack
             iifname vmap @v
             ip saddr vmap @w
             jump sub
            }
            chain nat {
             type nat hook prerouting priority dstnat; policy accept;
             meta nfproto ipv4 ip daddr . meta l4proto . th dport vmap @a
            }
            """, Table([verdicts, services, addresses], sub, raw, nat) with { Comment = "ours" });
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void Timeouts_of_connections_are_the_objects_that_nft_makes()
    {
        var tcp = NftTimeout.OfTcp("t-", TimeSpan.FromSeconds(30), TimeSpan.FromHours(1));
        var udp = NftTimeout.OfUdp("t-", TimeSpan.FromSeconds(30));
        var pre = new NftChain("pre", new("filter", NftHookPoint.Prerouting, -150),
            [Rule(new ActTimeout(tcp.Name)), Rule(new ActTimeout(udp.Name))]);
        Same($$"""
            ct timeout {{tcp.Name}} {
             protocol tcp;
             l3proto inet;
             policy = { syn_sent : 30, syn_recv : 30, established : 3600 };
            }
            ct timeout {{udp.Name}} {
             protocol udp;
             l3proto inet;
             policy = { unreplied : 30, replied : 30 };
            }
            chain pre {
             type filter hook prerouting priority mangle; policy accept;
             ct timeout set "{{tcp.Name}}"
             ct timeout set "{{udp.Name}}"
            }
            """, Table([], pre) with { Timeouts = [tcp, udp] });
    }

    /// <summary>A set may hold every address; nft's own text cannot say so, but lists it.</summary>
    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_set_of_everything_can_be_listed_and_read_back()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Table([Prefixes("all4", "0.0.0.0/0"), Prefixes("all6", "::/0")]));
        Assert.Empty(ruleset.Problems(10));
        Assert.Contains("0.0.0.0/0", ns.Listed(), StringComparison.Ordinal);
        Assert.Contains("::/0", ns.Listed(), StringComparison.Ordinal);
    }

    /// <summary>A map behind a map nft's own text cannot say, either; both listings have the last of the two, and are read back: a
    /// host's rules may lie in one file with ours.</summary>
    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_map_that_is_asked_by_what_another_leads_to_can_be_listed()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        var table = Table(
        [
            new("numbers", [NftType.InterfaceName], false,
                [NftElement.Of(NftOctets.OfInterface("caliA"), ActDecideByInterface.Value(16))], ActDecideByInterface.ValueType),
            new("numbered", ActDecideByInterface.KeyType, false,
                [NftElement.Of(ActDecideByInterface.Key(16), new NftVerdict(NftVerdictCode.Goto, "sub"))], [NftType.Verdict]),
        ],
            new("sub", null, [Rule(ActDecide.Return)]),
            new("raw", Prerouting, [Rule(new ActDecideByInterface(false, "numbered", "numbers"))]));
        ruleset.Have(table);
        Assert.Empty(ruleset.Problems(10));
        var listed = ns.Listed();
        foreach (var line in (string[])["\"caliA\" : 0x00000000 . \"00000010\"", "\"00000010\" : goto sub", "iifname vmap @numbered"])
            Assert.Contains(line, listed, StringComparison.Ordinal);
        Assert.Contains("\"@numbered\"", ns.Nft("-j list ruleset"), StringComparison.Ordinal);
        var later = ns.Ruleset();
        later.Have(table);
        Assert.Equal(0L, later.Transactions);
        var text = ns.Nft("list ruleset");
        ns.Nft("-f -", $"flush ruleset\n{text}");
        Assert.Equal(text, ns.Nft("list ruleset"));
        // What it does not list is amiss by then, and put right by whoever compares.
        var repairing = ns.Ruleset();
        repairing.Have(table);
        Assert.NotEqual(0L, repairing.Transactions);
        Assert.Equal(text, ns.Nft("list ruleset"));
        var last = ns.Ruleset();
        last.Have(table);
        Assert.Equal(0L, last.Transactions);
    }

    private static void Same(string text, WholeTable table)
    {
        using var ns = new NetworkNamespace();
        ns.Nft("-f -", $"table inet {Name} {{\n{text}\n}}\n");
        var theirs = ns.Listed();
        ns.Nft($"delete table inet {Name}");
        var ruleset = ns.Ruleset(table.Comment);
        ruleset.Have(table);
        Assert.Equal([], ruleset.Problems(10).Select(problem => $"{problem.Part}: {problem.Words}"));
        Assert.Equal(theirs, ns.Listed());
        var later = ns.Ruleset(table.Comment);
        later.Have(table);
        Assert.Equal(0L, later.Transactions);
    }
}
