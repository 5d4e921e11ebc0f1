using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>Where the kernel should send a prefix. Many prefixes share one; compared by value.</summary>
/// <param name="Origin">Own static routes carry no ways out here: their owner knows them by their prefix.</param>
public sealed record FibTarget(RouteOrigin Origin, ImmutableArray<NextHopVia> Vias, KernelHints Hints)
{
    /// <summary>
    /// Through the IPIP tunnel: the ways out are the BGP next hops themselves, of which only the tunnel's name is missing.
    /// </summary>
    public bool Tunnel { get; init; }

    public bool Equals(FibTarget? other) =>
        other != null && Origin == other.Origin && Hints == other.Hints && Tunnel == other.Tunnel
            && Vias.AsSpan().SequenceEqual(other.Vias.AsSpan());
    public override int GetHashCode() => HashCode.Combine(Origin, Hints, Vias.Length, Vias.Length > 0 ? Vias[0] : default);
}

/// <summary>Null target: the prefix has no route of ours any more.</summary>
public readonly record struct FibChange(Prefix Prefix, FibTarget? Target);

/// <summary>Takes the best routes on their way to the kernel. Called by shards; never blocks them.</summary>
public interface IFibSink
{
    /// <summary>False: the shard keeps what it has and asks again when <see cref="Rib.Wake"/> is called.</summary>
    bool HasRoom { get; }

    /// <summary>The source of routes that stands for the kernel: what the kernel is told is counted as told to that.</summary>
    ushort CountedAs(IpFamily family);

    void Apply(ReadOnlySpan<FibChange> changes);

    /// <summary>Which routes the kernel gets. When it changes, the RIB is told with <see cref="Rib.FibFilterChanged"/>.</summary>
    IFilter Export { get; }
}

/// <summary>
/// Tells the kernel's side which ways the best routes of one family lead; like an export group whose only member is the FIB.
/// </summary>
internal sealed class FibFeed(
    LocRib rib, AttributeInterner attributes, NextHops nextHops, PeerTable peers, IFibSink sink, PeerCounts counts, int slice)
    : IDisposable
{
    private readonly AttributeEditor editor = new();
    private readonly FilterInputs inputs = new(attributes, nextHops);
    private const uint DefaultMetricIPv6 = 1024; // IP6_RT_PRIO_USER
    private const int MostVias = 256; // what Kernel takes of one route; ways over ways multiply
    private readonly DirtyQueue pending = new();
    /// <summary>Index in <see cref="targets"/> of what the sink was told; 0: nothing.</summary>
    private readonly Slab<uint> told = new();
    private readonly Dictionary<FibTarget, uint> indexes = [];
    private readonly List<FibTarget?> targets = [null];
    /// <summary>How many prefixes lead to each target; one that nobody leads to gives its index back.</summary>
    private readonly List<int> uses = [0];
    private readonly Stack<uint> free = [];
    private readonly List<NextHopVia> vias = [];
    private readonly List<(uint Attributes, ushort Peer)> paths = [];
    private readonly List<double> shares = [];
    private readonly List<WayHop> wayHops = [];
    private int count;
    private readonly FibChange[] changes = new FibChange[slice];
    private (uint Attributes, ushort Peer, uint Index) last;
    /// <summary>From here on routes are offered to the sink's filter again; at the end of the table: none is.</summary>
    private uint offered = uint.MaxValue;

    public long Octets => told.Octets;
    public bool IsBehind => pending.Count > 0 || offered != uint.MaxValue;
    public void Dispose() => told.Dispose();
    public void Add(ReadOnlySpan<uint> nodes) => pending.Add(nodes);
    public bool IsDone(uint node) => told.Peek(node) == 0 && !pending.Contains(node);

    /// <summary>The sink's filter is another: it looks at every route again, in slices, and at what moves as ever.</summary>
    public void OfferAgain() => offered = 1;

    public bool Step()
    {
        if ((pending.Count == 0 && offered == uint.MaxValue) || !sink.HasRoom) return false;
        count = 0;
        last = default;
        var moved = pending.Take(slice);
        foreach (var node in moved) Offer(node);
        OfferMore(slice - moved.Length);
        if (count > 0) sink.Apply(changes.AsSpan(0, count));
        return true;
    }

    private void OfferMore(int most)
    {
        if (offered == uint.MaxValue) return;
        var end = Math.Min(rib.Table.End, offered + (uint)most);
        for (; offered < end; offered++)
            if (rib.Table.IsUsed(offered) && !rib.IsDeferred(offered)) Offer(offered);
        if (offered >= rib.Table.End) offered = uint.MaxValue;
    }

    private void Offer(uint node)
    {
        var index = IndexFor(node);
        ref var before = ref told.Column(node);
        if (before == index) return;
        if (before != 0 && --uses[(int)before] == 0) Forget(before);
        if (index != 0) uses[(int)index]++;
        if (index != 0) counts.ExportUpdates++;
        else counts.ExportWithdraws++;
        counts.Exported += (index != 0 ? 1 : 0) - (before != 0 ? 1 : 0);
        before = index;
        changes[count++] = new(rib.Table[node], targets[(int)index]);
    }

    private uint IndexFor(uint node)
    {
        var best = rib.BestOf(node);
        if (best.Attributes == 0) return 0;
        var alone = rib.Settings.MultipathLimit <= 1 || rib.Paths[rib.First(node)].Next == 0;
        var repeats = alone && !sink.Export.LooksAtPrefix && attributes[best.Attributes].NextHop is var nextHop
            && (nextHop == 0 || nextHops.IsPlain(nextHop));
        if (repeats && last.Attributes == best.Attributes && last.Peer == best.Peer) return last.Index;
        var target = TargetOf(node, best);
        if (target == null) return 0;
        if (!indexes.TryGetValue(target, out var index)) index = Remember(target);
        if (repeats) last = (best.Attributes, best.Peer, index);
        return index;
    }

    private uint Remember(FibTarget target)
    {
        if (!free.TryPop(out var index))
        {
            index = (uint)targets.Count;
            targets.Add(null);
            uses.Add(0);
        }
        indexes[target] = index;
        targets[(int)index] = target;
        return index;
    }

    private void Forget(uint index)
    {
        indexes.Remove(targets[(int)index]!);
        targets[(int)index] = null;
        free.Push(index);
    }

    private FibTarget? TargetOf(uint node, Best best)
    {
        var source = peers[best.Peer];
        if (!Judge(node, best, source, out var hints, out var tunnel).IsAccepted) return null;
        if (source.Origin == RouteOrigin.Static) return new(RouteOrigin.Static, [], hints);
        vias.Clear();
        paths.Clear();
        paths.Add((best.Attributes, best.Peer));
        foreach (var at in Multipath.SharingWith(rib, attributes, node)) paths.Add((rib.Paths[at].Accepted, rib.Paths[at].Peer));
        if (Weights.AreAsked(attributes, paths)) LeadByWeight(node, tunnel);
        else foreach (var path in paths) Lead(node, attributes[path.Attributes].NextHop, peers[path.Peer], tunnel);
        return new(RouteOrigin.Bgp, [.. vias], hints) { Tunnel = tunnel };
    }

    private void Lead(uint node, uint nextHop, RibPeer source, bool tunnel)
    {
        if (tunnel)
        {
            Lead(new(nextHops.NameOf(nextHop).Address, 0, OnLink: true));
            return;
        }
        foreach (var via in nextHops.For(nextHop, source.Direct, rib.Table, node).Vias) Lead(via);
    }

    /// <summary>
    /// The ways to one next hop share what it gets. A way that several next hops have in common gets what it would get of each.
    /// </summary>
    private void LeadByWeight(uint node, bool tunnel)
    {
        shares.Clear();
        foreach (var path in paths)
        {
            var (bandwidth, nextHop) = (Weights.Of(attributes, path.Attributes), attributes[path.Attributes].NextHop);
            ImmutableArray<NextHopVia> ways = tunnel
                ? [new(nextHops.NameOf(nextHop).Address, 0, OnLink: true)]
                : nextHops.For(nextHop, peers[path.Peer].Direct, rib.Table, node).Vias;
            var sum = ways.Sum(way => way.Weight);
            foreach (var way in ways)
            {
                var at = vias.IndexOf(way with { Weight = 1 });
                if (at >= 0) shares[at] += bandwidth * way.Weight / sum;
                else if (vias.Count < MostVias)
                {
                    vias.Add(way with { Weight = 1 });
                    shares.Add(bandwidth * way.Weight / sum);
                }
            }
        }
        if (vias.Count < 2) return;
        var weights = Weights.Between(shares);
        for (var i = 0; i < vias.Count; i++) vias[i] = vias[i] with { Weight = weights[i] };
    }

    private void Lead(NextHopVia via)
    {
        if (vias.Count < MostVias && !vias.Contains(via)) vias.Add(via);
    }

    /// <summary>
    /// The prefix's route as one that next hops may lie behind; null: the kernel gets none of ours, or in a table that they are not looked
    /// up in.
    /// </summary>
    public Way? WayOf(uint node)
    {
        var best = rib.BestOf(node);
        if (best.Attributes == 0) return null;
        var source = peers[best.Peer];
        if (!Judge(node, best, source, out var hints, out var tunnel).IsAccepted) return null;
        if (hints.Table != 0 && hints.Table != nextHops.Resolver.Table) return null;
        var metric = hints.Metric == 0 && rib.Family == IpFamily.IPv6 ? DefaultMetricIPv6 : hints.Metric;
        if (source.Origin == RouteOrigin.Static)
            return nextHops.Resolver.Static(rib.Table[node]) is { } leads
                ? new(metric, new(leads.Vias), []) { Peer = best.Peer, End = leads.End } : null;
        // Whether the tunnel is there is not known here: better behind it than around it.
        if (tunnel) return new(metric, [], []) { Peer = best.Peer, End = NextHopRule.Tunnel };
        wayHops.Clear();
        wayHops.Add(HopOf(attributes[best.Attributes].NextHop, source));
        foreach (var at in Multipath.SharingWith(rib, attributes, node))
            wayHops.Add(HopOf(attributes[rib.Paths[at].Accepted].NextHop, peers[rib.Paths[at].Peer]));
        return new(metric, [], [.. wayHops]) { Peer = best.Peer };
    }

    private WayHop HopOf(uint nextHop, RibPeer source) =>
        nextHops.NameOf(nextHop) is var (address, scope) ? new(address, scope, source.Direct) : default;

    /// <summary>Whether the kernel gets the route, for those who look in.</summary>
    public Verdict Explain(uint node, Best best) => Judge(node, best, peers[best.Peer], out _, out _);

    /// <summary>
    /// The kernel's own filter (<c>kernel.export</c>) behind what goes without saying: which routes it gets, with which metric and table.
    /// </summary>
    private Verdict Judge(uint node, Best best, RibPeer source, out KernelHints hints, out bool tunnel)
    {
        ref var row = ref attributes[best.Attributes];
        (hints, tunnel) = (row.Marks.Hints, false);
        if (source.Origin is not (RouteOrigin.Static or RouteOrigin.Bgp)) return Verdict.Against(RouteRule.KernelsOwn);
        if (source.Origin == RouteOrigin.Bgp && row.NextHop == 0) return Verdict.Against(RouteRule.NoNextHop);
        if (sink.Export is AcceptAll) return new(FilterVerdict.Accept, RouteRule.Filter, AcceptAll.Label);
        var result = sink.Export.Run(inputs.Of(best.Attributes, source, rib.Family, rib.Table[node], default), editor);
        (hints, tunnel) = (result.Hints, result.Tunnel);
        return Verdict.Of(result);
    }
}

/// <summary>Paths that are used together with the best one.</summary>
internal static class Multipath
{
    /// <summary>The further paths (not the best one itself) in the order of the table, at most the configured number less one.</summary>
    public static IEnumerable<uint> SharingWith(LocRib rib, AttributeInterner attributes, uint node) =>
        SharingWith(rib, attributes, node, rib.Settings.MultipathLimit);

    /// <param name="limit">Of paths used together, the best one among them.</param>
    public static IEnumerable<uint> SharingWith(LocRib rib, AttributeInterner attributes, uint node, int limit)
    {
        var most = limit - 1;
        for (var at = rib.Paths[rib.First(node)].Next; at != 0 && most > 0; at = rib.Paths[at].Next)
        {
            if (Judge(rib, attributes, node, at) != Sharing.Shares) continue;
            most--;
            yield return at;
        }
    }

    /// <summary>What a path's share of the packets is to the others'; 1 where no shares are asked for.</summary>
    public static int WeightOf(LocRib rib, AttributeInterner attributes, uint node, uint at)
    {
        if (rib.Settings.MultipathLimit <= 1 || !attributes[rib.Paths[at].Accepted].Summary.Has(AttributeMarks.HasLinkBandwidth)) return 1;
        List<uint> used = [rib.First(node), .. SharingWith(rib, attributes, node)];
        var paths = used.ConvertAll(path => (rib.Paths[path].Accepted, rib.Paths[path].Peer));
        var index = used.IndexOf(at);
        if (index < 0 || !Weights.AreAsked(attributes, paths)) return 1;
        return Weights.Between(paths.ConvertAll(path => Weights.Of(attributes, path.Accepted)))[index];
    }

    /// <summary>Whether a further path is used together with the best one, and by which rule.</summary>
    public static Sharing Of(LocRib rib, AttributeInterner attributes, uint node, uint at)
    {
        if (rib.Settings.MultipathLimit <= 1 || at == rib.First(node)) return Sharing.NotAsked;
        var verdict = Judge(rib, attributes, node, at);
        return verdict == Sharing.Shares && !SharingWith(rib, attributes, node).Contains(at) ? Sharing.OverLimit : verdict;
    }

    private static Sharing Judge(LocRib rib, AttributeInterner attributes, uint node, uint at)
    {
        if (!rib.IsEligible(node, rib.Paths[at])) return Sharing.NotAsked;
        if (attributes[rib.Paths[at].Accepted].NextHop == 0) return Sharing.NoNextHop;
        return Decision.Share(rib.CandidateOf(node, rib.First(node)), rib.CandidateOf(node, at), rib.Settings);
    }
}
