using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Rib;

/// <summary>
/// One path to a prefix: what a peer sent (Adj-RIB-In as received) and what the import made of it (as accepted, what the Loc-RIB
/// chooses from). 24 octets.
/// </summary>
internal struct PathRow
{
    /// <summary>Attribute handles; <see cref="Accepted"/> is 0 where the import refused.</summary>
    public uint Received, Accepted;
    public uint Next;
    public uint PathId;
    /// <summary>When it last changed, in the shard's ticks.</summary>
    public uint Changed;
    public ushort Peer;
    /// <summary>
    /// <see cref="PathState.Preferred"/> or none: the rest follows from <see cref="Cycle"/> (<see cref="LocRib.StateOf"/>).
    /// </summary>
    public PathState State;
    /// <summary>In which of its peer's cycles it was last said (<see cref="TableCycle"/>).</summary>
    public byte Cycle;

    public readonly bool IsPreferred => State != 0;
}

/// <summary>What the rest of the daemon sees of a prefix: the best path's attributes and peer; 0 attributes: no route.</summary>
internal readonly record struct Best(uint Attributes, ushort Peer)
{
    public static Best None => default;
}

/// <summary>
/// Adj-RIBs-In and Loc-RIB of one family in one shard: the prefix table, its paths (the best one first), and the prefixes whose
/// best path has moved since the last look.
/// </summary>
internal sealed class LocRib(IpFamily family, AttributeInterner attributes, NextHops nextHops, PeerTable peers, DecisionSettings settings)
    : IDisposable
{
    private readonly Slab<PathRow> paths = new();

    public IpFamily Family { get; } = family;
    public PrefixTable Table { get; } = PrefixTable.Of(family);
    public Slab<PathRow> Paths => paths;
    /// <summary>Prefixes whose best path moved.</summary>
    public DirtyQueue Moved { get; } = new();
    public DecisionSettings Settings { get; set; } = settings;
    /// <summary>Prefixes of which a path behind the best one moved, and nothing else; only while <see cref="TellsEveryPath"/>.</summary>
    public DirtyQueue MovedBehind { get; } = new();
    /// <summary>Somebody is told more than the best path.</summary>
    public bool TellsEveryPath { get; set; }
    public long Octets => Table.Octets + paths.Octets;
    /// <summary>Best paths that peers said are told to nobody yet (RFC 4724 section 4.1).</summary>
    public bool Defers { get; set; }
    /// <summary>Nor does an End-of-RIB leave: until what was held back is on its way.</summary>
    public bool HoldsEnds { get; set; }

    public void Dispose()
    {
        Table.Dispose();
        paths.Dispose();
    }

    /// <summary>Every path of a prefix, from <see cref="PrefixTable.Value"/> on, is linked by <see cref="PathRow.Next"/>.</summary>
    public uint First(uint node) => Table.Value(node);

    /// <summary>As it was when the prefix was last chosen: next hops that have moved since then show when it is chosen again.</summary>
    public Best BestOf(uint node)
    {
        var first = Table.Value(node);
        if (first == 0) return Best.None;
        ref var path = ref paths[first];
        return path.IsPreferred ? new(path.Accepted, path.Peer) : Best.None;
    }

    /// <summary>Its best path came from a peer, while these are held back.</summary>
    public bool IsDeferred(uint node) =>
        Defers && BestOf(node) is { Attributes: not 0 } best && peers[best.Peer].Origin == RouteOrigin.Bgp;

    /// <summary>Accepted, and its next hop can be reached the way the peer asks for (RFC 4271 9.1.2.1).</summary>
    public bool IsEligible(uint node, in PathRow path)
    {
        if (path.Accepted == 0) return false;
        var nextHop = attributes[path.Accepted].NextHop;
        if (nextHop == 0) return true;
        var direct = peers[path.Peer].Direct;
        return nextHops.For(nextHop, direct, Table, node).IsUsable(direct);
    }

    /// <summary>How its next hop is reached, and by which rule; null: it needs none.</summary>
    public NextHopState? NextHopOf(uint node, in PathRow path, out NextHopRule rule)
    {
        rule = default;
        var nextHop = attributes[path.Accepted != 0 ? path.Accepted : path.Received].NextHop;
        if (nextHop == 0) return null;
        var direct = peers[path.Peer].Direct;
        var state = nextHops.For(nextHop, direct, Table, node);
        rule = state.RuleFor(direct);
        return state;
    }

    /// <summary>The path's state as those see it who look in.</summary>
    public PathState StateOf(in PathRow path) => path.State | peers.Cycle(path.Peer, Family).StateOf(path.Cycle);

    /// <summary>What a path that the peer says now carries.</summary>
    public byte CycleOf(ushort peer) => peers.Cycle(peer, Family).Now;

    /// <summary>The steps on the way to its next hop; none where it needs none.</summary>
    public ImmutableArray<NextHopStep> StepsOf(uint node, in PathRow path) =>
        attributes[path.Accepted != 0 ? path.Accepted : path.Received].NextHop is var nextHop and not 0
            ? nextHops.StepsOf(nextHop, peers[path.Peer].Direct, Table[node]) : [];

    /// <summary>Puts a path in or replaces it. Takes references of its own on both attribute sets.</summary>
    /// <param name="said">Neither preferred yet nor linked.</param>
    public void Announce(in PathRow said, int length, ReadOnlySpan<byte> octets)
    {
        ref var first = ref Table.FindOrAdd(length, octets, out var node);
        var counts = peers.Counts(said.Peer, Family);
        counts.UpdatesReceived++;
        if (first == 0)
        {
            first = AnnounceFirst(node, counts, said);
            return;
        }
        var at = Find(node, said.Peer, said.PathId, out _);
        if (at != 0) Confirm(ref paths[at], said.Cycle);
        if (at != 0 && paths[at].Received == said.Received && paths[at].Accepted == said.Accepted)
        {
            counts.UpdatesIgnored++;
            return;
        }
        if (said.Accepted != 0) counts.UpdatesAccepted++;
        else counts.UpdatesFiltered++;
        var before = BestOf(node);
        var overshadowed = at != 0 && OvershadowsAnother(node, at);
        if (at == 0) at = Insert(node, said);
        Replace(at, said.Received, said.Accepted, said.Changed);
        // Losing against the best one leaves the best one where it is, whatever the others are; Reselect tells why winning does not settle
        // it.
        if (overshadowed || at == first || !Loses(node, at, first)) Reselect(node);
        Settle(node, before);
    }

    /// <summary>
    /// The only path so far: there is nothing to choose from, and nothing was best before. What a first table consists of.
    /// </summary>
    private uint AnnounceFirst(uint node, PeerCounts counts, PathRow path)
    {
        attributes.Hold(path.Received);
        Count(counts, path, 1);
        if (path.Accepted != 0)
        {
            attributes.Hold(path.Accepted);
            counts.UpdatesAccepted++;
            path.State = IsEligible(node, path) ? PathState.Preferred : 0;
            counts.Preferred += (byte)path.State;
        }
        else counts.UpdatesFiltered++;
        if (path.IsPreferred || Settings.MultipathLimit > 1) Moved.Add(node);
        var at = paths.Add();
        paths[at] = path;
        return at;
    }

    /// <summary>False where there was no such path.</summary>
    public bool Withdraw(ushort peer, uint pathId, int length, ReadOnlySpan<byte> octets)
    {
        var counts = peers.Counts(peer, Family);
        counts.WithdrawsReceived++;
        var node = Table.Find(length, octets);
        var previous = 0u;
        var at = node == 0 ? 0 : Find(node, peer, pathId, out previous);
        if (at == 0)
        {
            counts.WithdrawsIgnored++;
            return false;
        }
        counts.WithdrawsAccepted++;
        Remove(node, at, previous);
        return true;
    }

    /// <summary>Removes every path of this prefix that its peer has taken back with all the others (<see cref="TableCycle"/>).</summary>
    public void RemoveGone(uint node)
    {
        var previous = 0u;
        for (var at = First(node); at != 0;)
        {
            ref var path = ref paths[at];
            var next = path.Next;
            if (peers.Cycle(path.Peer, Family).IsGone(path.Cycle))
            {
                Remove(node, at, previous);
                // The best of the others may stand first now: begin again.
                (previous, at) = (0, First(node));
                continue;
            }
            (previous, at) = (at, next);
        }
    }

    /// <summary>The import's answer for a path has changed.</summary>
    public void Reaccept(uint node, uint at, uint accepted, uint now)
    {
        if (paths[at].Accepted == accepted) return;
        var before = BestOf(node);
        Replace(at, paths[at].Received, accepted, now);
        Reselect(node);
        Settle(node, before);
    }

    /// <summary>
    /// Chooses anew, because something that the choice depends on has changed: the others look again even where the same path won,
    /// as its next hop may lead elsewhere.
    /// </summary>
    public void ChooseAgain(uint node)
    {
        Reselect(node);
        CountPreferred(node);
        Moved.Add(node);
    }

    /// <summary>Chooses anew; the others look again only where another path won, or none can be used any more.</summary>
    public void Reconsider(uint node)
    {
        Reselect(node);
        if (CountPreferred(node)) Moved.Add(node);
        else if (TellsEveryPath) MovedBehind.Add(node);
    }

    private uint Find(uint node, ushort peer, uint pathId, out uint previous)
    {
        previous = 0;
        for (var at = Table.Value(node); at != 0; at = paths[at].Next)
        {
            ref var path = ref paths[at];
            if (path.Peer == peer && path.PathId == pathId) return at;
            previous = at;
        }
        return 0;
    }

    private void Confirm(ref PathRow path, byte cycle)
    {
        if (path.Cycle == cycle) return;
        peers.Cycle(path.Peer, Family).Settle(path.Cycle);
        path.Cycle = cycle;
    }

    private uint Insert(uint node, in PathRow said)
    {
        var at = paths.Add();
        ref var path = ref paths[at];
        (path.Peer, path.PathId, path.Cycle) = (said.Peer, said.PathId, said.Cycle);
        ref var first = ref Table.Value(node);
        if (first == 0) first = at;
        else (path.Next, paths[first].Next) = (paths[first].Next, at);
        return at;
    }

    private void Replace(uint at, uint received, uint accepted, uint now)
    {
        ref var path = ref paths[at];
        var counts = peers.Counts(path.Peer, Family);
        Count(counts, path, -1);
        attributes.Hold(received);
        if (accepted != 0) attributes.Hold(accepted);
        attributes.Release(path.Received);
        attributes.Release(path.Accepted);
        (path.Received, path.Accepted, path.Changed) = (received, accepted, now);
        Count(counts, path, 1);
    }

    private static void Count(PeerCounts counts, in PathRow path, int by)
    {
        if (path.Received == 0) return;
        if (path.Accepted != 0) counts.Imported += by;
        else counts.Filtered += by;
    }

    private void Remove(uint node, uint at, uint previous)
    {
        var before = BestOf(node);
        ref var path = ref paths[at];
        var counts = peers.Counts(path.Peer, Family);
        Count(counts, path, -1);
        counts.Preferred -= (byte)path.State;
        peers.Cycle(path.Peer, Family).Settle(path.Cycle);
        var wasFirst = Table.Value(node) == at;
        var open = wasFirst || OvershadowsAnother(node, at);
        if (wasFirst) Table.Value(node) = path.Next;
        else paths[previous].Next = path.Next;
        // The attributes stay alive until the change is settled: Settle compares handles, and a freed one could be another set's by then.
        var (received, accepted) = (path.Received, path.Accepted);
        paths.Remove(at);
        if (open) Reselect(node);
        Settle(node, before);
        attributes.Release(received);
        attributes.Release(accepted);
    }

    /// <summary>
    /// With deterministic MED a path that is not the best one may still keep another of its neighbouring AS from being it; when it
    /// goes, the choice is open again.
    /// </summary>
    private bool OvershadowsAnother(uint node, uint of)
    {
        if (!Decision.GroupsByNeighbour(Settings) || !IsEligible(node, paths[of])) return false;
        ref var own = ref attributes[paths[of].Accepted].Summary;
        for (var at = Table.Value(node); at != 0; at = paths[at].Next)
        {
            if (at == of || paths[at].Accepted == 0) continue;
            ref var other = ref attributes[paths[at].Accepted].Summary;
            if (other.NeighborAs == own.NeighborAs && (other.Med != own.Med || (other.Marks ^ own.Marks) != 0)) return true;
        }
        return false;
    }

    private bool Loses(uint node, uint a, uint b)
    {
        if (!IsEligible(node, paths[b])) return false;
        return !IsEligible(node, paths[a]) || Decision.Compare(CandidateOf(node, a), CandidateOf(node, b), Settings, out _) > 0;
    }

    private void Settle(uint node, Best before)
    {
        CountPreferred(node);
        if (before != BestOf(node) || Settings.MultipathLimit > 1 || Table.Value(node) == 0) Moved.Add(node);
        else if (TellsEveryPath) MovedBehind.Add(node);
    }

    /// <returns>Another path is the preferred one now, or none.</returns>
    private bool CountPreferred(uint node)
    {
        var (first, moved) = (Table.Value(node), false);
        // The preferred path was the first one, and whoever took its place is not preferred yet.
        if (first == 0 || paths[first].IsPreferred == IsEligible(node, paths[first])) return false;
        for (var at = first; at != 0; at = paths[at].Next)
        {
            ref var path = ref paths[at];
            var now = at == first && IsEligible(node, path) ? PathState.Preferred : 0;
            if (path.State == now) continue;
            peers.Counts(path.Peer, Family).Preferred += (byte)now - (byte)path.State;
            path.State = now;
            moved = true;
        }
        return moved;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Candidate CandidateOf(uint node, uint at)
    {
        ref var path = ref paths[at];
        var peer = peers[path.Peer];
        ref var row = ref attributes[path.Accepted];
        var nextHop = row.NextHop == 0 ? null : nextHops.For(row.NextHop, peer.Direct, Table, node);
        var (metric, circular) = nextHop == null ? (0, false) : (nextHop.Metric, nextHop.Circular);
        return new(row.Summary, peer.Preference, circular, !peer.Internal, metric)
        {
            PeerId = peer.PeerId,
            PeerAddress = peer.PeerAddress,
            Age = path.Changed,
            PathId = path.PathId,
        };
    }

    /// <summary>Finds the best path and puts it first; of the best of each neighbour, where MEDs are compared within one alone.</summary>
    private void Reselect(uint node)
    {
        var first = Table.Value(node);
        if (first == 0 || paths[first].Next == 0) return;
        uint best = 0, bestPrevious = 0, previous = 0;
        for (var at = first; at != 0; previous = at, at = paths[at].Next)
        {
            if (!IsEligible(node, paths[at])) continue;
            if (best != 0 && Decision.Compare(CandidateOf(node, at), CandidateOf(node, best), Settings, out _) > 0) continue;
            (best, bestPrevious) = (at, previous);
        }
        if (best == 0) return;
        if (Decision.GroupsByNeighbour(Settings) && MedsDiffer(node)) (best, bestPrevious) = BestOfNeighbours(node);
        if (best == first) return;
        paths[bestPrevious].Next = paths[best].Next;
        paths[best].Next = first;
        Table.Value(node) = best;
    }

    private bool MedsDiffer(uint node)
    {
        uint? med = null;
        for (var at = First(node); at != 0; at = paths[at].Next)
        {
            if (!IsEligible(node, paths[at])) continue;
            var own = Decision.Med(attributes[paths[at].Accepted].Summary, Settings);
            if (med is { } other && other != own) return true;
            med = own;
        }
        return false;
    }

    private (uint Best, uint Previous) BestOfNeighbours(uint node)
    {
        uint best = 0, bestPrevious = 0, previous = 0;
        for (var at = First(node); at != 0; previous = at, at = paths[at].Next)
        {
            if (!IsEligible(node, paths[at]) || IsOvershadowed(node, at, out _)) continue;
            if (best != 0 && Decision.Compare(CandidateOf(node, at), CandidateOf(node, best), Settings, out _) > 0) continue;
            (best, bestPrevious) = (at, previous);
        }
        return (best, bestPrevious);
    }

    private bool IsOvershadowed(uint node, uint candidate, out Reason reason)
    {
        reason = default;
        var own = CandidateOf(node, candidate);
        for (var at = First(node); at != 0; at = paths[at].Next)
        {
            if (at == candidate || !IsEligible(node, paths[at])) continue;
            if (Decision.Overshadows(CandidateOf(node, at), own, Settings, out reason)) return true;
        }
        return false;
    }

    /// <summary>Of the best path: the lowest step that it needed to beat another; of any other: the step by which it lost.</summary>
    public Reason ReasonOf(uint node, uint at)
    {
        if (paths[at].Accepted == 0) return Reason.Rejected;
        if (!IsEligible(node, paths[at])) return Reason.NextHopUnresolvable;
        var first = First(node);
        if (at != first) return LostBy(node, first, at, out _);
        var closest = Reason.OnlyRoute;
        for (var other = paths[first].Next; other != 0; other = paths[other].Next)
        {
            if (!IsEligible(node, paths[other])) continue;
            var reason = LostBy(node, first, other, out var toFirst);
            if (toFirst && reason > closest) closest = reason;
        }
        return closest;
    }

    /// <param name="toFirst">False: it would beat the best one, but another of its neighbour overshadows it.</param>
    private Reason LostBy(uint node, uint first, uint at, out bool toFirst)
    {
        toFirst = Decision.Compare(CandidateOf(node, first), CandidateOf(node, at), Settings, out var reason) < 0;
        return !toFirst && IsOvershadowed(node, at, out var nearer) ? nearer : reason;
    }
}
