using System.Text.Json.Nodes;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Kernel.Tests.Live;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;
using static Calico.Bgp.Kernel.Tests.Nftables.Tables;

namespace Calico.Bgp.Kernel.Tests.Nftables;

public class RulesetTests
{
    private static readonly NftRule Masquerade = Rule(
        new MatchFamily(IpFamily.IPv4), new MatchAddress(IpFamily.IPv4, NftEnd.Source, "pools"), new ActMasquerade());

    /// <summary>An expression that no kernel has.</summary>
    private sealed record Unheard : NftStatement
    {
        internal override void Encode(Expressions into)
        {
            into.Meta(3);
            into.Lookup("no-such-set");
        }

        internal override NftAnswer Ask(PassingPacket packet) => NftAnswer.Holds;
    }

    private static WholeTable Plain(params string[] pools) =>
        Table([Prefixes("pools", pools)], new NftChain("post", Postrouting, [Masquerade]));

    [NeedsFact(Needs.Namespaces)]
    public void What_is_there_already_is_not_written_again()
    {
        using var ns = new NetworkNamespace();
        ns.Ruleset().Have(Plain("10.0.0.0/8"));
        var later = ns.Ruleset();
        later.Have(Plain("10.0.0.0/8"));
        Assert.Equal((0L, true), (later.Transactions, later.IsSettled));
    }

    [NeedsTheory(Needs.Namespaces, "nft")]
    [MemberData(nameof(OracleTests.Rules), MemberType = typeof(OracleTests))]
    public void Every_kind_of_rule_is_known_again_after_a_restart(string text, NftRule rule)
    {
        using var ns = new NetworkNamespace();
        ns.Ruleset().Have(WithRule(rule));
        var later = ns.Ruleset();
        later.Have(WithRule(rule));
        Assert.Equal((0L, text), (later.Transactions, text));
    }

    [NeedsTheory(Needs.Namespaces, "nft")]
    [MemberData(nameof(OracleTests.Sets), MemberType = typeof(OracleTests))]
    public void Every_kind_of_set_is_known_again_after_a_restart(string text, NftSet set)
    {
        using var ns = new NetworkNamespace();
        ns.Ruleset().Have(Table([set]));
        var later = ns.Ruleset();
        later.Have(Table([set]));
        Assert.Equal((0L, text), (later.Transactions, text));
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void Only_the_difference_is_sent()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Plain("10.0.0.0/8"));
        var handles = ns.Nft($"-a list chain inet {Name} post");
        ruleset.Have(Plain("10.0.0.0/8", "192.168.0.0/16"));
        Assert.Equal((handles, 2L, 1L), (ns.Nft($"-a list chain inet {Name} post"), ruleset.Transactions, ruleset.Readings));
        Assert.Contains("elements = { 10.0.0.0/8, 192.168.0.0/16 }", ns.Listed(), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void Sets_and_chains_that_are_not_wanted_any_more_go()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        var sub = new NftChain("sub", null, [Rule(ActDecide.Return)]);
        ruleset.Have(Table([Prefixes("pools", "10.0.0.0/8"), Prefixes("more", "fd00::/8")],
            new NftChain("post", Postrouting, [Masquerade, Rule(ActDecide.Jump("sub"))]), sub));
        ruleset.Have(Plain("10.0.0.0/8"));
        using var other = new NetworkNamespace();
        other.Ruleset().Have(Plain("10.0.0.0/8"));
        Assert.Equal(other.Listed(), ns.Listed());
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void What_the_kernel_lets_nobody_change_is_replaced_in_one_transaction()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Plain("10.0.0.0/8"));
        ruleset.Have(Table([Prefixes("pools", "fd00::/8")], new NftChain("post", Postrouting with { Priority = 90 }, [])));
        Assert.Equal((2L, true), (ruleset.Transactions, ruleset.IsSettled));
        Assert.Contains("type ipv6_addr", ns.Listed(), StringComparison.Ordinal);
        Assert.Contains("priority srcnat - 10", ns.Listed(), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_refused_rule_is_named_and_the_rest_is_in_force()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Table([Prefixes("pools", "10.0.0.0/8")], new NftChain("post", Postrouting, [Rule(new Unheard()), Masquerade])));
        var problem = Assert.Single(ruleset.Problems(10));
        Assert.Equal((2, "rule in chain post: Unheard { }"), (problem.Errno, problem.Part));
        Assert.Contains("ip saddr @pools masquerade fully-random", ns.Listed(), StringComparison.Ordinal);
        ruleset.Have(Plain("10.0.0.0/8"));
        Assert.Empty(ruleset.Problems(10));
    }

    /// <summary>As a kernel that is too old for one rule of a policy's.</summary>
    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_chain_that_says_what_it_has_instead_of_a_refused_rule_has_it_in_the_same_turn_and_nothing_else_waits()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        var allow = Rule(new MatchProtocols([6]), ActDecide.Accept);
        NftChain Chain(string name, params NftRule[] rules) => new(name, null, [.. rules])
        {
            Instead = [[Rule(new ActReject(), new Unheard())], [Rule(new ActCountBy("none")), Rule(ActDecide.Drop)]],
        };
        ruleset.Have(Table([], Chain("policy", allow), Chain("other", allow), new NftChain("c", new("filter", NftHookPoint.Forward, 0),
            [Rule(ActDecide.Jump("policy"))])));
        Assert.Equal(1L, ruleset.Transactions);
        var other = ns.Nft($"-a list chain inet {Name} other");
        ruleset.Have(new NftChange.PutChain(Chain("policy", Rule(new Unheard()), allow)),
            new NftChange.PutSet(Prefixes("beside", "10.0.0.0/8")));
        // Refused: the rule, then what should be instead; and of the last resort the one part that cannot be.
        Assert.Equal((5L, true), (ruleset.Transactions, ruleset.IsSettled));
        Assert.Equal(3, ruleset.Problems(10).Count());
        Assert.All(ruleset.Problems(10), problem => Assert.Equal(("policy", true), (problem.Rule!.Chain, problem.Rule.IsLastResort)));
        Assert.Contains("chain policy {\n\t\tdrop\n\t}", ns.Listed(), StringComparison.Ordinal);
        Assert.Contains("10.0.0.0/8", ns.Listed(), StringComparison.Ordinal);
        Assert.Equal(other, ns.Nft($"-a list chain inet {Name} other"));
        var end = Assert.Single(PacketWalk.Ends(ruleset.Ruleset.Table, new Nowhere(),
            new Packet(Address.Parse("10.0.0.1"), Address.Parse("10.0.0.2")) { Protocol = IpProtocol.Tcp, In = "a", Out = "b" }));
        Assert.Equal(PacketVerdict.Drop, end.Verdict);
        ruleset.Have(new NftChange.PutChain(Chain("policy", allow)));
        Assert.Contains("chain policy {\n\t\tmeta l4proto tcp accept\n\t}", ns.Listed(), StringComparison.Ordinal);
        Assert.Empty(ruleset.Problems(10));
    }

    /// <summary>A rule that denies lets through whom its set does not know, and one that allows has lost nobody by that: both are closed.
    /// </summary>
    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_set_of_which_an_element_is_refused_closes_the_chains_that_ask_it_until_it_is_whole()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        NftRule OfSet(string set, ActDecide act) =>
            Rule(new MatchFamily(IpFamily.IPv4), new MatchAddress(IpFamily.IPv4, NftEnd.Source, set), act);
        NftChain Chain(string name, params NftRule[] rules) => new(name, null, [.. rules]) { Instead = [[Rule(ActDecide.Drop)]] };
        ruleset.Have(Table([Prefixes("some", "10.0.0.0/8"), Prefixes("others", "192.0.2.0/24")],
            Chain("deny", OfSet("some", ActDecide.Drop), Rule(ActDecide.Accept)), Chain("other", OfSet("others", ActDecide.Accept)),
            new NftChain("plain", null, [OfSet("some", ActDecide.Accept)])));
        const string closed = "chain deny {\n\t\tdrop\n\t}", open = "chain deny {\n\t\tip saddr @some drop\n\t\taccept\n\t}";
        Assert.Contains(open, ns.Listed(), StringComparison.Ordinal);
        var overlaps = NftElement.Of(Prefix.Parse("10.1.0.0/16"));
        ruleset.Have(new NftChange.PutElements("some", [overlaps]));
        Assert.Contains(closed, ns.Listed(), StringComparison.Ordinal);
        Assert.Contains("ip saddr @others accept", ns.Listed(), StringComparison.Ordinal);
        // Of one that says nothing of what it has instead, the rule stays.
        Assert.Contains("chain plain {\n\t\tip saddr @some accept\n\t}", ns.Listed(), StringComparison.Ordinal);
        Assert.Contains(ruleset.Problems(10), problem => problem.Rule is { Chain: "deny", IsLastResort: true }
            && problem.Words.StartsWith("element 0a010000-0a01ffff of set some: File exists", StringComparison.Ordinal));
        // Another edit of the closed chain is closed, too.
        ruleset.Have(new NftChange.PutChain(Chain("deny", Rule(new MatchProtocols([6]), ActDecide.Accept), OfSet("some", ActDecide.Drop),
            Rule(ActDecide.Accept))));
        Assert.Contains(closed, ns.Listed(), StringComparison.Ordinal);
        ruleset.Have(new NftChange.PutChain(Chain("deny", OfSet("some", ActDecide.Drop), Rule(ActDecide.Accept))),
            new NftChange.RemoveElements("some", [overlaps]));
        Assert.Contains(open, ns.Listed(), StringComparison.Ordinal);
        Assert.Empty(ruleset.Problems(10));
    }

    private sealed class Nowhere : IHostFacts
    {
        public bool? IsLocal(Address address) => false;
        public bool? IsLocalOn(Address address, string link) => false;
        public bool? ComesBackBy(Address source, uint mark, string link) => true;
    }

    /// <summary>The kernel is not even asked.</summary>
    [NeedsFact(Needs.Namespaces, "nft")]
    public void What_has_no_octets_is_refused_like_what_the_kernel_refuses()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        string[] names = ["an-interface-of-19-", "sixteen-letters-", "sixteen-letters-*", "", "*", "üblich-lang"];
        var unfit = names.Select(name => Rule(new MatchInterface(true, name), ActDecide.Accept));
        var talk = new NftChain("talk", null, []) { Comment = new('x', 300) };
        ruleset.Have(Table([Prefixes("pools", "10.0.0.0/8")], talk, new NftChain("post", Postrouting, [.. unfit, Masquerade])));
        var problems = ruleset.Problems(10);
        Assert.Single(problems, problem => problem.Part == "chain talk");
        const string words = "expected an interface's name";
        Assert.Equal(names.Length - 1, problems.Count(problem => problem.Words.StartsWith(words, StringComparison.Ordinal)));
        Assert.Contains("ip saddr @pools masquerade fully-random", ns.Listed(), StringComparison.Ordinal);
        Assert.Contains("oifname \"üblich-lang\"", ns.Listed(), StringComparison.Ordinal);
        ruleset.Have(Plain("10.0.0.0/8"));
        Assert.Empty(ruleset.Problems(10));
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_refused_element_is_named_and_the_others_are_in_force()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Plain("10.0.0.0/8", "10.1.0.0/16", "192.168.0.0/16"));
        var problem = Assert.Single(ruleset.Problems(10));
        Assert.Equal((17, "element 0a010000-0a01ffff of set pools"), (problem.Errno, problem.Part));
        Assert.Contains("elements = { 10.0.0.0/8, 192.168.0.0/16 }", ns.Listed(), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void What_others_put_into_our_table_goes_when_it_is_read()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Plain("10.0.0.0/8"));
        var ours = ns.Listed();
        ns.Nft("-f -", $$"""
            add element inet {{Name}} pools { 172.16.0.0/12 }
            delete element inet {{Name}} pools { 10.0.0.0/8 }
            insert rule inet {{Name}} post counter drop
            add chain inet {{Name}} theirs
            add rule inet {{Name}} post jump theirs
            add rule inet {{Name}} theirs accept

            """);
        ruleset.Look();
        Assert.Equal((ours, 2L), (ns.Listed(), ruleset.Transactions));
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void Other_tables_are_left_alone()
    {
        using var ns = new NetworkNamespace();
        ns.Nft("-f -",
            "table inet theirs {\n set pools {\n  type ipv4_addr\n }\n chain post {\n  type nat hook postrouting priority 100\n }\n}\n");
        var theirs = ns.Nft("-a list ruleset");
        var ruleset = ns.Ruleset();
        ruleset.Have(Plain("10.0.0.0/8"));
        Assert.Null(ruleset.Ruleset.Flush());
        Assert.Equal(theirs, ns.Nft("-a list ruleset"));
    }

    /// <summary>As kernels before 6.12 need it, too.</summary>
    [NeedsTheory(Needs.Namespaces, "nft")]
    [InlineData(true)]
    [InlineData(false)]
    public void An_element_that_is_put_again_has_the_time_that_it_is_put_with_and_the_kernel_tells_who_is_there(bool renews)
    {
        using var ns = new NetworkNamespace();
        var ruleset = new Ruleset(Name, null, ns.Inside(() => new NetlinkSocket(0, 1 << 20, NetlinkProtocol.Netfilter)), null,
            TimeProvider.System, NullLogger.Instance)
        { RenewsTimeouts = renews };
        var keeper = new Keeper(ruleset);
        NftElement Host(string address, int hours) =>
            NftElement.Of(NftOctets.Of(Address.Parse(address))) with { Timeout = TimeSpan.FromHours(hours) };
        keeper.Have(Table([new NftSet("open", [NftType.Ipv4Address], false, []) { Dynamic = true }]));
        foreach (var hours in (int[])[10, 20, 5])
        {
            Assert.True(keeper.Have(new NftChange.PutElements("open", [Host("192.0.2.1", hours), Host("192.0.2.2", 10)])));
            Assert.Empty(keeper.Problems(1));
            var listed = JsonNode.Parse(ns.Nft($"-j list set inet {Name} open"))!["nftables"]![1]!["set"]!["elem"]!.AsArray()
                .Select(one => one!["elem"]!).ToDictionary(one => one["val"]!.GetValue<string>(), one => one["expires"]!.GetValue<int>());
            Assert.InRange(listed["192.0.2.1"], ((hours - 1) * 3600) + 1, hours * 3600);
        }
        foreach (var (address, isThere) in ((string, bool)[])[("192.0.2.2", true), ("192.0.2.3", false)])
        {
            var key = NftOctets.Of(Address.Parse(address));
            Assert.Equal(isThere, ruleset.TableOfNow.Find("open", key).IsThere);
            Assert.Null(ruleset.Table.Find("open", key).IsThere);
        }
    }

    [NeedsFact(Needs.Namespaces)]
    public void A_kernel_that_has_everything_lacks_nothing_and_keeps_no_trace_of_the_question()
    {
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 20, NetlinkProtocol.Netfilter));
        Assert.Empty(NftProbe.Missing(socket, Name, NftProbe.All));
        var ruleset = ns.Ruleset();
        ruleset.Have(WholeTable.Empty);
        Assert.Equal(1L, ruleset.Transactions);
    }

    [NeedsFact(Needs.Namespaces)]
    public void A_missing_feature_is_told_by_its_option()
    {
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 20, NetlinkProtocol.Netfilter));
        Assert.Equal(["CONFIG_NF_TABLES"], NftProbe.Missing(socket, Name, [new Unheard(), new ActMasquerade()]));
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public async Task A_deleted_table_comes_back_and_is_counted()
    {
        using var ns = new NetworkNamespace();
        await using var loop = ns.Inside(() =>
        {
            var made = new NftablesLoop(Name, NetworkNamespace.Watched(), TimeProvider.System, NullLogger<NftablesLoop>.Instance);
            made.Start();
            return made;
        });
        await loop.ApplyAsync(Plain("10.0.0.0/8").After(WholeTable.Empty));
        Assert.Equal(0, loop.Status.Repairs);
        for (var time = 1; time <= 2; time++)
        {
            ns.Nft("flush ruleset");
            await Until.EqualAsync(time, () => (int)loop.Status.Repairs);
            Assert.Contains("10.0.0.0/8", ns.Nft($"list table inet {Name}"), StringComparison.Ordinal);
        }
        ns.Nft("add table inet others");
        await loop.ApplyAsync([new NftChange.PutElements("pools", [NftElement.Of(Prefix.Parse("192.168.0.0/16"))])]);
        Assert.Equal((2L, 3L), (loop.Status.Repairs, loop.Status.Readings));
        Assert.Null(await loop.FlushAsync());
        Assert.DoesNotContain(Name, ns.Nft("list ruleset"), StringComparison.Ordinal);
    }

    /// <summary>Twenty rules, each with a set of its own, and a counter that they count by.</summary>
    private static WholeTable Literal(params NftStatement[] first)
    {
        NftRule[] rules =
        [
            .. first.Select(statement => Rule(statement)), Rule(new ActCountBy("seen")),
            .. Enumerable.Range(1, 20).Select(n => Rule(new MatchProtocols([6, 17]),
                new MatchPorts(NftEnd.Destination, [new((ushort)n, (ushort)n), new((ushort)(1000 + n), (ushort)(2000 + n))]),
                ActDecide.Accept)),
        ];
        return Table([], new NftChain("out", new("filter", NftHookPoint.Output, 0), [.. rules])) with { Counters = ["seen", "other"] };
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void Rules_with_sets_of_their_own_are_adopted_without_a_write_and_written_again_where_a_set_differs()
    {
        using var ns = new NetworkNamespace();
        ns.Ruleset().Have(Literal());
        var listed = ns.Nft($"list chain inet {Name} out");
        Assert.Contains("tcp, udp", listed, StringComparison.Ordinal);
        var later = ns.Ruleset();
        later.Have(Literal());
        Assert.Equal((0L, 1L, true), (later.Transactions, later.Readings, later.IsSettled));
        // The rule looks the same, and only what is in its set does not.
        var handle = ns.Nft($"-a list chain inet {Name} out").Split('\n')
            .Single(line => line.Contains("1007-2007", StringComparison.Ordinal)).Split(' ')[^1];
        ns.Nft($"add rule inet {Name} out position {handle} meta l4proto {{ tcp, udp }} th dport {{ 7, 1007-2006 }} accept");
        ns.Nft($"delete rule inet {Name} out handle {handle}");
        later.Look();
        Assert.Equal((1L, listed), (later.Transactions, ns.Nft($"list chain inet {Name} out")));
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void What_is_refused_of_rules_with_sets_of_their_own_leaves_the_others_in_force()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Literal(
            new Unheard(), new ActReject(), new ActLog(1, new('x', 128)), new MatchNets(IpFamily.IPv4, NftEnd.Source, [])));
        string[] refused = ["Unheard { }", "ip saddr {  }", $"log prefix \"{new string('x', 128)}\" group 1"];
        Assert.Equal(refused.Select(rule => $"rule in chain out: {rule}"),
            ruleset.Problems(10).Select(problem => problem.Part).Order(StringComparer.Ordinal));
        Assert.Contains("reject", ns.Listed(), StringComparison.Ordinal);
        Assert.Equal(20, ns.Listed().Split("th dport").Length - 1);
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public async Task A_counter_outlives_the_rules_that_count_by_it()
    {
        using var ns = new NetworkNamespace();
        await using var loop = ns.Inside(() =>
        {
            var made = new NftablesLoop(Name, NetworkNamespace.Watched(), TimeProvider.System, NullLogger<NftablesLoop>.Instance);
            made.Start();
            return made;
        });
        await loop.ApplyAsync(Literal().After(WholeTable.Empty));
        using (var socket = ns.Inside(() => new System.Net.Sockets.UdpClient(0)))
            for (var i = 0; i < 3; i++) socket.Send([1, 2], "10.0.0.1", 9);
        Assert.Equal(new NftCount("other", 0, 0), Assert.Single(await loop.CountersAsync("o")));
        var before = Assert.Single(await loop.CountersAsync("seen"));
        Assert.InRange(before.Packets, 3ul, 100ul);
        Assert.InRange(before.Octets, 3 * 30ul, 100_000ul);
        await loop.ApplyAsync(Literal(new ActReject()).After(Literal()));
        Assert.InRange(Assert.Single(await loop.CountersAsync("seen")).Packets, before.Packets, 100ul);
        await loop.ApplyAsync([new NftChange.RemoveChain("out"), new NftChange.RemoveCounter("seen")]);
        Assert.Equal(["other"], (await loop.CountersAsync("")).Select(count => count.Name));
    }
}
