using System.Runtime.CompilerServices;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Rib;

/// <summary>
/// Adj-RIB-Out of one family for all peers with the same treatment on the way out. For each prefix it keeps which attributes and
/// whose path the members were told (6 octets), not what that became on the way: that is computed again when somebody asks. Where several
/// paths of a prefix are told (RFC 7911), the same is kept for each path, by <see cref="PathKeys"/>: a key is the prefix's row or that.
/// Filter and encoding run once; members share the encoded messages. Members that cannot keep up leave for a
/// <see cref="Cohort"/>; when all are slow the group itself waits, and what changes meanwhile is looked at once.
/// </summary>
internal sealed partial class ExportGroup(
    IpFamily family, ExportTreatment treatment, LocRib rib, AttributeInterner attributes, PeerTable peers, NextHops nextHops, Action wake,
    PathKeys? keys, int slice) : IDisposable
{
    /// <summary>So few that the shard sends them itself, where it would otherwise wake a thread for each member.</summary>
    private const int FewRoutes = 64, FewMembers = 4, OctetsOfRoute = 16;
    /// <summary>Octets in front of one member at which the others go on without it.</summary>
    private const long Straggling = 16 << 20;

    private readonly ToldColumn sent = new(attributes);
    private readonly DirtyQueue pending = new(), delayed = new();
    private readonly List<Member> inSync = [];
    private readonly List<Cohort> cohorts = [];
    private readonly HashSet<ushort> receivers = [];
    private Holding? leaving;
    private readonly ExportFilter filter = new(family, treatment, rib.Table, attributes, peers, nextHops);
    private readonly UpdatePacker packer = new(family, rib.Table, treatment.Encode, keys);
    private readonly Ranking ranking = new(rib, attributes);
    private readonly List<uint> wanted = [], unswept = [];
    private uint feed = 1, dissolved = 1;
    private long? closedUntil;
    /// <summary>Ends-of-RIB that were held back leave when nothing is pending any more.</summary>
    private bool owesEnds;
    /// <summary>What is still to be looked at of what waited when the interval ended, and whether anything of it was announced.</summary>
    private (int Left, bool Announced) burst;
    private readonly Gate gate = new();
    private int rejectedRun;
    private int barred, filtered;

    public ExportTreatment Treatment { get; } = treatment;
    public bool IsByPath => keys != null;
    /// <summary>Every key is below this one.</summary>
    private uint End => keys?.End ?? rib.Table.End;
    /// <summary>Nobody is in it, and nobody who has left it must know what he was told here.</summary>
    public bool IsEmpty => receivers.Count == 0 && cohorts.Count == 0;
    /// <summary>RFC 4271 9.2.1.1: when the next announcements may go; null: nothing waits.</summary>
    public long? DueAt => delayed.Count > 0 && receivers.Count > 0 ? closedUntil : null;
    public long Octets => sent.Octets;
    /// <summary>The members' peers.</summary>
    public IReadOnlyCollection<ushort> Receivers => receivers;

    public Member? MemberOf(ushort peer) => !receivers.Contains(peer) ? null
        : inSync.Find(member => member.Peer.Index == peer)
            ?? cohorts.SelectMany(cohort => cohort.Members).First(member => member.Peer.Index == peer);

    public void Add(ReadOnlySpan<uint> nodes) => pending.Add(nodes);

    /// <summary>Nobody here holds or awaits anything of this prefix: its row may go.</summary>
    public bool IsDone(uint node)
    {
        if (pending.Contains(node) || delayed.Contains(node)) return false;
        return keys != null || IsIdle(node);
    }

    /// <summary>Nobody here was told anything by this key, or must still be told that it is no more.</summary>
    public bool IsIdle(uint key)
    {
        if (sent[key].Attributes != 0) return false;
        foreach (var cohort in cohorts)
            if (cohort.Remembers(key)) return false;
        return true;
    }

    public Best SentOf(uint key) => sent[key];

    /// <summary>What was told of a prefix, with the path's identifier where there are several.</summary>
    public IEnumerable<(Best Told, uint PathId)> ToldOf(uint node)
    {
        if (keys == null) yield return (SentOf(node), 0);
        else for (var key = keys.First(node); key != 0; key = keys.Next(key)) yield return (SentOf(key), keys.IdOf(key));
    }

    /// <summary>Whether a route goes to a member, by which rule, and as what: for those who look in.</summary>
    public Verdict Explain(uint node, Best best, ushort to, out ReadOnlySpan<byte> octets)
    {
        octets = default;
        if (best.Peer == to) return Verdict.Against(RouteRule.SplitHorizon);
        var verdict = filter.Run(node, best, out octets);
        return verdict.IsAccepted && !packer.Fits(rib.Table[node], octets) ? Verdict.Against(RouteRule.DoesNotFit) : verdict;
    }

    /// <summary>Gives back a slice of the references that an empty group holds. True: it was the last, and the group ends.</summary>
    public bool Dissolve()
    {
        var end = Math.Min(End, dissolved + (uint)slice);
        if (dissolved < end) sent.Release(dissolved, end);
        dissolved = Math.Max(dissolved, end);
        if (dissolved < End) return false;
        Dispose();
        return true;
    }

    public void Dispose()
    {
        sent.Dispose();
        packer.Dispose();
    }

    /// <summary>A slice of work; false: nothing can be done now.</summary>
    public bool Step(long now)
    {
        // What changes while nobody is here is looked at when somebody is again.
        if (receivers.Count == 0) return false;
        var worked = StepInSync(now);
        for (var i = cohorts.Count - 1; i >= 0; i--)
            if (i < cohorts.Count) worked |= StepCohort(cohorts[i]);
        return worked;
    }

    private bool StepInSync(long now)
    {
        ReleaseDelayed(now);
        if (pending.Count == 0 && feed == 0 && !owesEnds) return false;
        if (gate.HoldsUp(inSync, wake)) return false;
        BeginBatch();
        if (feed != 0) Feed();
        else
        {
            var mayAnnounce = closedUntil == null;
            if (mayAnnounce && burst.Left == 0) burst = (pending.Count, false);
            var taken = pending.Take(slice);
            foreach (var node in taken)
            {
                if (mayAnnounce || rib.BestOf(node).Attributes == 0) Look(node);
                else delayed.Add(node);
            }
            if (mayAnnounce && Treatment.MinRouteAdvertisementInterval > TimeSpan.Zero) CloseAfterBurst(taken.Length, now);
        }
        Send(inSync);
        SweepLeft();
        if (feed == 0) MarkEnds(inSync);
        LeaveStragglersBehind();
        return true;
    }

    /// <summary>RFC 4271 9.2.1.1: the interval begins once all that waited for it has gone, in however many slices.</summary>
    private void CloseAfterBurst(int taken, long now)
    {
        burst = (Math.Max(0, burst.Left - taken), burst.Announced || packer.Announced > 0);
        if (burst is (0, true)) closedUntil = now + (long)Treatment.MinRouteAdvertisementInterval.TotalMilliseconds;
    }

    private void ReleaseDelayed(long now)
    {
        if (closedUntil is not { } due || now < due) return;
        closedUntil = null;
        while (delayed.Count > 0)
            foreach (var node in delayed.Take(slice)) pending.Add(node);
    }

    private void Feed()
    {
        var end = Math.Min(rib.Table.End, feed + (uint)slice);
        for (; feed < end; feed++)
            if (rib.Table.IsUsed(feed) && !rib.IsDeferred(feed)) Look(feed);
        if (feed >= rib.Table.End) feed = 0;
    }

    /// <summary>Compares what is best now with what was told, and puts the difference into the batch.</summary>
    private void Look(uint node)
    {
        if (keys == null) Look(node, node, rib.BestOf(node));
        else LookAtPaths(node, keys);
    }

    private void LookAtPaths(uint node, PathKeys keys)
    {
        ranking.Best(node, Treatment.Paths(family), wanted);
        var isLeft = false;
        for (var key = keys.First(node); key != 0; key = keys.Next(key))
        {
            var path = keys.PathOf(key);
            var isWanted = wanted.Remove(path);
            isLeft |= !isWanted;
            Look(key, node, isWanted ? PathOf(path) : Best.None);
        }
        foreach (var path in wanted) Look(keys.Add(node, path), node, PathOf(path));
        if (isLeft) unswept.Add(node);
    }

    /// <summary>Not before the batch is sent: it names what it takes back by these keys.</summary>
    private void SweepLeft()
    {
        foreach (var node in unswept) SweepKeys(node);
        unswept.Clear();
    }

    private Best PathOf(uint path) => new(rib.Paths[path].Accepted, rib.Paths[path].Peer);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Look(uint key, uint node, Best best)
    {
        var run = best.Attributes == 0 ? -1 : RunFor(node, best);
        if (run >= 0 && !packer.IsAccepted(run)) run = -1;
        if (run < 0) best = Best.None;
        ref var told = ref sent.At(key);
        var before = told.Best;
        if (before == best) return;

        if (run < 0) packer.Withdraw(key, before.Peer, only: false);
        else if (before.Attributes == 0 || !IsSameFor(node, before, best, run))
        {
            packer.Announce(run, key);
            var isLost = before.Attributes != 0 && before.Peer != best.Peer && receivers.Contains(best.Peer);
            if (isLost) packer.Withdraw(key, best.Peer, only: true);
        }
        for (var i = 0; i < cohorts.Count; i++) cohorts[i].Touch(key, before);
        sent.Record(ref told, before, best);
    }

    /// <summary>The members would hear nothing new (a change that the way out strips, such as a MED): nothing is sent.</summary>
    private bool IsSameFor(uint node, Best before, Best now, int run)
    {
        if (before.Peer != now.Peer && (receivers.Contains(before.Peer) || receivers.Contains(now.Peer))) return false;
        return IsKnown(before) && filter.Run(node, before, out var octets).IsAccepted && octets.SequenceEqual(packer.LeavingOctets(run));
    }

    private void BeginBatch()
    {
        packer.Begin();
        rejectedRun = -1;
        barred = filtered = 0;
    }

    private int RunFor(uint node, Best best)
    {
        if (!filter.LooksAtPrefix && packer.TryFindRun(best.Attributes, best.Peer, out var run))
        {
            if (!packer.IsAccepted(run)) filtered++;
            return run;
        }
        var verdict = filter.Run(node, best, out var octets);
        if (verdict.IsAccepted)
        {
            if (!filter.LooksAtPrefix || verdict.What == FilterVerdict.Accept)
                return packer.TryFindRun(best.Attributes, best.Peer, out run)
                    ? run : packer.AddRun(best.Attributes, best.Peer, true, octets, shared: true);
            run = packer.LastRun;
            return run >= 0 && packer.Joins(run, best.Peer, octets)
                ? run : packer.AddRun(best.Attributes, best.Peer, true, octets, shared: false);
        }
        if (verdict.Rule == RouteRule.Filter) filtered++;
        else barred++;
        if (!filter.LooksAtPrefix) return packer.AddRun(best.Attributes, best.Peer, false, default, shared: true);
        return rejectedRun >= 0 ? rejectedRun : rejectedRun = packer.AddRun(best.Attributes, best.Peer, false, default, shared: false);
    }

    private void Send(List<Member> to)
    {
        foreach (var member in to)
        {
            member.Counts.ExportUpdates += packer.AnnouncedTo(member.Peer.Index);
            member.Counts.ExportWithdraws += packer.Withdrawn;
            member.Counts.ExportRejected += barred;
            member.Counts.ExportFiltered += filtered;
            member.Counts.Exported = sent.Count - sent.CountFrom(member.Peer.Index);
        }
        if (to.Count == 0 || (packer.Announced == 0 && packer.Withdrawn == 0)) return;
        var (routes, isLittle) = (packer.Announced + packer.Withdrawn, packer.Announced + packer.Withdrawn < FewRoutes);
        var buffer = new OutBuffer(Math.Clamp(routes * OctetsOfRoute, 1 << 12, 1 << 16)) { IsPrompt = isLittle && to.Count <= FewMembers };
        packer.Write(buffer, receivers.Contains, Withhold);
        foreach (var member in to) member.Outlet.Send(buffer.Share());
        buffer.Release();
    }

    private void Withhold(uint key)
    {
        sent.Record(ref sent.At(key), SentOf(key), Best.None);
        TooLong(rib.Table[NodeOf(key)]);
    }

    private bool StepCohort(Cohort cohort)
    {
        if (feed != 0 || cohort.IsLeft) return false;
        if (cohort.Gate.HoldsUp(cohort.Members, wake)) return false;
        cohort.HasStarted = true;
        BeginBatch();
        if (cohort.Cursor < End) Walk(cohort);
        else CatchUp(cohort);
        Send(cohort.Members);
        SplitStragglers(cohort);
        if (cohort.Cursor < End) return true;
        cohort.LetGo();
        foreach (var member in cohort.Members.FindAll(member => member.WantsRefresh)) StartOver(member);
        if (cohort.Cursor >= End && cohort.Behind == 0) Rejoin(cohort);
        return true;
    }

    private void Walk(Cohort cohort)
    {
        var end = Math.Min(End, cohort.Cursor + (uint)slice);
        for (var key = cohort.Cursor; key < end; key++)
        {
            if (!cohort.Remembers(key)) Tell(key, cohort.Former?.Of(key) ?? Best.None);
        }
        cohort.Cursor = end;
    }

    private void CatchUp(Cohort cohort)
    {
        foreach (var key in cohort.Take(slice)) Tell(key, cohort.Forget(key));
    }

    /// <summary>What the group has told by a key, to those who hold something else by it, or nothing.</summary>
    private void Tell(uint key, Best held)
    {
        var now = SentOf(key);
        if (now.Attributes == 0)
        {
            if (held.Attributes != 0) packer.Withdraw(key, held.Peer, only: false);
            return;
        }
        var run = RunFor(NodeOf(key), now);
        if (!packer.IsAccepted(run)) return;
        packer.Announce(run, key);
        if (held.Attributes != 0 && held.Peer != now.Peer && receivers.Contains(now.Peer)) packer.Withdraw(key, now.Peer, only: true);
    }

    private uint NodeOf(uint key) => keys?.NodeOf(key) ?? key;

    private void Rejoin(Cohort cohort)
    {
        cohorts.Remove(cohort);
        inSync.AddRange(cohort.Members);
        MarkEnds(cohort.Members);
    }

    /// <summary>What was held back is pending here, all of it: the ends of the members' first tables come behind it.</summary>
    public void OweEnds() => owesEnds = true;

    private void MarkEnds(List<Member> members)
    {
        owesEnds &= pending.Count > 0;
        var mayEnd = !owesEnds && !rib.HoldsEnds;
        foreach (var member in members)
        {
            if (member.AwaitsEndOfRib && mayEnd)
            {
                member.AwaitsEndOfRib = false;
                EndOfRib(member, family);
            }
            if (!member.AwaitsEndOfRefresh) continue;
            member.AwaitsEndOfRefresh = false;
            member.SendRefreshMark(family, RouteRefresh.EndOfRefresh);
        }
    }

    /// <summary>A member's first table is complete in this shard.</summary>
    public required Action<Member, IpFamily> EndOfRib { get; init; }

    /// <summary>Some of the prefix's paths are told no more: their keys go, once no group has anything by them.</summary>
    public required Action<uint> SweepKeys { get; init; }

    /// <summary>A route whose attributes fit no message: it is withheld.</summary>
    public required Action<Prefix> TooLong { get; init; }

    private Cohort CohortAtStart(bool holdsAll)
    {
        var cohort = cohorts.Find(cohort =>
            !cohort.HasStarted && cohort.Cursor == 1 && cohort.HoldsAll == holdsAll && cohort.Behind == 0
            && cohort.Former == null && !cohort.IsLeft);
        return cohort ?? Added(new(1, holdsAll));
    }

    private void LeaveStragglersBehind()
    {
        if (inSync.Count < 2) return;
        foreach (var member in inSync.FindAll(member => member.Outlet.Backlog > Straggling))
        {
            inSync.Remove(member);
            var cohort = new Cohort(End, holdsAll: true) { HasStarted = true };
            cohort.Members.Add(member);
            cohorts.Add(cohort);
        }
    }

    private void SplitStragglers(Cohort cohort)
    {
        if (cohort.Members.Count < 2) return;
        foreach (var member in cohort.Members.FindAll(member => member.Outlet.Backlog > Straggling)) cohorts.Add(cohort.Split(member));
    }
}
