using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Speaker;

/// <content>
/// Draining (RFC 8326): peers are told that our routes are the last choice, then that there are none, and only then does the session end,
/// with the operator's words (RFC 9003). What comes from them is the last choice here from the beginning.
/// </content>
public sealed partial class SpeakerLoop
{
    /// <summary>Between withdrawal and end: what was withdrawn is on its way, and is looked after so often.</summary>
    private static readonly TimeSpan Parting = TimeSpan.FromSeconds(1);
    private const int MostLooks = 30;

    private const string CordonReason = "the node is cordoned";

    private readonly Dictionary<string, Drain> drains = new(StringComparer.Ordinal);

    /// <summary>Who comes later than the order to drain all is down from the beginning; the operator's words; null: nobody is.</summary>
    private (string? Reason, DateTimeOffset Since, bool IsByCordon)? all;

    /// <param name="peer">Null: all, and who comes later.</param>
    /// <returns>The peers that are drained by this.</returns>
    internal Task<ImmutableArray<string>> DrainAsync(string? peer, TimeSpan wait, string? reason) =>
        AskAsync<ImmutableArray<string>>(done => new SpeakerNews.BeginDrain(peer, wait, reason, done));

    /// <returns>The peers that were drained, and are not any more.</returns>
    internal Task<ImmutableArray<string>> UndrainAsync(string? peer) =>
        AskAsync<ImmutableArray<string>>(done => new SpeakerNews.EndDrain(peer, done));

    private ImmutableArray<string> Begin(SpeakerNews.BeginDrain order) =>
        BeginDrain(order.Peer, order.Wait, order.Reason, isByCordon: false);

    private ImmutableArray<string> BeginDrain(string? which, TimeSpan wait, string? reason, bool isByCordon)
    {
        if (which == null && !(isByCordon && all != null)) all = (reason, time.GetUtcNow(), isByCordon);
        var begun = ImmutableArray.CreateBuilder<string>();
        foreach (var peer in Peers)
        {
            if ((which ?? peer.Name) != peer.Name) continue;
            if (drains.TryGetValue(peer.Name, out var known))
            {
                // What the operator orders lasts until he says otherwise.
                known.IsByCordon &= isByCordon;
                continue;
            }
            var now = time.GetUtcNow();
            var drain = peer.Drain = drains[peer.Name] = new(reason, now)
            {
                StaysDown = !peer.Session.Snapshot.Enabled,
                IsByCordon = isByCordon,
            };
            begun.Add(peer.Name);
            drain.Timer = TimerOf(peer.Name, drain, Timeout.InfiniteTimeSpan);
            log.DrainBegun(peer.Name, wait.Words(), reason ?? "no reason was given");
            if (peer.Up == null)
            {
                End(peer.Name, drain);
                continue;
            }
            drain.Become(DrainStage.Announced, now, now + wait);
            TellRib(peer);
            drain.Timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
        Moved?.Invoke();
        return begun.ToImmutable();
    }

    private ITimer TimerOf(string name, Drain drain, TimeSpan due) =>
        time.CreateTimer(_ => Post(new SpeakerNews.DrainGoesOn(name, drain)), null, due, Timeout.InfiniteTimeSpan);

    private void GoOn(string name, Drain drain)
    {
        if (drains.GetValueOrDefault(name) != drain || drain.Stage == DrainStage.Down) return;
        var peer = PeerNamed(name);
        if (peer?.Up == null) End(name, drain);
        else if (drain.Stage == DrainStage.Announced)
        {
            drain.Become(DrainStage.Withdrawn, time.GetUtcNow(), time.GetUtcNow() + Parting);
            TellRib(peer);
            drain.Timer!.Change(Parting, Timeout.InfiniteTimeSpan);
        }
        else if (IsTold(peer) || ++drain.Looks >= MostLooks) End(name, drain);
        else drain.Timer!.Change(Parting, Timeout.InfiniteTimeSpan);
        Moved?.Invoke();
    }

    /// <summary>Nothing of ours is left there.</summary>
    private bool IsTold(Peer peer) =>
        Rib.CountsOf(peer.Index, IpFamily.IPv4).Exported == 0 && Rib.CountsOf(peer.Index, IpFamily.IPv6).Exported == 0;

    private void End(string name, Drain drain)
    {
        drain.Become(DrainStage.Down, time.GetUtcNow(), null);
        log.Drained(name);
        if (PeerNamed(name) is not { } peer) return;
        GiveUp(peer);
        peer.Session.Disable(drain.Reason);
    }

    private ImmutableArray<string> End(SpeakerNews.EndDrain order)
    {
        if (order.Peer == null) all = null;
        return EndDrains((name, _) => (order.Peer ?? name) == name);
    }

    /// <summary>
    /// The node was cordoned, or is not any more. Those whom the operator drained stay so; and whom he brings back meanwhile stays up.
    /// </summary>
    private void LookAtCordon(bool isCordoned)
    {
        if (isCordoned) BeginDrain(null, DrainStatus.DefaultWait, CordonReason, isByCordon: true);
        else
        {
            if (all is { IsByCordon: true }) all = null;
            EndDrains((_, drain) => drain.IsByCordon);
        }
    }

    private ImmutableArray<string> EndDrains(Func<string, Drain, bool> ends)
    {
        var ended = ImmutableArray.CreateBuilder<string>();
        foreach (var (name, drain) in drains.ToArray())
        {
            if (!ends(name, drain)) continue;
            drains.Remove(name);
            drain.Dispose();
            ended.Add(name);
            if (PeerNamed(name) is not { } peer) continue;
            peer.Drain = null;
            if (drain.Stage != DrainStage.Down) TellRib(peer);
            else if (!drain.StaysDown && !peer.Config.Session.Shutdown) peer.Session.Enable();
            dynamics.Watch(peer);
            LookForAnother(peer);
        }
        Moved?.Invoke();
        return ended.ToImmutable();
    }

    private void TellRib(Peer peer)
    {
        if (peer.Up is { } up) Rib.PeerChanged(up.Told = ForRib(peer, up, kernel.Current));
    }

    /// <summary>Of a peer that is made now: by its name, or because all are drained. It begins with the end.</summary>
    private Drain? DrainOf(string name)
    {
        if (!drains.TryGetValue(name, out var drain))
        {
            if (all is not var (reason, since, isByCordon)) return null;
            drains[name] = drain = new(reason, since) { IsByCordon = isByCordon };
        }
        // It is as far as it had come there.
        else if (isTakingOver) return drain;
        drain.Become(DrainStage.Down, time.GetUtcNow(), null);
        return drain;
    }
}
