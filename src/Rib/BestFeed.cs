using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>Who brought the route in use for a prefix, with those whose routes share its packets; nobody: there is no route.</summary>
public readonly record struct BestChange(Prefix Prefix, ImmutableArray<ushort> Sources);

/// <summary>
/// Is told whose the best routes are: all once, then each that moves. There may be many. Called by shards; never blocks them.
/// </summary>
public interface IBestFollower
{
    /// <summary>False: the shard keeps what it has and asks again when <see cref="Rib.Wake"/> is called.</summary>
    bool HasRoom { get; }
    void Apply(ReadOnlySpan<BestChange> changes);
}

/// <summary>
/// Tells one follower whose the best routes of one family are: a walk over the table first, in slices, and what moves behind it. What moves
/// several times before he has room is told once.
/// </summary>
internal sealed class BestFeed(LocRib rib, AttributeInterner attributes, IBestFollower follower, int slice)
{
    private readonly DirtyQueue pending = new();
    private readonly Dictionary<ushort, ImmutableArray<ushort>> alone = [];
    private readonly BestChange[] changes = new BestChange[slice];
    /// <summary>He knows nothing of prefixes from here on; none: he was told everything.</summary>
    private uint cursor = 1;
    private int count;

    public IBestFollower Follower => follower;
    public bool IsDone(uint node) => !pending.Contains(node);

    public void Add(ReadOnlySpan<uint> nodes)
    {
        foreach (var node in nodes)
            if (node < cursor) pending.Add(node);
    }

    public bool Step()
    {
        if ((pending.Count == 0 && cursor == uint.MaxValue) || !follower.HasRoom) return false;
        count = 0;
        var moved = pending.Take(slice);
        foreach (var node in moved) Tell(node);
        Walk(slice - moved.Length);
        if (count > 0) follower.Apply(changes.AsSpan(0, count));
        return true;
    }

    private void Walk(int most)
    {
        if (cursor == uint.MaxValue) return;
        var end = Math.Min(rib.Table.End, cursor + (uint)most);
        for (; cursor < end; cursor++)
            if (rib.Table.IsUsed(cursor) && rib.BestOf(cursor).Attributes != 0) Tell(cursor);
        if (cursor >= rib.Table.End) cursor = uint.MaxValue;
    }

    private void Tell(uint node) => changes[count++] = new(rib.Table[node], SourcesOf(node));

    private ImmutableArray<ushort> SourcesOf(uint node)
    {
        var best = rib.BestOf(node);
        if (best.Attributes == 0) return [];
        if (rib.Settings.MultipathLimit > 1 && rib.Paths[rib.First(node)].Next != 0)
            return [.. Multipath.SharingWith(rib, attributes, node).Select(at => rib.Paths[at].Peer).Append(best.Peer).Distinct().Order()];
        if (!alone.TryGetValue(best.Peer, out var sources)) alone[best.Peer] = sources = [best.Peer];
        return sources;
    }
}
