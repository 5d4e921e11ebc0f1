namespace Calico.Bgp.Rib;

/// <summary>
/// Walks over whole tables, done in slices between a shard's other work: a filter looks again at what a peer sent, or every prefix
/// is chosen anew because next hops or the decision's settings have changed.
/// </summary>
internal sealed class Chores(LocRib[] ribs, AttributeInterner attributes, NextHops nextHops, ImportFilter import, PeerTable peers)
{
    private const int Slice = 4096;
    private readonly Queue<IEnumerator<bool>> waiting = new();
    private Choice? next;

    /// <summary>A walk that chooses anew. <paramref name="since"/>: only prefixes with a next hop that has changed after this generation; null: all.</summary>
    private sealed class Choice(uint? since)
    {
        public uint? Since { get; set; } = since;
    }

    public void Reimport(ushort peer) => waiting.Enqueue(ReimportAll(peer).GetEnumerator());

    /// <param name="since">Only prefixes with a next hop whose state changed after this generation; null: all.</param>
    public void ChooseAgain(uint? since)
    {
        // One walk does for all that changes before it begins: next hops may move with every batch of routes.
        if (next != null)
        {
            next.Since = since is { } newer && next.Since is { } older ? Math.Min(newer, older) : null;
            return;
        }
        waiting.Enqueue(ChooseAll(next = new(since)).GetEnumerator());
    }

    /// <summary>A slice of the oldest one; false: there is none.</summary>
    public bool Step()
    {
        if (!waiting.TryPeek(out var chore)) return false;
        if (chore.MoveNext()) return true;
        waiting.Dequeue();
        chore.Dispose();
        return true;
    }

    private IEnumerable<bool> ReimportAll(ushort index)
    {
        foreach (var rib in ribs)
        {
            for (uint node = 1; node < rib.Table.End; node++)
            {
                if (node % Slice == 0) yield return true;
                if (peers.Find(index) is not { } peer) yield break;
                for (var at = rib.Table.IsUsed(node) ? rib.First(node) : 0; at != 0;)
                {
                    var (next, path) = (rib.Paths[at].Next, rib.Paths[at]);
                    if (path.Peer == index) Reaccept(rib, peer, node, at);
                    at = next;
                }
            }
        }
    }

    private void Reaccept(LocRib rib, RibPeer peer, uint node, uint at)
    {
        var accepted = import.Run(peer, rib.Paths[at].Received, rib.Table[node], rib.Family);
        rib.Reaccept(node, at, accepted, Rib.Now);
        attributes.Release(accepted);
    }

    private IEnumerable<bool> ChooseAll(Choice choice)
    {
        if (next == choice) next = null;
        foreach (var rib in ribs)
        {
            for (uint node = 1; node < rib.Table.End; node++)
            {
                if (node % Slice == 0) yield return true;
                if (rib.Table.IsUsed(node) && IsAffected(rib, node, choice.Since)) rib.ChooseAgain(node);
            }
        }
    }

    private bool IsAffected(LocRib rib, uint node, uint? since)
    {
        for (var at = rib.First(node); at != 0; at = rib.Paths[at].Next)
        {
            if (since is not { } generation) return true;
            if (rib.Paths[at].Accepted is var accepted and not 0 && nextHops.ChangedSince(attributes[accepted].NextHop, generation)) return true;
        }
        return false;
    }
}
