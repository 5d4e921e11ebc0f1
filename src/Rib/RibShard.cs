using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Rib;

/// <summary>
/// One shard of the RIB: sole owner of its prefixes, on a thread of its own. It takes messages from its inbox, lets the Loc-RIB
/// decide, and carries what moved to the export groups and the FIB; long work (readings, chores) goes in slices between.
/// While it rests, whoever brings a few routes takes the shard's turn himself: to wake its thread would take longer than the work.
/// </summary>
internal sealed partial class RibShard : IDisposable
{
    /// <summary>Batches taken before what moved is sent on: enough to pack well, little enough to stay quick.</summary>
    private const int BatchesPerTurn = 4;
    private const int StepsPerTurn = 64;
    /// <summary>What a caller does himself: a batch of so many octets, and so many turns for what comes of it.</summary>
    private const int FewOctets = 1 << 12, TurnsHere = 4;
    /// <summary>While more routes wait, the FIB steps every so many milliseconds: writing a table takes six times as long.</summary>
    private const int FibRest = 200;

    /// <summary>Of what rules want to be told of each peer's routes, one line of the log.</summary>
    private static readonly TimeSpan TellingRest = TimeSpan.FromMinutes(1);

    private readonly IRibOwner owner;
    private readonly PeerTable peers = new();
    private readonly NextHops nextHops;
    private readonly AttributeInterner attributes;
    private readonly ImportFilter import;
    private readonly LocRib[] ribs;
    private readonly Outflow[] outflows;
    private readonly WayFinder ways;
    private readonly Intake intake;
    private readonly Chores chores;
    private readonly List<RouteRead> readings = [];
    private readonly List<TaskCompletionSource> idlers = [];
    private readonly int number;
    private readonly Loops loops;
    private readonly ILogger log;
    private readonly Dictionary<ushort, LineLimit> tellings = [];
    private Loop? loop;

    // Whoever holds it is the shard's owner for now: its thread, or a caller.
    private readonly Lock turn = new();
    private long fibSteppedAt;
    private bool isAtRest;
    private long restsUntil;
    private volatile bool isStopping;

    /// <param name="slice">Prefixes that a walk looks at before other work has its turn.</param>
    public RibShard(
        int number, DecisionSettings settings, INextHopResolver resolver, IFibSink? fib, IRibOwner owner, Loops loops, ILogger log,
        int slice)
    {
        (this.number, this.owner, this.loops, this.log) = (number, owner, loops, log);
        nextHops = new(resolver);
        attributes = new(nextHops);
        import = new(attributes, nextHops, Tell);
        ribs = [NewRib(IpFamily.IPv4), NewRib(IpFamily.IPv6)];
        chores = new(ribs, attributes, nextHops, import, peers, slice);
        FibFeed?[] fibs = [.. ribs.Select(rib => fib == null ? null : NewFeed(rib, fib))];
        ways = new(
            ribs, fibs, nextHops, chores, (prefix, way) => owner.WayMoved(number, prefix, way),
            (address, begins) => owner.NextHopWatched(number, address, begins), log);
        // Without a FIB the kernel has no routes of ours, and nobody need know which lie over next hops.
        if (fib != null) nextHops.Watching = ways.Hold;
        outflows = [.. ribs.Select(NewOutflow)];
        intake = new(ribs, attributes, import, peers, chores, owner);

        FibFeed NewFeed(LocRib rib, IFibSink sink) =>
            new(rib, attributes, nextHops, peers, sink, owner.CountsOf(sink.CountedAs(rib.Family), rib.Family), slice);
        LocRib NewRib(IpFamily family) => new(family, attributes, nextHops, peers, settings);
        Outflow NewOutflow(LocRib rib) => new(rib, fibs[(int)rib.Family], ways, attributes, nextHops, peers, Wake, owner, log, slice);
    }

    public Inbox Inbox { get; } = new();

    /// <summary>Octets of tables, and of attribute sets; approximate when read from another thread.</summary>
    public (long Tables, long Attributes) Octets =>
        (ribs.Sum(rib => rib.Octets) + outflows.Sum(outflow => outflow.Octets), attributes.Octets);
    public bool IsFibBehind => Array.Exists(outflows, outflow => outflow.IsFibBehind);
    public (int Prefixes, int Paths, int AttributeSets) Sizes =>
        (ribs.Sum(rib => rib.Table.Count), ribs.Sum(rib => rib.Paths.Count), attributes.Count);

    /// <summary>With tables half changed nothing is to go on: its defect ends the process.</summary>
    public void Start() =>
        loop = loops.StartThread("rib", OnDefect.EndProcess, Run, of: number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public void Stop()
    {
        lock (turn) isStopping = true;
        Inbox.Close();
        loop?.Ended.Wait();
    }

    /// <summary>Completes when the batch is taken, or waits in the inbox; in the order of calls.</summary>
    public ValueTask EnqueueAsync(RouteBatch batch) =>
        batch.Length <= FewOctets && TryTakeHere(batch) ? default : Inbox.PutAsync(new(batch));

    /// <summary>After <see cref="Stop"/>: the tables' memory goes back.</summary>
    public void Dispose()
    {
        foreach (var outflow in outflows) outflow.Dispose();
        foreach (var rib in ribs) rib.Dispose();
        attributes.Dispose();
        Inbox.Dispose();
    }

    private void Tell(RibPeer peer, Prefix prefix, Filters.FilterResult said)
    {
        if (!tellings.TryGetValue(peer.Index, out var lines)) tellings[peer.Index] = lines = new(TellingRest, loops.Time);
        if (!lines.Say(out var unsaid)) return;
        var verdict = said.Verdict == Filters.FilterVerdict.Reject ? "refused" : "let in";
        log.RuleTells(peer.Name, prefix, verdict, said.Rule, unsaid);
    }

    private void Wake() => Inbox.Put(ShardMessage.Wake.Up);

    private void Run(Loop loop)
    {
        while (!isStopping)
        {
            int patience;
            loop.Beat();
            lock (turn)
            {
                if (Turn()) continue;
                Rest();
                patience = Patience();
                restsUntil = patience == Timeout.Infinite ? long.MaxValue : Environment.TickCount64 + patience;
            }
            loop.Rest();
            Inbox.Wait(patience);
        }
        foreach (var reading in readings) reading.Answers.Writer.TryComplete();
    }

    private bool Turn()
    {
        var handled = TakeMessages();
        if (!Work() && !handled && Inbox.IsEmpty) return false;
        isAtRest = false;
        return true;
    }

    private void Rest()
    {
        if (!isAtRest) owner.CameToRest();
        isAtRest = true;
        idlers.ForEach(idler => idler.SetResult());
        idlers.Clear();
    }

    /// <summary>False: the shard has other things to do, or is gone.</summary>
    private bool TryTakeHere(RouteBatch batch)
    {
        if (!turn.TryEnter()) return false;
        try
        {
            if (!isAtRest || isStopping || !Inbox.IsEmpty) return false;
            isAtRest = false;
            intake.Apply(batch);
            for (var turns = 0; Work();)
            {
                if (++turns < TurnsHere) continue;
                Wake();
                return true;
            }
            // Who put something in meanwhile has woken the thread.
            if (!Inbox.IsEmpty) return true;
            Rest();
            if (NextDue() < restsUntil) Wake();
            return true;
        }
        catch (Exception broken)
        {
            loop!.Failed(broken);
            throw;
        }
        finally
        {
            turn.Exit();
        }
    }

    private bool TakeMessages()
    {
        var handled = false;
        for (var batches = 0; batches < BatchesPerTurn && Inbox.TryTake(out var message);)
        {
            handled = true;
            if (message is ShardMessage.Routes) batches++;
            Handle(message);
        }
        return handled;
    }

    /// <summary>When an advertisement interval ends, in the system's milliseconds; null: nothing is due.</summary>
    private long? NextDue() => outflows.Min(outflow => outflow.DueAt);

    /// <summary>Milliseconds until something is due; infinite: nothing is.</summary>
    private int Patience() =>
        NextDue() is { } due ? (int)Math.Clamp(due - Environment.TickCount64, 0, 60_000) : Timeout.Infinite;

    private bool Work()
    {
        var worked = false;
        foreach (var outflow in outflows) worked |= outflow.Distribute();
        worked |= ways.Settle();
        if (isRestoring) return worked | chores.Step();
        for (var step = 0; step < StepsPerTurn && StepGroups(); step++) worked = true;
        var now = Environment.TickCount64;
        if (Inbox.IsEmpty || now - fibSteppedAt >= FibRest)
        {
            fibSteppedAt = now;
            foreach (var outflow in outflows) worked |= outflow.StepFib();
        }
        foreach (var outflow in outflows) worked |= outflow.StepFollowers() | outflow.RemoveEmptied() | outflow.StepDissolving();
        worked |= chores.Step();
        for (var i = readings.Count - 1; i >= 0; i--) worked |= Advance(readings[i]);
        return worked;
    }

    private bool StepGroups()
    {
        var (worked, now) = (false, Environment.TickCount64);
        foreach (var outflow in outflows) worked |= outflow.StepGroups(now);
        return worked;
    }

    private void Handle(ShardMessage message)
    {
        switch (message)
        {
            case ShardMessage.Routes routes:
                intake.Apply(routes.Batch);
                break;
            case ShardMessage.PeerUp up:
                ComesUp(up.Peer);
                if (up.Outlet == null) break;
                foreach (var outflow in outflows) outflow.Join(up.Peer, up.Outlet);
                break;
            case ShardMessage.PeerDown down:
                foreach (var outflow in outflows) outflow.Leave(down.Peer);
                foreach (var rib in ribs) Lose(down.Peer, rib.Family, down.Kept);
                break;
            case ShardMessage.PeersChanged changed:
                foreach (var peer in changed.Peers) Change(peer);
                break;
            case ShardMessage.Refresh refresh:
                outflows[(int)refresh.Family].Refresh(refresh.Peer);
                break;
            case ShardMessage.Reimport again:
                chores.Reimport(again.Peer);
                break;
            case ShardMessage.ReimportRange again:
                chores.Reimport(again.Range);
                break;
            case ShardMessage.StaleEnds ends:
                foreach (var rib in ribs)
                    if (ends.Families.Has(rib.Family)) EndStale(ends.Peer, rib.Family);
                break;
            case ShardMessage.LongStaleBegins(var peer, var families):
                BeginLongStale(peer, families);
                break;
            case ShardMessage.Aged(var peer, var families, var isLong):
                Age(peer, families, isLong);
                break;
            case ShardMessage.Defer defer:
                foreach (var outflow in outflows)
                    if (defer.Families.Has(outflow.Family)) outflow.Defer(defer.Begins, chores);
                break;
            case ShardMessage.NextHopsChanged next:
                nextHops.ResolveBy(next.Resolver);
                ways.LookAgain();
                break;
            case ShardMessage.WayMoved moved:
                nextHops.TakeWay(moved.Prefix, moved.Way);
                ways.LookAgain();
                break;
            case ShardMessage.NextHopWatched elsewhere:
                ways.HoldElsewhere(elsewhere.Address, elsewhere.Begins);
                break;
            case ShardMessage.SettingsChanged settings:
                foreach (var rib in ribs) rib.Settings = settings.Settings;
                chores.ChooseAgain(null);
                break;
            case ShardMessage.FibFilterChanged:
                foreach (var outflow in outflows) outflow.OfferAgain();
                ways.LookAgain();
                break;
            case ShardMessage.Follow follow:
                foreach (var outflow in outflows) outflow.Follow(follow.Follower);
                break;
            case ShardMessage.Unfollow unfollow:
                foreach (var outflow in outflows) outflow.Unfollow(unfollow.Follower);
                break;
            case ShardMessage.Freeze order:
                Freeze(order);
                break;
            case ShardMessage.Restore restore:
                isRestoring = chores.IsRestoring = restore.Begins;
                break;
            case ShardMessage.Adopt(var family, var holdings):
                outflows[(int)family].Adopt(holdings);
                break;
            case ShardMessage.Idle idle:
                idlers.Add(idle.Reached);
                break;
            case ShardMessage.Read read:
                readings.Insert(0, read.Job);
                break;
            case ShardMessage.Explain explain:
                explain.Answer.SetResult(ReaderOf(explain.Prefix.Family).Explain(explain.Prefix));
                break;
        }
    }

    private void Change(RibPeer peer)
    {
        if (peers.Find(peer.Index) is not { } before || before.Life != peer.Life) return;
        peers.Set(peer, family => owner.CountsOf(peer.Index, family));
        if (!before.Import.Equals(peer.Import)
            || (before.AllowLocalAs, before.RejectAsSets, before.Drains) != (peer.AllowLocalAs, peer.RejectAsSets, peer.Drains))
            chores.Reimport(peer.Index);
        if (peer.PrefixLimit is { } limit && limit != before.PrefixLimit) intake.HoldToLimit(peer, limit);
        foreach (var outflow in outflows) outflow.Change(peer);
    }

    private void ComesUp(RibPeer peer)
    {
        var before = peers.Find(peer.Index);
        peers.Set(peer, family => owner.CountsOf(peer.Index, family));
        // What is left of an earlier session was imported and chosen by what was known of the peer then.
        if (before != null && before != peer && Array.Exists(ribs, rib => peers.Cycle(peer.Index, rib.Family).Outdated > 0))
            chores.Reimport(peer.Index, isAnother: true);
    }

    private void EndStale(ushort peer, IpFamily family)
    {
        if (peers.Find(peer) == null) return;
        var cycle = peers.Cycle(peer, family);
        cycle.EndStale();
        chores.RemoveGone(cycle, family);
    }

    private void BeginLongStale(ushort peer, FamilySet families)
    {
        if (peers.Find(peer) == null) return;
        foreach (var rib in ribs)
            if (families.Has(rib.Family)) peers.Cycle(peer, rib.Family).BeginLongStale();
        chores.Reimport(peer);
    }

    private void Lose(ushort peer, IpFamily family, KeptFamilies kept)
    {
        if (peers.Find(peer) == null) return;
        var (cycle, counts) = (peers.Cycle(peer, family), peers.Counts(peer, family));
        var canWait = kept.All.Has(family) ? cycle.Keep(counts.Held, kept.StaleToo.Has(family)) : cycle.Lose(counts.Held);
        chores.RemoveGone(cycle, family);
        if (!canWait) chores.RemoveGoneNow();
        counts.Reset();
    }

    private RouteReader ReaderOf(IpFamily family) => new(ribs[(int)family], outflows[(int)family], attributes, import, peers);

    private bool Advance(RouteRead reading)
    {
        if (reading.IsAbandoned)
        {
            readings.Remove(reading);
            return true;
        }
        if (!ReaderOf(reading.Request.Family).Advance(reading, Wake, out var isDone)) return false;
        if (isDone) readings.Remove(reading);
        return true;
    }
}
