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

    private static readonly Gen<NftTable> AnyTable =
        from prefixes in Prefixes4
        from second in Gen.Elements(true, false)
        from rules in Gen.Choose(0, 3)
        select Table(
            second ? [Prefixes("pools", prefixes), Prefixes("more", prefixes)] : [Prefixes("pools", prefixes)],
            new NftChain("post", Postrouting, [.. Enumerable.Range(0, rules).Select(i => Rule(new MatchFamily(IpFamily.IPv4),
                new MatchAddress(IpFamily.IPv4, NftEnd.Source, second ? "more" : "pools", Outside: i == 1), new ActMasquerade()))]));

    [LiveFact]
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
