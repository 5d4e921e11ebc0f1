using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>Who brought the route in use for a prefix, with those whose routes share its packets; nobody: there is no route.</summary>
public readonly record struct BestChange(Prefix Prefix, ImmutableArray<ushort> Sources);

/// <summary>Is told whose the best routes are: all once, then each that moves. Called by shards; never blocks them.</summary>
public interface IBestFollower
{
    /// <summary>False: the shard keeps what it has and asks again when <see cref="Rib.Wake"/> is called.</summary>
    bool HasRoom { get; }
    void Take(ReadOnlySpan<BestChange> changes);
}

/// <summary>Tells a follower whose the best routes of one family are. What moves several times before he has room is told once.</summary>
internal sealed class BestFeed(LocRib rib, AttributeInterner attributes, IBestFollower follower)
{
    private const int Slice = 4096;
    private readonly DirtyQueue pending = new();
    private readonly Dictionary<ushort, ImmutableArray<ushort>> alone = [];
    private readonly BestChange[] changes = new BestChange[Slice];

    public void Add(uint node) => pending.Add(node);
    public void Add(ReadOnlySpan<uint> nodes) => pending.Add(nodes);
    public bool IsDone(uint node) => !pending.Contains(node);

    public bool Step()
    {
        if (pending.Count == 0 || !follower.HasRoom) return false;
        var count = 0;
        foreach (var node in pending.Take(Slice)) changes[count++] = new(rib.Table[node], SourcesOf(node));
        follower.Take(changes.AsSpan(0, count));
        return true;
    }

    private ImmutableArray<ushort> SourcesOf(uint node)
    {
        var best = rib.BestOf(node);
        if (best.Attributes == 0) return [];
        if (rib.Settings.MultipathLimit > 1 && rib.Paths[rib.First(node)].Next != 0)
            return [.. Multipath.Sharing(rib, attributes, node).Select(at => rib.Paths[at].Peer).Append(best.Peer).Distinct().Order()];
        if (!alone.TryGetValue(best.Peer, out var sources)) alone[best.Peer] = sources = [best.Peer];
        return sources;
    }
}
