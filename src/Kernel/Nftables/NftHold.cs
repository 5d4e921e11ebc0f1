using System.Collections.Immutable;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// A second table, whose only use is to be there. The kernel tracks and translates connections for as long as anybody's rules ask for it:
/// were ours the only ones, then with our table's end the packets of translated connections would go out as they came, and be answered with
/// resets before it is put right. So nothing that packets go by may depend on this table, nor does it: its rule is in a chain that nobody
/// leads to, and its base chain is empty, and seen by first packets alone.
/// </summary>
internal static class NftHold
{
    private const int Last = 1000;

    public static string NameFor(string table) => table + "-hold";

    public static readonly string Comment = "keeps connections tracked and translated while the table beside it is gone";

    public static readonly ImmutableArray<NftChange> Parts =
    [
        new NftChange.PutChain(new("tracked", null, [new(new MatchState(ConnectionStates.New))])),
        new NftChange.PutChain(new("translated", new("nat", NftHookPoint.Postrouting, Last), [])),
    ];
}
