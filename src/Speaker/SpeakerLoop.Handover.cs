using System.Collections.Immutable;
using System.Net.Sockets;
using Calico.Bgp.Bfd;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker.Handover;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <content>
/// The sessions and tables go over into another process (`bgpctl upgrade`), without an end that a peer could notice. src/README.md
/// tells the
/// order. Here everything stands still between the offer and the moment, and goes on as it was where the other one does not take it.
/// </content>
public sealed partial class SpeakerLoop
{
    /// <summary>From when not even keepalives leave until somebody sends them again; and no more than a third of the shortest hold
    /// time.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(5);

    private bool isTakingOver;
    private volatile bool hasHandedOver;

    /// <returns>Why the other process has not taken over; null: it has, and this one speaks to nobody any more.</returns>
    public Task<string?> HandOverAsync(IHeir to, TimeSpan within) => AskAsync<string?>(done => new SpeakerNews.HandOver(to, within, done));

    private async Task HandOverAsync(Loop loop, SpeakerNews.HandOver order)
    {
        if (Bar() is { } barred)
        {
            order.To.End();
            order.Done.SetResult(barred);
            return;
        }
        using var timeout = new CancellationTokenSource(order.Within, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping.Token);
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var standing = new List<(Peer Peer, StandingSession Session)>();
        IDisposable? frozen = null;
        string? failed = null;
        try
        {
            var work = StandStillAndGiveAsync(order.To, standing, over.Task, made => frozen = made, stop.Token);
            await loop.WaitForAsync(Task.WhenAny(work)).ConfigureAwait(false);
            await work.ConfigureAwait(false);
            hasHandedOver = true;
            order.Done.SetResult(null);
            // Whatever comes now is the other one's.
            await loop.WaitForAsync(Task.Delay(Timeout.InfiniteTimeSpan, time, stopping.Token)).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
            return;
        }
        catch (OperationCanceledException)
        {
            failed = stopping.IsCancellationRequested
                ? "this daemon ends" : $"the new process had not taken over within {order.Within.Words()}";
        }
        catch (Exception refused) when (refused is HandoverException or IOException)
        {
            failed = refused.Message;
        }
        order.To.End();
        over.TrySetResult();
        foreach (var (_, session) in standing) session.GoOn();
        frozen?.Dispose();
        listener.GoOn();
        order.Done.SetResult(failed);
    }

    /// <summary>What cannot go over is over by itself in a while, or is for the operator to decide. Null: all can.</summary>
    private string? Bar()
    {
        if (Recovery is { } recovery)
            return $"this daemon has itself just begun, and waits for {recovery.Waits} tables of its peers: try again in a while";
        if (drains.FirstOrDefault(drain => drain.Value.Stage != DrainStage.Down) is { Key: { } drained })
            return $"{drained} is being drained: try again when it is down";
        if (Peers.FirstOrDefault(peer => !peer.Retention.Families.IsEmpty) is { } kept)
            return $"routes of {kept.Name} are kept over the loss of its session: try again when it is back, or they are gone";
        return Bfd.Sessions.Any(session => session.State == BfdState.Up)
            ? "neighbours are watched by BFD, whose sessions end with this process: they would take it for lost. Restart it instead"
            : null;
    }

    private async Task StandStillAndGiveAsync(
        IHeir to, List<(Peer Peer, StandingSession Session)> standing, Task over, Action<IDisposable> froze, CancellationToken stop)
    {
        var sockets = new List<Socket>(await listener.StandStillAsync().ConfigureAwait(false));
        var listeners = sockets.Count;
        foreach (var peer in Peers)
            if (await peer.Session.StandStillAsync(over).WaitAsync(stop).ConfigureAwait(false) is { } session)
                standing.Add((peer, session));
        var images = Enumerable.Range(0, Rib.ShardCount).Select(shard => to.Memory($"shard {shard}")).ToArray();
        froze(await Rib.FreezeAsync(images).WaitAsync(stop).ConfigureAwait(false));
        if (fib != null) await fib.PassedAsync().WaitAsync(stop).ConfigureAwait(false);
        var lives = new Dictionary<Peer, HandedLife>();
        foreach (var (peer, session) in standing)
        {
            var handed = session.Handed;
            lives[peer] = new()
            {
                Socket = sockets.Count,
                Ours = handed.Ours,
                Sent = handed.Sent.ToArray(),
                Received = handed.Received.ToArray(),
                Unread = handed.Unread.ToArray(),
                Since = handed.Since,
                Complete = (int)(peer.Up?.Complete ?? FamilySet.None),
            };
            sockets.Add(handed.Connection);
        }
        await to.OfferAsync(StateOf(lives, listeners), images, sockets, stop).ConfigureAwait(false);
        foreach (var (_, session) in standing)
            while (session.Backlog > 0) await Task.Delay(LookAgainAfter, time, stop).ConfigureAwait(false);
        await GiveAsync(to, standing, over, stop).ConfigureAwait(false);
    }

    private HandedState StateOf(Dictionary<Peer, HandedLife> lives, int listeners) => new()
    {
        Version = HandedState.CurrentVersion,
        Release = "",
        Listeners = listeners,
        Peers = [.. Peers.Where(lives.ContainsKey).Select(peer => new HandedPeer
        {
            Name = peer.Name,
            Index = peer.Index,
            Address = peer.Session.Settings.PeerAddress.ToString(),
            Interface = peer.Session.Settings.Interface,
            Life = lives[peer],
        })],
        Disabled = [.. Peers.Where(peer => peer is { Drain: null, OverLimit: null, Session.Snapshot.Enabled: false })
            .Where(peer => !peer.Config.Session.Shutdown).Select(peer => peer.Name)],
        Drains = [.. drains.Select(drain => new HandedDrain(
            drain.Key, drain.Value.Reason, drain.Value.Status.Since, drain.Value.IsByCordon, drain.Value.StaysDown))],
        DrainOfAll = all is var (reason, since, isByCordon) ? new("", reason, since, isByCordon, StaysDown: false) : null,
        Leases = [.. Sources.Where(source => source.Name.StartsWith(LeasedName, StringComparison.Ordinal)).SelectMany(Leases)],
        Sources = [.. Sources.Select(source => new HandedSource(source.Index, source.Name))],
    };

    private IEnumerable<HandedLease> Leases(OwnRouteSource source) =>
        from route in source.Wanted
        let said = route.Value.Said ?? new()
        select new HandedLease(source.Name[LeasedName.Length..^1], route.Key.ToString(), LeaseLeft(source, route.Key)?.TotalSeconds)
        {
            NextHop = said.NextHop?.ToString(),
            Communities = [.. said.Communities.Select(community => community.Value)],
            LargeCommunities = [.. said.LargeCommunities.SelectMany(one => (uint[])[one.Global, one.Data1, one.Data2])],
            LocalPref = said.LocalPref,
            Med = said.Med,
        };

    private async Task TakeLeaseAsync(HandedLease lease)
    {
        if (!Prefix.TryParse(lease.Prefix, out var prefix)) throw new HandoverException($"expected a lease's prefix, got {lease.Prefix}");
        var large = lease.LargeCommunities.Chunk(3).Select(three => new LargeCommunity(three[0], three[1], three[2]));
        var said = new SaidAttributes
        {
            NextHop = lease.NextHop is { } text && Address.TryParse(text, out var nextHop) ? nextHop : null,
            Communities = [.. lease.Communities.Select(community => new Community(community))],
            LargeCommunities = [.. large],
            LocalPref = lease.LocalPref,
            Med = lease.Med,
        };
        var ttl = lease.Seconds is { } seconds ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
        // What bars it by other quotas is taken back then.
        await AnnounceNowAsync(new(lease.Producer, prefix, ttl, said)).ConfigureAwait(false);
    }

    private void TakeDrains(HandedState state)
    {
        if (state.DrainOfAll is { } later) all = (later.Reason, later.Since, later.IsByCordon);
        foreach (var drain in state.Drains)
        {
            drains[drain.Peer] = new(drain.Reason, drain.Since) { IsByCordon = drain.IsByCordon, StaysDown = drain.StaysDown };
            drains[drain.Peer].Become(DrainStage.Down, drain.Since, null);
        }
    }

    private async Task GiveAsync(IHeir to, List<(Peer Peer, StandingSession Session)> standing, Task over, CancellationToken stop)
    {
        var holds = standing.Select(one => one.Peer.Up?.Negotiated.HoldTime ?? 0).Where(hold => hold > 0).DefaultIfEmpty(ushort.MaxValue);
        var patience = TimeSpan.FromSeconds(Math.Min(Moment.TotalSeconds, holds.Min() / 3.0));
        using var timeout = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
        var moments = ImmutableArray.CreateBuilder<double>();
        try
        {
            foreach (var (peer, session) in standing)
            {
                HandedMoment? moment;
                while ((moment = await session.GiveAsync(over).WaitAsync(either.Token).ConfigureAwait(false)) == null)
                {
                    if (peer.Session.Snapshot.Phase != Phase.Established)
                        throw new HandoverException($"the session with {peer.Name} has ended meanwhile: try again");
                    await Task.Delay(LookAgainAfter, time, either.Token).ConfigureAwait(false);
                }
                moments.Add(moment.Value.Silence.TotalSeconds);
            }
            await to.GiveAsync(new(moments.ToImmutable()), either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new HandoverException($"the new process had not taken the sessions within {patience.Words()} of the last moment");
        }
    }

    /// <summary>After <see cref="StartAsync"/>, and once all own routes are announced.</summary>
    /// <exception cref="HandoverException">It cannot be; the other process goes on, and this one is to end.</exception>
    public async Task TakeOverAsync(ITestator from)
    {
        if (await AskAsync<string?>(done => new SpeakerNews.TakeOver(from, done)).ConfigureAwait(false) is { } words)
            throw new HandoverException(words);
        Settle();
    }

    /// <summary>What OPENs of sessions say that were not established there: nobody has restarted.</summary>
    private void BeginTakingOver() => beginning = new(time, DateTimeOffset.MinValue, HasOldRoutes: true, fib != null);

    private async Task TakeOverAsync(Loop loop, ITestator from, TaskCompletionSource<string?> done)
    {
        try
        {
            var work = TakeOverAllAsync(from);
            await loop.WaitForAsync(Task.WhenAny(work)).ConfigureAwait(false);
            var (taken, moments) = await work.ConfigureAwait(false);
            isTakingOver = false;
            for (var i = 0; i < taken.Count; i++)
            {
                taken[i].Session.Start();
                taken[i].Session.GoOn(new(TimeSpan.FromSeconds(moments.SilentSeconds[i])));
            }
            if (Config.IsDrained) LookAtCordon(isCordoned: true);
            StartPeers();
            foreach (var name in from.State.Disabled) PeerNamed(name)?.Session.Disable();
            listener.Start();
            done.SetResult(null);
        }
        catch (Exception refused) when (refused is HandoverException or InvalidDataException or IOException or OperationCanceledException)
        {
            done.SetResult(refused.Message);
        }
    }

    private async Task<(List<Peer> Taken, HandedMoments Moments)> TakeOverAllAsync(ITestator from)
    {
        var state = from.State;
        TakeDrains(state);
        foreach (var lease in state.Leases) await TakeLeaseAsync(lease).ConfigureAwait(false);
        var taken = state.Peers.Where(handed => handed.Life != null).Select(handed => Take(handed, handed.Life!, from)).ToList();
        var told = await RestoreAsync(from).ConfigureAwait(false);
        await Rib.EndRestoringAsync(told).ConfigureAwait(false);
        var moments = await from.RestoredAsync(stopping.Token).ConfigureAwait(false);
        if (moments.SilentSeconds.Length != taken.Count)
            throw new HandoverException($"expected a moment for each of {taken.Count} sessions, got {moments.SilentSeconds.Length}");
        await from.TakenAsync(stopping.Token).ConfigureAwait(false);
        return (taken, moments);
    }

    private Peer Take(HandedPeer handed, HandedLife life, ITestator from)
    {
        if (life.Socket < from.State.Listeners || life.Socket >= from.Sockets.Count)
            throw new HandoverException($"{handed.Name}: expected one of {from.Sockets.Count} sockets, got number {life.Socket}");
        var peer = MakeAgain(handed);
        var session = new HandedSession(
            from.Sockets[life.Socket], life.Ours, life.Sent, life.Received, life.Unread, life.Since);
        if (peer.Session.Adopt(session) is { } words)
            throw new HandoverException(
                $"{handed.Name}: the session does not go on by the configuration of now ({words}): reload it first");
        peer.Up = peer.Door.Life;
        peer.Up!.Complete = (FamilySet)life.Complete;
        return peer;
    }

    private Peer MakeAgain(HandedPeer handed)
    {
        if (!Address.TryParse(handed.Address, out var address)) throw new HandoverException($"expected an address, got {handed.Address}");
        if (Config.Peers.FirstOrDefault(peer => peer.Session.Name == handed.Name && peer.Session.PeerAddress == address) is { } named)
            return MakePeer(named, null, null, null);
        if (Config.Links.FirstOrDefault(link => link.Each.Session.Name == handed.Name && link.Interface == handed.Interface) is { } link)
            return MakePeer(link.For(address), null, null, link);
        if (PeerRange.For(Config.Ranges, address) is { } range && range.For(address) is var called && called.Session.Name == handed.Name)
            return MakePeer(called, null, range, null);
        throw new HandoverException($"no peer {handed.Name} with address {address} is configured now: reload the configuration first");
    }

    /// <returns>What peers were told.</returns>
    private async Task<ToldTables> RestoreAsync(ITestator from)
    {
        var indexes = from.State.Peers.ToDictionary(peer => peer.Index, peer => IndexOf(peer.Name));
        var inlets = new Dictionary<ushort, RouteInlet>();
        var readers = from.Images.Select(image => new TableImageReader(image)).ToArray();
        var told = new ToldTables(Rib.ShardCount);
        try
        {
            for (var age = PathAge.LongStale; age <= PathAge.Present; age++)
            {
                foreach (var reader in readers)
                    while (RestoreSome(reader, indexes, inlets) is { } filled)
                        await filled.FlushAsync().ConfigureAwait(false);
                // What was said before a refresh that has not ended is still to be confirmed (RFC 7313).
                if (age == PathAge.Unconfirmed)
                    foreach (var inlet in inlets.Values)
                    {
                        inlet.BeginRefresh(IpFamily.IPv4);
                        inlet.BeginRefresh(IpFamily.IPv6);
                        await inlet.FlushAsync().ConfigureAwait(false);
                    }
            }
            foreach (var reader in readers) ReadTold(reader, from.State, indexes, told);
        }
        finally
        {
            foreach (var reader in readers) reader.Dispose();
        }
        return told;
    }

    /// <returns>Whose routes wait in which inlet; null: there are no more of this age.</returns>
    private RouteInlet? RestoreSome(TableImageReader reader, Dictionary<ushort, ushort> indexes, Dictionary<ushort, RouteInlet> inlets)
    {
        if (!reader.Next(out var record)) throw new HandoverException("the image of the tables ends before its paths do");
        if (record.Kind == ImageRecordKind.AgeEnds) return null;
        if (record.Kind != ImageRecordKind.Paths) throw new HandoverException($"expected paths, got {record.Kind}");
        if (!indexes.TryGetValue(record.Peer, out var index)) throw new HandoverException($"nobody said who peer {record.Peer} is");
        if (!inlets.TryGetValue(index, out var inlet)) inlets[index] = inlet = Rib.InletFor(index);
        inlet.Restore(record.Announced, record.Changed);
        return inlet;
    }

    private void ReadTold(TableImageReader reader, HandedState state, Dictionary<ushort, ushort> indexes, ToldTables told)
    {
        var sources = new Dictionary<ushort, ushort>(indexes);
        foreach (var source in state.Sources)
            sources[source.Index] = Sources.FirstOrDefault(ours => ours.Index == source.Index && ours.Name == source.Name)?.Index
                ?? Sources.FirstOrDefault(ours => ours.Name == source.Name)?.Index ?? Sources[0].Index;
        while (reader.Next(out var record))
        {
            if (record.Kind == ImageRecordKind.Holding) told.Begin(record.Nlri.Family, MembersOf(record, indexes));
            else if (record.Kind == ImageRecordKind.Told && sources.TryGetValue(record.Peer, out var source)) told.Add(source, record);
            else throw new HandoverException($"expected what peers were told, got {record.Kind} of {record.Peer}");
        }
    }

    private static List<(ushort, MemberDebts)> MembersOf(in ImageRecord holding, Dictionary<ushort, ushort> indexes)
    {
        var members = new List<(ushort, MemberDebts)>();
        for (var rest = holding.Members; !rest.IsEmpty; rest = rest[3..])
            if (indexes.TryGetValue((ushort)(rest[0] << 8 | rest[1]), out var index)) members.Add((index, (MemberDebts)rest[2]));
        return members;
    }
}
