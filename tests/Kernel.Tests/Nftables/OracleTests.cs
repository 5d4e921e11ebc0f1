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
    private const string Pools = "set pools {\n type ipv4_addr\n flags interval\n elements = { 192.168.0.0/16 }\n}\n";
    private static readonly Address One = Address.Parse("198.51.100.1"), Nine = Address.Parse("198.51.100.9"),
        V6 = Address.Parse("2001:db8::1");
    private static readonly MatchFamily Four = new(IpFamily.IPv4);

    public static readonly TheoryData<string, NftRule> Rules = new()
    {
        { "meta nfproto ipv4 masquerade fully-random", Rule(Four, new ActMasquerade()) },
        { "meta nfproto ipv6 counter", Rule(new MatchFamily(IpFamily.IPv6), new ActCount()) },
        { "ip saddr @pools ip daddr != @pools return", Rule(
            Four, In(NftEnd.Source), In(NftEnd.Destination, outside: true), ActDecide.Return) },
        { "meta l4proto udp masquerade to :4790-65535 fully-random",
            Rule(new MatchProtocol(IpProtocol.Udp), new ActMasquerade(new(4790, 65535))) },
        { "oifname \"eth*\" accept", Rule(new MatchInterface(true, "eth*"), ActDecide.Accept) },
        { "iifname \"cali0123456789a\" accept", Rule(new MatchInterface(false, "cali0123456789a"), ActDecide.Accept) },
        { "meta nfproto ipv4 snat ip to 198.51.100.1 fully-random", Rule(Four, new ActSourceNat(One, One)) },
        { "meta nfproto ipv4 snat ip to 198.51.100.1-198.51.100.9 fully-random,persistent",
            Rule(Four, new ActSourceNat(One, Nine, null, Persistent: true)) },
        { "meta nfproto ipv6 snat ip6 to 2001:db8::1 fully-random", Rule(new MatchFamily(IpFamily.IPv6), new ActSourceNat(V6, V6)) },
        { "meta nfproto ipv4 meta l4proto tcp snat ip to 198.51.100.1-198.51.100.9:1000-2000 fully-random",
            Rule(Four, new MatchProtocol(IpProtocol.Tcp), new ActSourceNat(One, Nine, new(1000, 2000))) },
        { "fib saddr . oif type != local fib saddr type local masquerade fully-random",
            Rule(new MatchLocalSource(true, Not: true), new MatchLocalSource(false), new ActMasquerade()) },
        { "numgen random mod 10 < 4 accept", Rule(new MatchChance(10, 4), ActDecide.Accept) },
        { "jhash ip saddr mod 10 seed 0x0 < 4 accept", Rule(Four, new MatchSourceShare(IpFamily.IPv4, 10, 4), ActDecide.Accept) },
        { "meta mark & 0x4000 == 0x4000 meta mark set meta mark & 0xffffbfff",
            Rule(new MatchMark(0x4000, 0x4000), new ActMark(0xffffbfff, 0)) },
        { "ct state established,related accept", Rule(new MatchState(ConnectionStates.Established | ConnectionStates.Related),
            ActDecide.Accept) },
        { "tcp dport 80 drop", Rule(new MatchProtocol(IpProtocol.Tcp), new MatchPort(NftEnd.Destination, new(80, 80)), ActDecide.Drop) },
        { "udp sport != 100-200 accept", Rule(new MatchProtocol(IpProtocol.Udp), new MatchPort(NftEnd.Source, new(100, 200), Outside: true),
            ActDecide.Accept) },
        { "accept comment \"why\"", new NftRule([ActDecide.Accept], "why") },
    };

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
    public void Maps_and_chains_are_what_nft_makes_of_their_text()
    {
        NftSet verdicts = new("v", [NftType.InterfaceName], false,
            [NftElement.Of(NftOctets.OfInterface("caliA"), new NftVerdict(NftVerdictCode.Goto, "sub"))], [NftType.Verdict]);
        NftSet addresses = new("a", [NftType.Ipv4Address], false,
            [NftElement.Of(NftOctets.Of(One), new NftData(NftOctets.Of(Nine)))], [NftType.Ipv4Address]);
        NftChain sub = new("sub", null, [Rule(ActDecide.Return)]) { Comment = "why" };
        NftChain raw = new("raw", Prerouting, [Rule(new MatchProtocol(IpProtocol.Udp), new MatchPort(NftEnd.Destination, new(4789, 4789)),
            new ActNoTrack()),
            Rule(new ActDecideByInterface(false, "v")), Rule(ActDecide.Jump("sub"))]);
        NftChain nat = new("nat", new("nat", NftHookPoint.Prerouting, -100), [Rule(Four, new ActDestinationNat(IpFamily.IPv4, "a"))]);
        Same("""
            comment "ours"
            map v {
             type ifname : verdict
             elements = { "caliA" : goto sub }
            }
            map a {
             type ipv4_addr : ipv4_addr
             elements = { 198.51.100.1 : 198.51.100.9 }
            }
            chain sub {
             comment "why"
             return
            }
            chain raw {
             type filter hook prerouting priority raw; policy accept;
             udp dport 4789 notrack
             iifname vmap @v
             jump sub
            }
            chain nat {
             type nat hook prerouting priority dstnat; policy accept;
             dnat ip to ip daddr map @a
            }
            """, Table([verdicts, addresses], sub, raw, nat) with { Comment = "ours" });
    }

    /// <summary>A set may hold every address; nft's own text cannot say so, but lists it.</summary>
    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_set_of_everything_can_be_listed()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Table([Prefixes("all4", "0.0.0.0/0"), Prefixes("all6", "::/0")]));
        Assert.Empty(ruleset.Problems(10));
        Assert.Contains("0.0.0.0/0", ns.Listed(), StringComparison.Ordinal);
        Assert.Contains("::/0", ns.Listed(), StringComparison.Ordinal);
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
    }
}
