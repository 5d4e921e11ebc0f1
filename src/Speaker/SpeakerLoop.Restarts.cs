using Calico.Bgp.Net;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <content>Restarts: the neighbours', whose routes stay meanwhile, and our own.</content>
public sealed partial class SpeakerLoop
{
    /// <summary>
    /// A peer that refuses us so long after our start is not waited for: it may be restarting too, or be gone for days. Nor is a neighbour
    /// of a range or link who has not been heard of by then.
    /// </summary>
    private static readonly TimeSpan RefusalPatience = TimeSpan.FromSeconds(10);

    private volatile FamilySet deferred;
    private volatile bool leavesForRestart;
    private Beginning? beginning;

    /// <summary>How this run began; before it has, with nothing.</summary>
    internal Beginning Beginning => beginning ?? new(time, Started, HasOldRoutes: false, fib != null);

    /// <summary>What our own restart waits for; null: nothing (any more).</summary>
    internal RecoveryStatus? Recovery
    {
        get
        {
            if (deferred is not (var families and not FamilySet.None)) return null;
            var (now, waits) = (time.GetUtcNow(), awaited.Count);
            foreach (var waited in Waited(Peers, now)) waits += System.Numerics.BitOperations.PopCount((uint)(waited & families));
            return new(families, waits, Started + Config.Deferral - now, Config.Deferral);
        }
    }

    /// <summary>
    /// RFC 4724 section 4.1. Where the kernel goes on by an earlier run's routes, peers' routes are chosen from when all have come; a start
    /// with nothing has nothing to preserve, and uses what comes at once.
    /// </summary>
    private void BeginDeferral()
    {
        beginning = new(time, Started, kernel.Status.Installed > 0, fib != null);
        if (fib == null || !beginning.HasOldRoutes || Config.Deferral <= TimeSpan.Zero) return;
        deferred = Config.Peers.Concat(Config.Links.Select(link => link.Each)).Select(Promised).Concat(PromisedByRanges)
            .Aggregate(FamilySet.None, (set, families) => set | families);
        if (deferred == FamilySet.None) return;
        log.Recovering(kernel.Status.Installed, deferred.Words(), Config.Deferral.Words());
        Rib.Defer(deferred);
    }

    /// <summary>Families of which the peers' tables have come, or are not waited for any longer, are chosen from.</summary>
    private void LookAtDeferral()
    {
        if (deferred == FamilySet.None) return;
        var now = time.GetUtcNow();
        var waits = now - Started >= Config.Deferral
            ? FamilySet.None : awaited.Count > 0 ? FamilySet.Both
            : Waited(peers.Values, now).Aggregate(FamilySet.None, (set, families) => set | families);
        var over = deferred & ~waits;
        if (over == FamilySet.None) return;
        deferred &= ~over;
        log.Recovered(over.Words(), (now - Started).Words());
        Rib.EndDeferral(over);
    }

    /// <summary>Families whose End-of-RIB it may be asked for.</summary>
    private static FamilySet Promised(PeerConfig peer) =>
        peer.Session is { Shutdown: false, GracefulRestartTime: not null } session ? session.Families : FamilySet.None;

    private IEnumerable<FamilySet> PromisedByRanges => Config.Ranges.Select(range => Promised(range.Each));

    /// <summary>
    /// Families, of a peer each, that are waited for. Whoever has called from a range is a peer; who is yet to call nobody knows.
    /// </summary>
    private IEnumerable<FamilySet> Waited(IEnumerable<Peer> of, DateTimeOffset now)
    {
        var held = of.Select(peer => HeldUpBy(peer, now));
        return now - Started >= RefusalPatience ? held : held.Concat(PromisedByRanges);
    }

    /// <summary>Its node does not work, as Kubernetes says: it comes when it comes.</summary>
    private bool IsAbsent(Peer peer) => peer.Up == null && Config.Absent.Contains(peer.Name);

    private FamilySet HeldUpBy(Peer peer, DateTimeOffset now) =>
        IsAbsent(peer) ? FamilySet.None : peer.HoldsUp(isPatienceOver: now - Started >= RefusalPatience);

    /// <summary>A session has ended; the RIB keeps the families that the news names.</summary>
    private void Lose(SpeakerNews.Down down)
    {
        if (!peers.TryGetValue(down.Peer, out var lost)) return;
        Keep(lost, lost.Retention.Lost(down.Life.Negotiated, down.Kept, time.GetUtcNow()));
        lost.LeftBy = down.Life.Negotiated;
        if (lost.Retention.Due is { } due) log.RoutesKept(lost.Name, down.Kept.Words(), Until(due).Words());
        if (lost.Up != down.Life) return;
        lost.Up = null;
        lost.LookAtWay(latest);
        dynamics.Watch(lost);
        LookForAnother(lost);
    }

    private void Keep(Peer peer, Retention newer)
    {
        peer.Retention = newer;
        peer.RetentionEnds?.Dispose();
        peer.RetentionEnds = newer.Due is not { } due ? null : time.CreateTimer(
            _ => Post(new SpeakerNews.RetentionDue(peer)), null, Until(due), Timeout.InfiniteTimeSpan);
    }

    private TimeSpan Until(DateTimeOffset due) => due - time.GetUtcNow() is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    private void LookAtRetention(Peer peer)
    {
        if (PeerNamed(peer.Name) != peer) return;
        var (next, go, becomeLong) = peer.Retention.At(time.GetUtcNow());
        if (becomeLong != FamilySet.None)
        {
            log.LongStale(peer.Name, becomeLong.Words());
            Rib.BeginLongStale(peer.Index, becomeLong);
        }
        if (go != FamilySet.None)
        {
            log.StaleGone(peer.Name, go.Words());
            Rib.EndStale(peer.Index, go);
        }
        Keep(peer, next);
    }

    /// <summary>Nobody waits for the peer's return any more.</summary>
    private void GiveUp(Peer peer)
    {
        if (peer.Retention == Retention.None) return;
        Keep(peer, Retention.None);
        Rib.EndStale(peer.Index, FamilySet.Both);
    }

    /// <summary>When it ends peers are told nothing, whatever <c>router.onStop</c> says.</summary>
    public void LeaveForRestart() => leavesForRestart = true;

    /// <summary>As was ordered, or as <c>router.onStop</c> says; without either those that keep our routes over a restart are left to do
    /// so.</summary>
    private ValueTask LeaveAsync(Peer peer)
    {
        var isRestart = (leavesForRestart ? StopMode.Restart : Config.OnStop) is { } said
            ? said == StopMode.Restart : peer.Up?.Negotiated.KeptByPeer is not (null or FamilySet.None);
        return isRestart ? peer.Session.LeaveAsync() : peer.Session.StopAsync(CeaseSubcode.AdministrativeShutdown);
    }
}
