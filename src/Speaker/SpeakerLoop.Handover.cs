using System.Collections.Immutable;
using System.Net.Sockets;
using Calico.Bgp.Bfd;
using Calico.Bgp.Net;
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

    private const string Ends = "this daemon ends";

    private volatile bool hasHandedOver;
    /// <summary>The last order to hand over; its result says whether the other process has taken over.</summary>
    private volatile Task<bool>? handingOver;

    /// <returns>Why the other process has not taken over; null: it has, and this one speaks to nobody any more.</returns>
    public Task<string?> HandOverAsync(IHeir to, TimeSpan within) => AskAsync<string?>(done => new SpeakerNews.HandOver(to, within, done));

    private async Task HandOverAsync(Loop loop, SpeakerNews.HandOver order)
    {
        var outcome = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        handingOver = outcome.Task;
        var failed = Bar();
        if (failed != null) order.To.End();
        else failed = await TryHandOverAsync(loop, order).ConfigureAwait(false);
        hasHandedOver = failed == null;
        if (hasHandedOver) await loop.WaitForAsync(Bfd.FallSilentAsync()).ConfigureAwait(false);
        outcome.SetResult(hasHandedOver);
        order.Done.SetResult(failed);
        if (!hasHandedOver) return;
        // Whatever comes now is the other one's.
        await loop.WaitForAsync(Task.Delay(Timeout.InfiniteTimeSpan, time, stopping.Token)).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>This daemon ends: an order that is under way is over by that, one way or the other.</summary>
    /// <returns>It has handed over, and what is open here is the other process's.</returns>
    private async Task<bool> HasHandedOverAsync()
    {
        if (handingOver is not { } order) return false;
        await Task.WhenAny(order, loop!.Ended).ConfigureAwait(false);
        return order.IsCompleted && await order.ConfigureAwait(false);
    }

    /// <returns>Why the other process has not taken over; all goes on as it was.</returns>
    private async Task<string?> TryHandOverAsync(Loop loop, SpeakerNews.HandOver order)
    {
        using var timeout = new CancellationTokenSource(order.Within, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping.Token);
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var standing = new List<(Peer Peer, StandingSession Session)>();
        IDisposable? frozen = null;
        string failed;
        Func<string?> waits = () => null;
        try
        {
            var work = StandStillAndGiveAsync(order.To, standing, over.Task, made => frozen = made, why => waits = why, stop.Token);
            await loop.WaitForAsync(Task.WhenAny(work)).ConfigureAwait(false);
            await work.ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException)
        {
            failed = IsShuttingDown ? Ends : $"the new process had not taken over within {order.Within.Words()}"
                + (waits() is { } why ? $": {why}" : "");
        }
        catch (Exception refused) when (refused is HandoverException or IOException)
        {
            failed = refused.Message;
        }
        order.To.End();
        over.TrySetResult();
        Bfd.TakeBack();
        foreach (var (_, session) in standing) session.GoOn();
        frozen?.Dispose();
        listener.GoOn();
        return failed;
    }

    /// <summary>What cannot go over is over by itself in a while, or is for the operator to decide. Null: all can.</summary>
    private string? Bar()
    {
        if (IsShuttingDown) return Ends;
        if (Recovery is { } recovery)
            return $"this daemon has itself just begun, and waits for {recovery.Waits} tables of its peers: try again in a while";
        return null;
    }

    /// <param name="waits">Told what it waits for, in words, where that may never come; null: nothing of that kind any more.</param>
    private async Task StandStillAndGiveAsync(
        IHeir to, List<(Peer Peer, StandingSession Session)> standing, Task over, Action<IDisposable> froze, Action<Func<string?>> waits,
        CancellationToken stop)
    {
        var sockets = new List<Socket>(await listener.StandStillAsync().ConfigureAwait(false));
        var listeners = sockets.Count;
        foreach (var peer in Peers)
        {
            waits(() => $"the session with {peer.Name} does not come to rest");
            if (await peer.Session.StandStillAsync(over).WaitAsync(stop).ConfigureAwait(false) is { } session)
                standing.Add((peer, session));
        }
        waits(() => null);
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
                Sent = handed.Opens.Sent.ToArray(),
                Received = handed.Opens.Received.ToArray(),
                Unread = handed.Unread.ToArray(),
                Since = handed.Since,
                Complete = (int)(peer.Up?.Complete ?? FamilySet.None),
            };
            sockets.Add(handed.Connection);
        }
        // Its news waits behind this order: what stays of it is not known yet.
        if (Peers.FirstOrDefault(peer => peer.Up != null && !lives.ContainsKey(peer)) is { } lost) throw HasEnded(lost);
        var watched = await Bfd.SayAsync().WaitAsync(stop).ConfigureAwait(false);
        await to.OfferAsync(StateOf(lives, listeners, watched), images, sockets, stop).ConfigureAwait(false);
        waits(() => standing.Where(one => one.Session.Backlog > 0).Select(one => Unread(one.Peer, one.Session)).FirstOrDefault());
        foreach (var (_, session) in standing)
            while (session.Backlog > 0) await Task.Delay(LookAgainAfter, time, stop).ConfigureAwait(false);
        await GiveAsync(to, standing, over, stop).ConfigureAwait(false);
    }

    /// <summary>What one peer does not take holds up all others.</summary>
    private static string Unread(Peer peer, StandingSession session) =>
        $"{peer.Name} does not read what is sent to it, and {session.Backlog} octets wait for it: disable it, or wait for its hold time";

    private HandedState StateOf(Dictionary<Peer, HandedLife> lives, int listeners, ImmutableArray<HandedBfd> watched) => new()
    {
        Version = HandedState.CurrentVersion,
        Release = "",
        Listeners = listeners,
        Peers = [.. Peers.Where(peer => lives.ContainsKey(peer) || !peer.Retention.Families.IsEmpty).Select(
            peer => StateOf(peer, lives.GetValueOrDefault(peer)))],
        Disabled = [.. Peers.Where(peer => peer is { Drain: null, OverLimit: null, Session.Snapshot.Enabled: false })
            .Where(peer => !peer.Config.Session.Shutdown).Select(peer => peer.Name)],
        Drains = [.. drains.Select(drain => new HandedDrain(
            drain.Key, drain.Value.Reason, drain.Value.Status.Since, drain.Value.IsByCordon, drain.Value.StaysDown)
        {
            Stage = drain.Value.Stage,
            Until = drain.Value.Status.Until,
            Looks = drain.Value.Looks,
        })],
        DrainOfAll = all is var (reason, since, isByCordon) ? new("", reason, since, isByCordon, StaysDown: false) : null,
        Leases = [.. Sources.Where(source => source.Name.StartsWith(LeasedName, StringComparison.Ordinal)).SelectMany(Leases)],
        Produced = [.. Sources.Where(source => source.MovesItself && !source.Name.StartsWith(LeasedName, StringComparison.Ordinal))
            .Select(source => new HandedProduced(source.Name[..^1], [.. source.Wanted.Keys.Select(prefix => prefix.ToString())]))],
        Sources = [.. Sources.Select(source => new HandedSource(source.Index, source.Name))],
        Bfd = watched,
    };

    private static HandedPeer StateOf(Peer peer, HandedLife? life) => new()
    {
        Name = peer.Name,
        Index = peer.Index,
        Address = peer.Session.Settings.PeerAddress.ToString(),
        Interface = peer.Session.Settings.Interface,
        Life = life,
        Kept = [.. peer.Retention.Families.Select(kept => new HandedKept(
            kept.Family, kept.IsLong, kept.Until, kept.LongTime.TotalSeconds))],
        Loss = life == null ? LossOf(peer.LeftBy!) : null,
    };

    private static HandedLoss LossOf(Negotiated agreed)
    {
        var opens = BothOpens.Of(agreed);
        return new(opens.Sent.ToArray(), opens.Received.ToArray(), agreed.LocalAddress.ToString());
    }

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
                    if (session.HasEnded) throw HasEnded(peer);
                    await Task.Delay(LookAgainAfter, time, either.Token).ConfigureAwait(false);
                }
                moments.Add(moment.Value.Silence.TotalSeconds);
            }
            await to.GiveAsync(new(moments.ToImmutable(), await LendBfdAsync(either.Token).ConfigureAwait(false)), either.Token)
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new HandoverException($"the new process had not taken the sessions within {patience.Words()} of the last moment");
        }
    }

    /// <summary>Its thread does not stand still. A loss that it has seen meanwhile waits behind this order, for us to act on.</summary>
    private async Task<ImmutableArray<HandedBfd>> LendBfdAsync(CancellationToken stop)
    {
        var lent = await Bfd.LendAsync().WaitAsync(stop).ConfigureAwait(false);
        foreach (var peer in Peers)
            if (peer.Watched is { Key: var key } && lent.Any(one => one.IsOf(key) && peer.HasUnheardLoss(one.LastLoss)))
                throw HasEnded(peer);
        return lent;
    }

    private static HandoverException HasEnded(Peer peer) => new($"the session with {peer.Name} has ended meanwhile: try again");
}
