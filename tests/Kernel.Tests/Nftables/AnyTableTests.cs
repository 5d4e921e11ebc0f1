using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Tests.Live;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;
using static Calico.Bgp.Kernel.Tests.Nftables.Tables;

namespace Calico.Bgp.Kernel.Tests.Nftables;

/// <summary>From any table to any other: afterwards the kernel holds what was wanted, however it got there.</summary>
public class AnyTableTests
{
    /// <summary>Disjoint prefixes that often touch: each takes one of sixteen places, as a /24, or as two /25.</summary>
    private static readonly Gen<string[]> Prefixes4 = Gen.Choose(0, 2).ArrayOf(16).Select(kinds => kinds
        .SelectMany((kind, i) => kind switch
        {
            0 => Array.Empty<string>(),
            1 => [$"255.255.{240 + i}.0/24"],
            _ => [$"255.255.{240 + i}.0/25", $"255.255.{240 + i}.128/25"],
        }).ToArray());

    private static readonly Gen<WholeTable> AnyTable =
        from prefixes in Prefixes4
        from second in Gen.Elements(true, false)
        from plain in Gen.Elements(true, false)
        from priority in Gen.Elements(110, 120)
        from rules in Gen.Choose(0, 3)
        from ends in Gen.Choose(0, 3).ArrayOf(3)
        from why in Gen.Elements("one", "two")
        select Table(
            [
                Prefixes("pools", prefixes),
                .. second
                    ? [Prefixes("more", prefixes) with { Intervals = !plain, Elements = [.. Elements(prefixes, plain)] }]
                    : Array.Empty<NftSet>(),
                new NftSet("ends", [NftType.InterfaceName], false, [.. ends.Select((end, i) => NftElement.Of(
                    NftOctets.OfInterface($"if{i}"), new NftVerdict(NftVerdictCode.Goto, $"end{end}")))], [NftType.Verdict]),
            ],
            [
                new NftChain("post", Postrouting with { Priority = priority }, [.. Enumerable.Range(0, rules).Select(i => Rule(
                    new MatchFamily(IpFamily.IPv4),
                    new MatchAddress(IpFamily.IPv4, NftEnd.Source, second ? "more" : "pools", Outside: i == 1), new ActMasquerade()))]),
                .. ends.Distinct().Select(end => new NftChain($"end{end}", null, [Rule(ActDecide.Drop)]) { Comment = why }),
                new NftChain("lead", Prerouting, [Rule(new ActDecideByInterface(false, "ends")), Rule(ActDecide.Jump($"end{ends[0]}"))]),
            ]);

    private static IEnumerable<NftElement> Elements(string[] prefixes, bool plain) =>
        prefixes.Select(Prefix.Parse).Select(prefix => plain ? NftElement.Of(NftOctets.Of(prefix.Address)) : NftElement.Of(prefix));

    [NeedsFact(Needs.Namespaces)]
    public void What_is_wanted_is_what_is_there()
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        Prop.ForAll(AnyTable.ArrayOf(4).ToArbitrary(), tables =>
        {
            foreach (var table in tables)
            {
                ruleset.Have(table);
                Assert.Empty(ruleset.Problems(1));
                var reader = ns.Ruleset();
                reader.Have(table);
                Assert.Equal(0L, reader.Transactions);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }
}
