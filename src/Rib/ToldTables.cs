using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>
/// What peers were told by the process before this one, read from its images and sorted by the shards that own the prefixes here. Two that
/// were told the same there, shard for shard, were told the same.
/// </summary>
public sealed class ToldTables
{
    private sealed record Holding(IpFamily Family, MemoryStream[] Parts, TableImageWriter?[] Writers);

    private readonly int shards;
    private readonly NlriSpread spread;
    private readonly List<Holding> holdings = [];
    private readonly Dictionary<(IpFamily Family, ushort Peer), (List<int> Holdings, MemberDebts Debts)> members = [];

    public ToldTables(int shards) => (this.shards, spread) = (shards, new(shards));

    /// <summary>These were told what is added from now on.</summary>
    public void Begin(IpFamily family, IEnumerable<(ushort Peer, MemberDebts Debts)> who)
    {
        holdings.Add(new(family, [.. Enumerable.Range(0, shards).Select(_ => new MemoryStream())], new TableImageWriter?[shards]));
        foreach (var (peer, debts) in who)
        {
            var known = members.GetValueOrDefault((family, peer), ([], MemberDebts.None));
            known.Holdings.Add(holdings.Count - 1);
            members[(family, peer)] = known with { Debts = known.Debts | debts };
        }
    }

    /// <param name="source">Whose the routes are, as he is known here.</param>
    /// <exception cref="InvalidDataException">Nobody of their family was told them.</exception>
    public void Add(ushort source, in ImageRecord told)
    {
        if (holdings.Count == 0 || holdings[^1] is not { } holding || holding.Family != told.Nlri.Family)
            throw new InvalidDataException($"the image of the tables: expected who was told {told.Nlri.Family} routes, got the routes");
        foreach (var shard in spread.Spread(told.Nlri))
        {
            var writer = holding.Writers[shard] ??= new(holding.Parts[shard]);
            writer.Told(source, new() { Family = holding.Family, AddPath = told.Nlri.AddPath, Octets = spread.Of(shard) }, told.Attributes);
        }
    }

    /// <summary>A shard's part, once all has been added. Asked once.</summary>
    internal IEnumerable<(IpFamily Family, ImmutableArray<AdoptedHolding> Holdings)> Of(int shard)
    {
        foreach (var holding in holdings)
        {
            holding.Writers[shard]?.End();
            holding.Writers[shard]?.Dispose();
        }
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            var its = members.Where(member => member.Key.Family == family).Select(member => (
                member.Key.Peer, member.Value.Debts,
                Parts: member.Value.Holdings.Where(number => holdings[number].Writers[shard] != null).ToArray()));
            yield return (family, [.. its.GroupBy(member => string.Join(' ', member.Parts)).Select(alike => new AdoptedHolding(
                [.. alike.Select(member => (member.Peer, member.Debts))],
                [.. alike.First().Parts.Select(number => holdings[number].Parts[shard])]))]);
        }
    }
}
