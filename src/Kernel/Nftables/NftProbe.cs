using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// Asks the kernel what it can do without leaving a trace: a transaction that tries everything and ends with something impossible, so
/// that none of it comes into force, while each part that is not to be had answers for itself.
/// </summary>
internal static class NftProbe
{
    private const string Chain = "probe", Impossible = "bgpd-no-such-table";

    private static readonly Address Any = Address.FromIPv4(0x7f000001);

    public static readonly NftStatement[] All =
    [
        new ActMasquerade(), new ActSourceNat(Any, Any), new MatchLocalSource(OfOutgoingInterface: false), new MatchChance(2, 1),
        new MatchSourceShare(IpFamily.IPv4, 2, 1),
    ];

    /// <summary>nf_tables' own where the kernel has both, and copies where it has neither.</summary>
    public static QueueWay Queue(NetlinkSocket socket, string table) => Queue(act => Missing(socket, table, act).Count == 0);

    public static QueueWay Queue(Predicate<ActQueue> isTaken) =>
        new[] { QueueWay.Expression, QueueWay.Target, QueueWay.Copies }.FirstOrDefault(way => isTaken(new(0, way)));

    /// <returns>The options that the kernel is not built with, of those that <paramref name="statements"/> need.</returns>
    public static List<string> Missing(NetlinkSocket socket, string table, params ReadOnlySpan<NftStatement> statements)
    {
        var transaction = new NftTransaction(socket);
        transaction.Begin();
        transaction.Add(new NftPart.Table(table), NftMessage.AddTable(table, null));
        transaction.Add(new NftPart.Chain(Chain), NftMessage.AddChain(table, new(Chain, new("nat", NftHookPoint.Postrouting, 100), [])));
        foreach (var statement in statements) Add(transaction, table, statement);
        transaction.Add(new NftPart.Removal(new NftPart.Table(Impossible)), NftMessage.DeleteTable(Impossible));
        if (transaction.Exchange() != NftOutcome.Refused) return [];
        return [.. Options(transaction.Refusals.Where(refusal => NftFeature.IsMissing(refusal.Errno)))];
    }

    private static void Add(NftTransaction transaction, string table, NftStatement statement)
    {
        NftRule rule = new(new MatchFamily(IpFamily.IPv4), statement);
        transaction.Add(new NftPart.Rule(Chain, rule), () => NftMessage.AddRule(table, Chain, rule, () => 1));
    }

    /// <summary>Without tables of family inet, or chains of type nat, nothing behind them can be told.</summary>
    private static IEnumerable<string> Options(IEnumerable<NftRefusal> refusals)
    {
        var all = refusals.ToList();
        if (all.Exists(refusal => refusal.Part is NftPart.Table)) return ["CONFIG_NF_TABLES_INET"];
        if (all.Exists(refusal => refusal.Part is NftPart.Chain)) return ["CONFIG_NFT_NAT"];
        return all.Select(refusal => refusal.Part).OfType<NftPart.Rule>().Select(part => NftFeature.Option(part.Value.Statements[^1]))
            .Distinct();
    }
}
