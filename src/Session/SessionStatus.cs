using Calico.Bgp.Wire;

namespace Calico.Bgp.Session;

/// <summary>What a session shows to those who look in from other threads: written by its loop, put together when asked for.</summary>
internal sealed class SessionStatus(SessionSettings settings, SessionFaults before, TimeProvider time)
{
    private sealed record Shown(SessionState State, SessionTimers Timers, Connection? Connection, DateTimeOffset Since, int Ups);

    private volatile Shown? shown;
    private volatile SessionFaults faults = before;
    private volatile bool enabled = !settings.Shutdown;
    private ConnectionCounters lastLife = new();

    public bool Enabled { get => enabled; set => enabled = value; }
    public SessionFaults Faults { get => faults; set => faults = value; }

    public (Negotiated?, Connection?) Established =>
        shown is { State.Phase: Phase.Established, Connection: not null } now ? (now.State.Agreed, now.Connection) : (null, null);

    public void Show(Attempt main, Attempt? second)
    {
        var best = second != null && second.State.Phase > main.State.Phase ? second : main;
        var (before, up) = (shown, best.State.Phase == Phase.Established);
        var changed = before == null || up != (before.State.Phase == Phase.Established);
        if (best.Connection != null) Volatile.Write(ref lastLife, best.Connection.Counters);
        var since = changed ? time.GetUtcNow() : before!.Since;
        shown = new(best.State, best.Timers, best.Connection, since, (before?.Ups ?? 0) + (changed && up ? 1 : 0));
    }

    /// <summary>An established session that another process had.</summary>
    public void Adopt(Attempt main, DateTimeOffset since) => shown = new(main.State, main.Timers, main.Connection, since, Ups: 1);

    public SessionSnapshot Snapshot
    {
        get
        {
            var now = shown!;
            var retry = now.Timers.Left(Timers.ConnectRetry) ?? now.Timers.Left(Timers.IdleHold);
            return new()
            {
                Settings = settings,
                Phase = now.State.Phase,
                Since = now.Since,
                Enabled = Enabled,
                Faults = Faults,
                Negotiated = now.State.Agreed,
                Left = new(HoldLeft(now), now.Timers.Left(Timers.Keepalive), retry),
                Counters = Volatile.Read(ref lastLife).Now,
                EstablishedTransitions = now.Ups,
            };
        }
    }

    // The timer itself is not touched by what arrives: see PeerSession.Postponed.
    private static TimeSpan? HoldLeft(Shown now)
    {
        if (now is not { State: { Phase: Phase.Established, Agreed: { HoldTime: > 0 } agreed }, Connection: { } connection })
            return now.Timers.Left(Timers.Hold);
        var left = TimeSpan.FromSeconds(agreed.HoldTime) - connection.Silence;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
