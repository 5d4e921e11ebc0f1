using System.Numerics;

namespace Calico.Bgp.Session;

/// <summary>
/// The timers of one connection's state machine. An expiry travels to the session's loop through its inbox, and may find there that
/// the timer was stopped or armed anew meanwhile: <see cref="IsDue"/> says so.
/// </summary>
internal sealed class SessionTimers(TimeProvider time, Action<Timers> expired) : IDisposable
{
    // Timestamps; 0: not running.
    private readonly long[] due = new long[7];
    private readonly ITimer?[] timers = new ITimer?[7];

    public void Arm(Timers timer, TimeSpan after)
    {
        var at = BitOperations.TrailingZeroCount((byte)timer);
        Volatile.Write(ref due[at], time.GetTimestamp() + (long)(after.TotalSeconds * time.TimestampFrequency));
        timers[at] ??= time.CreateTimer(_ => expired(timer), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timers[at]!.Change(after, Timeout.InfiniteTimeSpan);
    }

    public void StopAllBut(Timers running)
    {
        for (var at = 0; at < due.Length; at++)
        {
            if (due[at] == 0 || ((byte)running >> at & 1) != 0) continue;
            Volatile.Write(ref due[at], 0);
            timers[at]!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Until the timer ends; null: it does not run.</summary>
    public TimeSpan? Left(Timers timer)
    {
        var at = Volatile.Read(ref due[BitOperations.TrailingZeroCount((byte)timer)]);
        if (at == 0) return null;
        var left = time.GetElapsedTime(time.GetTimestamp(), at);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    public bool IsDue(Timers timer)
    {
        if (Left(timer) is not { } left) return false;
        if (left == TimeSpan.Zero) return true;
        // The system's timers count in whole milliseconds and may be early by a few.
        timers[BitOperations.TrailingZeroCount((byte)timer)]!.Change(left + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        return false;
    }

    public void Dispose()
    {
        StopAllBut(Timers.None);
        foreach (var timer in timers) timer?.Dispose();
    }
}
