using System.Text.RegularExpressions;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Tests.Live;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;
using static Calico.Bgp.Kernel.Tests.Nftables.Tables;

namespace Calico.Bgp.Kernel.Tests.Nftables;

/// <summary>Changes of parts: what each costs, in which order it comes into force, and what is left alone.</summary>
public class PartsTests
{
    private static readonly NftHook Forward = new("filter", NftHookPoint.Forward, 0);

    private static NftChange Put(NftSet set) => new NftChange.PutSet(set);
    private static NftChange Put(NftChain chain) => new NftChange.PutChain(chain);
    private static NftElement[] Hosts(params string[] addresses) =>
        [.. addresses.Select(address => NftElement.Of(NftOctets.Of(Address.Parse(address))))];
    private static NftChange Add(string set, params NftElement[] elements) => new NftChange.PutElements(set, [.. elements]);
    private static NftChange Take(string set, params NftElement[] elements) => new NftChange.RemoveElements(set, [.. elements]);
    private static NftChain Asking(string chain, string set) =>
        new(chain, Forward, [Rule(new MatchFamily(IpFamily.IPv4), new MatchAddress(IpFamily.IPv4, NftEnd.Source, set), ActDecide.Drop)]);
    private static NftSet HostSet(string name, params string[] addresses) => new(name, [NftType.Ipv4Address], false, [.. Hosts(addresses)]);
    private static NftSet Learning(string name) =>
        new(name, [NftType.Ipv4Address], false, []) { Dynamic = true, Timeout = TimeSpan.FromHours(1) };
    private static NftSet Dispatch(params string[] chains) => new("dispatch", [NftType.InterfaceName], false,
        [.. chains.Select(chain => Leading(chain, chain))], [NftType.Verdict]);
    private static NftElement Leading(string link, string chain) =>
        NftElement.Of(NftOctets.OfInterface(link), new NftVerdict(NftVerdictCode.Goto, chain));

    private static string Handles(NetworkNamespace ns, string part) =>
        ns.Nft($"-a list {part.Replace(" ", $" inet {Name} ", StringComparison.Ordinal)}");

    [NeedsFact(Needs.Namespaces, "nft")]
    public void Elements_go_ahead_in_a_transaction_of_their_own_and_nothing_is_read()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Put(HostSet("s", "192.0.2.1")), Put(Asking("c", "s")));
        var chain = Handles(ns, "chain c");
        Assert.True(ruleset.Have(Add("s", Hosts("192.0.2.2", "192.0.2.3")), Take("s", Hosts("192.0.2.1"))));
        Assert.Equal((2L, 1L, chain), (ruleset.Transactions, ruleset.Readings, Handles(ns, "chain c")));
        Assert.Contains("elements = { 192.0.2.2, 192.0.2.3 }", ns.Listed(), StringComparison.Ordinal);
        Assert.True(ruleset.Have(Add("s", Hosts("192.0.2.2")), Take("s", Hosts("192.0.2.9"))));
        Assert.Equal(2L, ruleset.Transactions);
    }

    /// <summary>A packet on its way meets elements that are newer than the rules that it keeps.</summary>
    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_chain_and_what_it_asks_are_in_force_before_a_map_that_packets_ask_leads_to_it()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        NftChain To(string name) => Asking(name, $"of-{name}") with { Hook = null };
        ruleset.Have(Put(HostSet("of-a", "192.0.2.1")), Put(To("a")), Put(Dispatch("a")));
        Assert.Equal(1L, ruleset.Transactions); // nobody asks it yet
        ruleset.Ruleset.Want([Put(HostSet("of-b", "192.0.2.2")), Put(To("b")), Take("dispatch", Leading("a", "a")),
            Add("dispatch", Leading("a", "b")), new NftChange.RemoveChain("a"), new NftChange.RemoveSet("of-a")]);
        var (seen, table) = (new List<string>(), $"list table inet {Name}");
        ruleset.Ruleset.Round(() => seen.Add(ns.Nft(table)));
        Assert.Equal((3L, 2), (ruleset.Transactions, seen.Count));
        Assert.Contains("ip saddr @of-b drop", seen[1], StringComparison.Ordinal);
        Assert.Contains("elements = { 192.0.2.2 }", seen[1], StringComparison.Ordinal);
        Assert.Contains("goto a", seen[1], StringComparison.Ordinal);
        Assert.DoesNotContain("goto b", seen[1], StringComparison.Ordinal);
        var after = ns.Nft(table);
        Assert.Contains("goto b", after, StringComparison.Ordinal);
        Assert.DoesNotContain("chain a", after, StringComparison.Ordinal);
    }

    private static NftChain Dispatching => new("c", Forward, [Rule(new ActDecideByInterface(false, "dispatch"))]);

    private static NftSet Long(int count) => Dispatch() with
    {
        Elements = [.. Enumerable.Range(0, count).Select(i => Leading($"x{i}", "a"))],
    };

    /// <summary>The map that rules ask, or asked one transaction ago, leads to what it led to.</summary>
    private static void NoPacketFindsNothing(IReadOnlyList<string> tables, int elements)
    {
        var asked = tables.Select(table => Regex.Match(table, "vmap @([a-z-]+)").Groups[1].Value).ToArray();
        for (var i = 0; i < tables.Count; i++)
            foreach (var map in asked[Math.Max(0, i - 1)..(i + 1)])
            {
                var (from, rest) = (tables[i].IndexOf($"map {map} {{", StringComparison.Ordinal), "");
                if (from >= 0) rest = tables[i][from..tables[i].IndexOf("\t}", from, StringComparison.Ordinal)];
                Assert.True(Regex.Count(rest, ": goto a") >= elements, $"packets of {i} find nothing in {map}");
            }
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_map_that_has_outgrown_its_room_has_a_stand_in_until_no_rule_asks_the_one_that_was()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        var a = Put(new NftChain("a", null, [Rule(ActDecide.Drop)]));
        ruleset.Have(Put(Long(1_500)), a, Put(Dispatching));
        Assert.Contains("size 4096", ns.Listed(), StringComparison.Ordinal);
        ruleset.Ruleset.Want([Add("dispatch", [.. Long(4_097).Elements])]);
        var seen = new List<string>();
        ruleset.Ruleset.Round(() => seen.Add(ns.Nft($"list table inet {Name}")));
        seen.Add(ns.Nft($"list table inet {Name}"));
        Assert.Equal((4L, 4, 0), (ruleset.Transactions, seen.Count, ruleset.Problems(1).Count()));
        NoPacketFindsNothing(seen, 1_500);
        Assert.Contains("vmap @dispatch-standin", seen[1], StringComparison.Ordinal);
        Assert.DoesNotContain("standin", seen[^1], StringComparison.Ordinal);
        Assert.Contains("size 16384", seen[^1], StringComparison.Ordinal);
        var later = ns.Ruleset();
        later.Have(Put(Long(4_097)), a, Put(Dispatching));
        Assert.Equal((0L, true), (later.Transactions, later.IsSettled));
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_stand_in_of_a_run_that_was_killed_goes_when_no_rule_asks_it()
    {
        for (var killed = 2; killed <= 3; killed++)
        {
            using var ns = new NetworkNamespace();
            var (ruleset, attempts) = (ns.Ruleset(), 0);
            var a = Put(new NftChain("a", null, [Rule(ActDecide.Drop)]));
            ruleset.Have(Put(Long(1_500)), a, Put(Dispatching));
            ruleset.Ruleset.Want([Add("dispatch", [.. Long(4_097).Elements])]);
            Assert.Throws<OperationCanceledException>(() => ruleset.Ruleset.Round(() =>
            {
                if (++attempts == killed) throw new OperationCanceledException();
            }));
            Assert.Contains("map dispatch-standin", ns.Listed(), StringComparison.Ordinal);
            var (later, seen) = (ns.Ruleset(), new List<string>());
            later.Ruleset.Want([Put(Long(4_097)), a, Put(Dispatching)]);
            later.Ruleset.Round(() => seen.Add(ns.Nft($"list table inet {Name}")));
            seen.Add(ns.Nft($"list table inet {Name}"));
            NoPacketFindsNothing(seen, 1_500);
            Assert.Empty(later.Problems(1));
            Assert.DoesNotContain("standin", seen[^1], StringComparison.Ordinal);
            Assert.Contains("size 16384", seen[^1], StringComparison.Ordinal);
        }
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void What_nobody_wants_any_more_while_a_map_is_made_again_goes_with_its_stand_in()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        NftChain To(string name) => new(name, null, [Rule(ActDecide.Drop)]);
        ruleset.Have(Put(Long(1_500)), Add("dispatch", Leading("y", "b")), Put(To("a")), Put(To("b")), Put(Dispatching));
        ruleset.Have(Add("dispatch", [.. Long(4_097).Elements]), Take("dispatch", Leading("y", "b")), new NftChange.RemoveChain("b"));
        Assert.Equal((4L, 0), (ruleset.Transactions, ruleset.Problems(1).Count()));
        Assert.DoesNotContain("chain b", ns.Nft($"list table inet {Name}"), StringComparison.Ordinal);
        ruleset.Have(Put(Long(10_000)));
        ruleset.Have(new NftChange.RemoveSet("dispatch"), new NftChange.RemoveChain("a"), new NftChange.RemoveChain("c"));
        Assert.Empty(ruleset.Problems(1));
        var listed = ns.Nft($"list table inet {Name}");
        Assert.DoesNotContain("map", listed, StringComparison.Ordinal);
        Assert.DoesNotContain("chain", listed, StringComparison.Ordinal);
    }

    /// <summary>A batch comes into force whole: its elements do not go ahead of its set,
    /// and what comes behind it does not overtake it there.</summary>
    [NeedsFact(Needs.Namespaces, "nft")]
    public void Elements_wait_for_the_set_that_they_belong_to()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Put(HostSet("s")));
        Assert.False(ruleset.Ruleset.Want([Put(HostSet("s", "192.0.2.1")), Put(Asking("c", "s"))]));
        Assert.False(ruleset.Have(Add("s", Hosts("192.0.2.2"))));
        Assert.Equal(2L, ruleset.Transactions);
        Assert.Contains("elements = { 192.0.2.1, 192.0.2.2 }", ns.Listed(), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_refused_element_is_named_without_another_reading_and_the_others_are_in_force()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Put(Prefixes("p", "10.0.0.0/8")));
        Assert.False(ruleset.Have(Add("p", NftElement.Of(Prefix.Parse("10.1.0.0/16")), NftElement.Of(Prefix.Parse("192.168.0.0/16")))));
        Assert.Equal("element 0a010000-0a01ffff of set p", Assert.Single(ruleset.Problems(10)).Part);
        Assert.Equal(1L, ruleset.Readings);
        Assert.Contains("elements = { 10.0.0.0/8, 192.168.0.0/16 }", ns.Listed(), StringComparison.Ordinal);
        ruleset.Have(Take("p", NftElement.Of(Prefix.Parse("10.1.0.0/16"))));
        Assert.Empty(ruleset.Problems(10));
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void What_is_in_a_dynamic_set_outlives_a_restart_and_somebody_elses_edits()
    {
        using var ns = new NetworkNamespace();
        ns.Ruleset().Have(Put(Learning("d")));
        ns.Nft($"add element inet {Name} d {{ 192.0.2.1 }}");
        var later = ns.Ruleset();
        later.Have(Put(Learning("d")), Put(Asking("c", "d")));
        later.Have(Add("d", [.. Hosts("192.0.2.2").Select(host => host with { Timeout = TimeSpan.FromMinutes(5) })]));
        ns.Nft($"flush chain inet {Name} c");
        later.Look();
        var listed = ns.Nft($"list table inet {Name}");
        Assert.Contains("192.0.2.1 expires", listed, StringComparison.Ordinal);
        Assert.Contains("192.0.2.2 timeout 5m expires", listed, StringComparison.Ordinal);
        Assert.Contains("ip saddr @d drop", listed, StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void An_element_that_has_expired_can_be_removed_and_one_that_is_there_begins_again()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Put(Learning("d")));
        Assert.True(ruleset.Have(Take("d", Hosts("192.0.2.9"))));
        Assert.Empty(ruleset.Problems(1));
        foreach (var minutes in (int[])[5, 30])
            Assert.True(ruleset.Have(Add("d",
                [.. Hosts("192.0.2.1").Select(host => host with { Timeout = TimeSpan.FromMinutes(minutes) })])));
        Assert.Contains("192.0.2.1 timeout 30m", ns.Nft($"list set inet {Name} d"), StringComparison.Ordinal);
        Assert.True(ruleset.Have(Take("d", Hosts("192.0.2.1"))));
        Assert.DoesNotContain("192.0.2.1", ns.Nft($"list set inet {Name} d"), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_set_that_becomes_another_kind_takes_only_its_own_rules_with_it()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Put(HostSet("s", "192.0.2.1")), Put(HostSet("other")), Put(Asking("c", "s")), Put(Asking("same", "other")));
        var (table, same) = (ns.Nft($"-a list table inet {Name}").Split('\n')[0], Handles(ns, "chain same"));
        ruleset.Have(Put(Prefixes("s", "10.0.0.0/8")));
        Assert.Equal((table, same, 2L),
            (ns.Nft($"-a list table inet {Name}").Split('\n')[0], Handles(ns, "chain same"), ruleset.Transactions));
        Assert.Empty(ruleset.Problems(1));
        Assert.Contains("elements = { 10.0.0.0/8 }", ns.Listed(), StringComparison.Ordinal);
        Assert.Contains("ip saddr @s drop", Handles(ns, "chain c"), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_chain_that_becomes_another_kind_is_led_to_again_by_maps_and_rules()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        NftChain Sub(string why) => new("sub", null, [Rule(ActDecide.Drop)]) { Comment = why };
        ruleset.Have(Put(Dispatch("sub")), Put(Sub("one")),
            Put(new NftChain("c", Forward, [Rule(new ActDecideByInterface(false, "dispatch")), Rule(ActDecide.Jump("sub"))])));
        ruleset.Have(Put(Sub("two")));
        Assert.Empty(ruleset.Problems(1));
        var reader = ns.Ruleset();
        reader.Have(Put(Dispatch("sub")), Put(Sub("two")),
            Put(new NftChain("c", Forward, [Rule(new ActDecideByInterface(false, "dispatch")), Rule(ActDecide.Jump("sub"))])));
        Assert.Equal((2L, 0L), (ruleset.Transactions, reader.Transactions));
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_map_goes_together_with_the_chains_that_it_leads_to_and_behind_the_rules_that_ask_it()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        NftChain End(string name) => new(name, null, [Rule(ActDecide.Drop)]);
        ruleset.Have(Put(Dispatch("a", "b")), Put(End("a")), Put(End("b")),
            Put(new NftChain("c", Forward, [Rule(new ActDecideByInterface(false, "dispatch"))])));
        ruleset.Have(Take("dispatch", Leading("a", "a")), new NftChange.RemoveChain("a"));
        Assert.DoesNotContain("chain a", ns.Nft($"list table inet {Name}"), StringComparison.Ordinal);
        ruleset.Ruleset.Want([new NftChange.RemoveSet("dispatch"), new NftChange.RemoveChain("b"), Put(new NftChain("c", Forward, []))]);
        var seen = new List<string>();
        ruleset.Ruleset.Round(() => seen.Add(ns.Nft($"list table inet {Name}")));
        Assert.Equal((4L, 2), (ruleset.Transactions, seen.Count));
        Assert.Contains("elements = { \"b\" : goto b }", seen[1], StringComparison.Ordinal);
        Assert.DoesNotContain("vmap @dispatch", seen[1], StringComparison.Ordinal);
        Assert.Empty(ruleset.Problems(1));
        Assert.DoesNotContain("dispatch", ns.Nft($"list table inet {Name}"), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_map_leads_elsewhere_as_soon_as_its_key_is_put_again()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        NftChain End(string name) => new(name, null, []);
        ruleset.Have(Put(Dispatch("a")), Put(End("a")), Put(End("b")));
        Assert.True(ruleset.Have(Add("dispatch", Leading("a", "b"))));
        Assert.Contains("elements = { \"a\" : goto b }", ns.Nft($"list table inet {Name}"), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void What_cannot_be_removed_is_named_and_the_table_stays()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        var jumping = new NftChain("c", Forward, [Rule(ActDecide.Jump("sub"))]);
        ruleset.Have(Put(new NftChain("sub", null, [])), Put(jumping));
        var before = ns.Nft($"-a list table inet {Name}").Split('\n')[0];
        ruleset.Have(new NftChange.RemoveChain("sub"), Put(HostSet("s", "192.0.2.1")));
        Assert.Equal("removal of chain sub", Assert.Single(ruleset.Problems(10)).Part);
        Assert.Contains("192.0.2.1", ns.Listed(), StringComparison.Ordinal);
        Assert.Equal(before, ns.Nft($"-a list table inet {Name}").Split('\n')[0]);
        ruleset.Have(Put(jumping with { Rules = [] }), new NftChange.RemoveChain("sub"));
        ruleset.Look();
        Assert.DoesNotContain("chain sub", ns.Nft($"list table inet {Name}"), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_part_that_goes_and_comes_before_the_kernel_hears_of_it_has_what_it_shall_have()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Put(HostSet("s", "192.0.2.1", "192.0.2.2")));
        ruleset.Have(new NftChange.RemoveSet("s"), Put(HostSet("s", "192.0.2.2", "192.0.2.3")),
            Add("s", Hosts("192.0.2.4")), Take("s", Hosts("192.0.2.3")));
        Assert.Contains("elements = { 192.0.2.2, 192.0.2.4 }", ns.Listed(), StringComparison.Ordinal);
        Assert.Empty(ruleset.Problems(1));
    }

    [NeedsFact(Needs.Namespaces)]
    public void Elements_for_a_set_that_nobody_wants_are_a_mistake_and_nothing_of_the_changes_is_taken()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Put(HostSet("s")));
        var mistake = Assert.Throws<ArgumentException>(() => ruleset.Have(new NftChange.RemoveSet("s"), Add("s", Hosts("192.0.2.1"))));
        Assert.StartsWith("expected a set that is wanted, got elements for s", mistake.Message, StringComparison.Ordinal);
        ruleset.Have(Add("s", Hosts("192.0.2.1")));
        Assert.Equal((2L, 0), (ruleset.Transactions, ruleset.Problems(1).Count()));
    }

    /// <summary>The kernel is told how much room a long set wants; one that outgrows it is made anew, in one transaction with the rules
    /// that ask it.</summary>
    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_long_set_has_room_from_the_beginning_and_gets_more_when_it_is_full()
    {
        static NftElement[] Some(int from, int count) => [.. Enumerable.Range(from, count)
            .Select(i => NftElement.Of(NftOctets.Of(Address.FromIPv4(0x0a000000u + (uint)i))))];
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        ruleset.Have(Put(HostSet("s") with { Elements = [.. Some(0, 1_500)] }), Put(Asking("c", "s")));
        Assert.Contains("size 4096", ns.Listed(), StringComparison.Ordinal);
        ruleset.Have(Add("s", Some(1_500, 2_596)));
        Assert.Equal((2L, 0), (ruleset.Transactions, ruleset.Problems(10).Count()));
        ruleset.Have(Add("s", Some(4_096, 1)), Take("s", Some(0, 1)));
        Assert.Equal((3L, 0), (ruleset.Transactions, ruleset.Problems(10).Count()));
        ruleset.Have(Add("s", Some(0, 1)));
        Assert.Equal((4L, 0), (ruleset.Transactions, ruleset.Problems(10).Count()));
        Assert.Contains("size 16384", ns.Listed(), StringComparison.Ordinal);
        Assert.Contains("ip saddr @s drop", ns.Listed(), StringComparison.Ordinal);
        var later = ns.Ruleset();
        later.Have(Put(HostSet("s") with { Elements = [.. Some(0, 4_097)] }), Put(Asking("c", "s")));
        Assert.Equal(0L, later.Transactions);
    }

    [NeedsFact(Needs.Namespaces)]
    public void Many_elements_are_one_transaction()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        NftElement[] many = [.. Enumerable.Range(0, 20_000)
            .Select(i => NftElement.Of(NftOctets.Of(Address.FromIPv4(0x0a000000 + (uint)i))))];
        ruleset.Have(Put(new NftSet("s", [NftType.Ipv4Address], false, [.. many])));
        var reader = ns.Ruleset();
        reader.Have(Put(new NftSet("s", [NftType.Ipv4Address], false, [.. many])));
        Assert.Equal((1L, 0L), (ruleset.Transactions, reader.Transactions));
    }

    /// <summary>Nobody of ours listens to it, so the count of changes has to tell: without anybody else nothing is read again.</summary>
    [NeedsFact(Needs.Namespaces, "nft")]
    public async Task After_a_long_transaction_others_edits_are_heard_of_again()
    {
        using var ns = new NetworkNamespace();
        await using var loop = ns.Inside(() =>
        {
            var made = new NftablesLoop(Name, NetworkNamespace.Watched(), TimeProvider.System, NullLogger<NftablesLoop>.Instance);
            made.Start();
            return made;
        });
        NftElement[] many = [.. Enumerable.Range(0, 5_000)
            .Select(i => NftElement.Of(NftOctets.Of(Address.FromIPv4(0x0a000000 + (uint)i))))];
        await loop.ApplyAsync([Put(HostSet("s")), Put(new NftSet("many", [NftType.Ipv4Address], false, [.. many]))]);
        Assert.Equal((1L, 1L), (loop.Status.Transactions, loop.Status.Readings));
        Assert.NotNull(loop.Status.LastTransaction);
        ns.Nft($"add element inet {Name} s {{ 192.0.2.1 }}");
        await Until.TrueAsync("a repair", () => loop.Status.Repairs == 1);
        Assert.DoesNotContain("192.0.2.1", ns.Nft($"list set inet {Name} s"), StringComparison.Ordinal);
    }
}
