using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>
/// Walks over whole tables, done in slices between a shard's other work: what peers have taken back as a whole is removed, a filter looks
/// again at what a peer sent, or every prefix is chosen anew because next hops or the decision's settings have changed.
/// </summary>
/// <remarks>
/// What changes while a walk is on its way is none of its business: whoever changes a prefix chooses there by what holds now, and the walk
/// does the same when it comes by. Who asks for a walk that has not begun yet shares it; one that has begun may have passed already, so
/// there will be another.
/// </remarks>
/// <param name="slice">Prefixes that a walk looks at before other work has its turn.</param>
internal sealed class Chores(
    LocRib[] ribs, AttributeInterner attributes, NextHops nextHops, ImportFilter import, PeerTable peers, int slice)
{
    private readonly Queue<IEnumerator<bool>> waiting = new();
    /// <summary>Whose routes the next walk over a family's table removes.</summary>
    private readonly HashSet<TableCycle>[] gone = [[], []];
    private IEnumerator<bool>? removal;
    private Choice? next;
    private Import? nextImport;
    private readonly List<uint> paths = [];

    /// <summary>What is accepted otherwise by now was so in another process already: its time is known.</summary>
    public bool IsRestoring { get; set; }

    /// <summary>
    /// A walk that chooses anew. <paramref name="since"/>: only prefixes with a next hop that has changed after this generation; null: all.
    /// </summary>
    private sealed class Choice(uint? since)
    {
        public uint? Since { get; set; } = since;
    }

    /// <summary>A walk on which the import filter looks again: at what these peers sent, and at all that lies in these ranges.</summary>
    private sealed class Import
    {
        public HashSet<ushort> Peers { get; } = [];
        /// <summary>Of these more has changed than their filters: what is chosen, and how it is told, depends on them too.</summary>
        public HashSet<ushort> Others { get; } = [];
        public PrefixMap<bool>[] Ranges { get; } = [new(IpFamily.IPv4), new(IpFamily.IPv6)];
    }

    /// <summary>Some of what a peer has said may be gone: one walk for all peers that went down together, before all other walks.</summary>
    public void RemoveGone(TableCycle cycle, IpFamily family)
    {
        if (!cycle.HasGone) return;
        gone[(int)family].Add(cycle);
        removal ??= RemoveAllGone().GetEnumerator();
    }

    /// <summary>All of it, at once.</summary>
    public void RemoveGoneNow()
    {
        while (StepRemoval()) { }
    }

    /// <summary>The filter looks at all that the peer sent again.</summary>
    /// <param name="isAnother">More of it has changed than its filter.</param>
    public void Reimport(ushort peer, bool isAnother = false)
    {
        NextImport().Peers.Add(peer);
        if (isAnother) NextImport().Others.Add(peer);
    }

    /// <summary>The filters look again at every path to a prefix in the range (itself or longer).</summary>
    public void Reimport(Prefix range) => NextImport().Ranges[(int)range.Family][range] = true;

    private Import NextImport()
    {
        if (nextImport != null) return nextImport;
        waiting.Enqueue(ReimportAll(nextImport = new()).GetEnumerator());
        return nextImport;
    }

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

    /// <summary>A walk on which everybody looks at every prefix again; nothing is chosen anew.</summary>
    /// <param name="done">Called when it is over.</param>
    public void MoveAll(LocRib rib, Action done) => waiting.Enqueue(MoveEvery(rib, done).GetEnumerator());

    /// <summary>A slice of the removal, or of the oldest of the others; false: there is none.</summary>
    public bool Step()
    {
        if (StepRemoval()) return true;
        if (!waiting.TryPeek(out var chore)) return false;
        if (chore.MoveNext()) return true;
        waiting.Dequeue();
        chore.Dispose();
        return true;
    }

    private bool StepRemoval()
    {
        if (removal == null) return false;
        if (removal.MoveNext()) return true;
        removal.Dispose();
        removal = null;
        return true;
    }

    private IEnumerable<bool> RemoveAllGone()
    {
        while (gone[0].Count + gone[1].Count > 0)
        {
            foreach (var rib in ribs)
            {
                var peersGone = gone[(int)rib.Family].Select(cycle => (Cycle: cycle, cycle.Gone)).ToArray();
                gone[(int)rib.Family].Clear();
                for (uint node = 1; node < rib.Table.End; node++)
                {
                    if (node % slice == 0) yield return true;
                    // With the last of what is gone the walk is over; a mesh has many peers of few routes each.
                    if (node % slice <= 1 && !Array.Exists(peersGone, peer => peer.Cycle.HasGone)) break;
                    if (rib.Table.IsUsed(node)) rib.RemoveGone(node);
                }
                foreach (var (cycle, before) in peersGone) cycle.Removed(before);
            }
        }
    }

    private IEnumerable<bool> ReimportAll(Import import)
    {
        if (nextImport == import) nextImport = null;
        foreach (var rib in ribs)
        {
            var ranges = import.Ranges[(int)rib.Family];
            if (import.Peers.Count == 0 && ranges.Count == 0) continue;
            for (uint node = 1; node < rib.Table.End; node++)
            {
                if (node % slice == 0) yield return true;
                if (!rib.Table.IsUsed(node)) continue;
                Reimport(rib, node, import, isInRange: ranges.Count > 0 && ranges.TryLongest(rib.Table[node], out _, out _));
            }
        }
    }

    private void Reimport(LocRib rib, uint node, Import import, bool isInRange)
    {
        var isAnother = false;
        // Each may change which is the first: they are listed before.
        paths.Clear();
        for (var at = rib.First(node); at != 0; at = rib.Paths[at].Next)
        {
            var peer = rib.Paths[at].Peer;
            if (isInRange || import.Peers.Contains(peer)) paths.Add(at);
            isAnother |= import.Others.Contains(peer);
        }
        foreach (var at in paths) Reaccept(rib, peers[rib.Paths[at].Peer], node, at);
        if (isAnother) rib.ChooseAgain(node);
    }

    private void Reaccept(LocRib rib, RibPeer peer, uint node, uint at)
    {
        var (received, cycle) = (rib.Paths[at].Received, peers.Cycle(peer.Index, rib.Family));
        var accepted = cycle.IsLongStale(rib.Paths[at].Cycle)
            ? import.RunLongStale(peer, received, rib.Table[node], rib.Family)
            : import.Run(peer, received, rib.Table[node], rib.Family);
        rib.Reaccept(node, at, accepted, IsRestoring ? rib.Paths[at].Changed : Rib.Now);
        attributes.Release(accepted);
    }

    private IEnumerable<bool> MoveEvery(LocRib rib, Action done)
    {
        for (uint node = 1; node < rib.Table.End; node++)
        {
            if (node % slice == 0) yield return true;
            if (rib.Table.IsUsed(node)) rib.Moved.Add(node);
        }
        done();
    }

    private IEnumerable<bool> ChooseAll(Choice choice)
    {
        if (next == choice) next = null;
        foreach (var rib in ribs)
        {
            for (uint node = 1; node < rib.Table.End; node++)
            {
                if (node % slice == 0) yield return true;
                if (rib.Table.IsUsed(node) && IsAffected(rib, node, choice.Since)) rib.ChooseAgain(node);
            }
        }
    }

    private bool IsAffected(LocRib rib, uint node, uint? since)
    {
        for (var at = rib.First(node); at != 0; at = rib.Paths[at].Next)
        {
            if (since is not { } generation) return true;
            if (rib.Paths[at].Accepted is var accepted and not 0 && nextHops.ChangedSince(attributes[accepted].NextHop, generation))
                return true;
        }
        return false;
    }
}
