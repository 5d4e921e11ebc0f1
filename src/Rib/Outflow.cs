using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Rib;

/// <summary>
/// Where the changes of one family in one shard go: to the export groups and to the FIB. Knows when nobody needs a prefix's row any more.
/// </summary>
internal sealed class Outflow(
    LocRib rib, FibFeed? fib, WayFinder ways, AttributeInterner attributes, NextHops nextHops, PeerTable peers, Action wake,
    IRibOwner owner,
    ILogger log, int slice)
    : IDisposable
{
    private const int Slice = 4096, EmptiedSlice = 256;
    private readonly List<ExportGroup> groups = [];
    private readonly DirtyQueue emptied = new();
    private readonly List<uint> kept = [], own = [];
    private readonly List<BestFeed> followers = [];
    private readonly Queue<ExportGroup> dissolving = [];
    /// <summary>Shared by the groups that tell several paths of a prefix; null: there never was one.</summary>
    private PathKeys? keys;
    private int withheld;
    private long toldWithheld = long.MinValue / 2;

    public IpFamily Family => rib.Family;
    public IReadOnlyList<ExportGroup> Groups => groups;
    public FibFeed? Fib => fib;
    public bool IsFibBehind => fib != null && (rib.HoldsEnds || rib.Moved.Count > 0 || fib.IsBehind);
    public long Octets => groups.ToArray().Sum(group => group.Octets) + (fib?.Octets ?? 0) + (keys?.Octets ?? 0);

    /// <summary>When a group's advertisement interval ends; null: nothing is due.</summary>
    public long? DueAt
    {
        get
        {
            long? due = null;
            foreach (var group in groups)
                if (group.DueAt is { } at && (due == null || at < due)) due = at;
            return due;
        }
    }

    public void Dispose()
    {
        fib?.Dispose();
        foreach (var group in groups.Concat(dissolving)) group.Dispose();
        keys?.Dispose();
    }

    public void Join(RibPeer peer, IPeerOutlet outlet)
    {
        if (Wire.FamilySetExtensions.Has(peer.Families, rib.Family))
            GroupFor(peer).Join(new(peer, outlet, peers.Counts(peer.Index, rib.Family)));
    }

    public void Leave(ushort peer)
    {
        foreach (var group in groups) group.Leave(peer);
        DissolveEmptyGroups();
    }

    public void Refresh(ushort peer)
    {
        foreach (var group in groups) group.Refresh(peer);
    }

    /// <summary>The peer's treatment may be another now: then it goes to the group that has it, and keeps what it was told.</summary>
    public void Change(RibPeer peer)
    {
        var group = groups.Find(group => group.MemberOf(peer.Index) != null);
        if (group?.MemberOf(peer.Index) is not { } member) return;
        // What it holds it knows by identifiers, or without.
        peer = peer with { Encode = peer.Encode with { AddPath = member.Peer.Encode.AddPath } };
        if (group.Treatment == peer.Treatment) return;
        GroupFor(peer).Join(member.Under(peer), group.TakeOut(member));
    }

    public void WriteTo(TableImageWriter image)
    {
        foreach (var group in groups) group.WriteTo(image);
    }

    /// <summary>What the groups' members were told by an earlier process.</summary>
    public void Adopt(IReadOnlyList<AdoptedHolding> holdings)
    {
        foreach (var group in groups) group.Adopt(holdings);
    }

    /// <summary>The FIB's filter looks at every route again.</summary>
    public void OfferAgain() => fib?.OfferAgain();

    /// <summary>He is told everything, then what moves.</summary>
    public void Follow(IBestFollower follower)
    {
        Unfollow(follower);
        followers.Add(new(rib, attributes, follower, slice));
    }

    public void Unfollow(IBestFollower follower) => followers.RemoveAll(feed => feed.Follower == follower);

    /// <summary>Takes what moved in the Loc-RIB to everybody who has to look at it.</summary>
    public bool Distribute()
    {
        if (rib.Moved.Count == 0 && rib.MovedBehind.Count == 0) return false;
        while (rib.MovedBehind.Count > 0)
        {
            var moved = rib.MovedBehind.Take(Slice);
            foreach (var group in groups)
                if (group.IsByPath) group.Add(moved);
        }
        while (rib.Moved.Count > 0)
        {
            var moved = rib.Moved.Take(Slice);
            if (rib.Defers) moved = NotDeferred(moved);
            foreach (var group in groups) group.Add(moved);
            fib?.Add(moved);
            foreach (var feed in followers) feed.Add(moved);
            foreach (var node in moved)
            {
                if (fib != null) ways.Look(rib.Table[node]);
                if (rib.First(node) == 0) emptied.Add(node);
            }
        }
        return true;
    }

    /// <summary>The rest is looked at when deferring is over, with everything else.</summary>
    private ReadOnlySpan<uint> NotDeferred(ReadOnlySpan<uint> moved)
    {
        own.Clear();
        foreach (var node in moved)
            if (!rib.IsDeferred(node)) own.Add(node);
        return CollectionsMarshal.AsSpan(own);
    }

    /// <summary>RFC 4724 section 4.1: what peers say is told to nobody; or, from now on, it is.</summary>
    public void Defer(bool begins, Chores chores)
    {
        if (begins == rib.Defers) return;
        rib.Defers = begins;
        if (begins) rib.HoldsEnds = true;
        else chores.MoveAll(rib, TellEnds);
    }

    private void TellEnds()
    {
        rib.HoldsEnds = false;
        foreach (var group in groups) group.OweEnds();
    }

    public bool StepGroups(long now)
    {
        var worked = false;
        var someAreEmpty = false;
        foreach (var group in groups)
        {
            worked |= group.Step(now);
            someAreEmpty |= group.IsEmpty;
        }
        if (someAreEmpty) DissolveEmptyGroups();
        return worked;
    }

    public bool StepFib() => fib?.Step() ?? false;

    public bool StepFollowers()
    {
        var worked = false;
        foreach (var feed in followers) worked |= feed.Step();
        return worked;
    }

    public bool StepDissolving()
    {
        if (!dissolving.TryPeek(out var group)) return false;
        if (group.Dissolve()) dissolving.Dequeue();
        return true;
    }

    /// <summary>
    /// Rows of prefixes that nobody has a path to, holds, or waits for. They become free in the order they came, so where some of a
    /// slice are still waited for, the rest are not looked at yet.
    /// </summary>
    public bool RemoveEmptied()
    {
        var removed = 0;
        while (kept.Count == 0 && emptied.Count > 0 && removed < Slice) removed += RemoveEmptied(emptied.Take(EmptiedSlice));
        foreach (var node in kept) emptied.Add(node);
        kept.Clear();
        return removed > 0;
    }

    private int RemoveEmptied(ReadOnlySpan<uint> nodes)
    {
        var removed = 0;
        foreach (var node in nodes)
            if (rib.Table.IsUsed(node)) rib.Table.Prefetch(node);
        foreach (var node in nodes)
        {
            if (!rib.Table.IsUsed(node) || rib.First(node) != 0) continue;
            if (IsDone(node))
            {
                rib.Table.Remove(node);
                removed++;
            }
            else kept.Add(node);
        }
        return removed;
    }

    private bool IsDone(uint node)
    {
        if (rib.Moved.Contains(node) || rib.MovedBehind.Contains(node) || fib?.IsDone(node) == false) return false;
        foreach (var feed in followers)
            if (!feed.IsDone(node)) return false;
        foreach (var group in groups)
            if (!group.IsDone(node)) return false;
        return keys == null || SweepKeys(node, keys);
    }

    private bool SweepKeys(uint node, PathKeys those) =>
        those.Sweep(node, key => groups.TrueForAll(group => !group.IsByPath || group.IsIdle(key)));

    private ExportGroup GroupFor(RibPeer peer)
    {
        var treatment = peer.Treatment;
        var group = groups.Find(group => group.Treatment == treatment);
        if (group != null) return group;
        group = new(rib.Family, treatment, rib, attributes, peers, nextHops, wake, KeysFor(treatment), Math.Max(slice / 2, 1))
        {
            EndOfRib = (member, family) => owner.TableSent(member.Outlet, family),
            SweepKeys = node => SweepKeys(node, keys!),
            TooLong = prefix => TellWithheld(prefix, treatment.Encode.MaxMessageLength),
        };
        groups.Add(group);
        return group;
    }

    private PathKeys? KeysFor(ExportTreatment treatment)
    {
        if (!treatment.IsByPath(rib.Family)) return null;
        rib.TellsEveryPath = true;
        return keys ??= new();
    }

    /// <summary>One line a second at most: a peer chooses how many such routes there are.</summary>
    private void TellWithheld(Prefix prefix, int messageLength)
    {
        withheld++;
        var now = Environment.TickCount64;
        if (now - toldWithheld < 1000) return;
        log.AttributesTooLong(withheld, prefix, messageLength);
        (toldWithheld, withheld) = (now, 0);
    }

    private void DissolveEmptyGroups()
    {
        foreach (var group in groups.FindAll(group => group.IsEmpty))
        {
            dissolving.Enqueue(group);
            groups.Remove(group);
        }
        rib.TellsEveryPath = groups.Exists(group => group.IsByPath);
    }
}
