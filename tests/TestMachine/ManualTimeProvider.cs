namespace Calico.Bgp.TestMachine;

/// <summary>Time that passes when a test says so; timers fire inside <see cref="Advance"/>, in the order of their ends.</summary>
public sealed class ManualTimeProvider(DateTimeOffset? start = null) : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<ManualTimer> timers = [];
    private DateTimeOffset epoch = start ?? DateTimeOffset.UnixEpoch;
    private TimeSpan now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    public override long GetTimestamp() { lock (gate) return now.Ticks + 1; }
    public override DateTimeOffset GetUtcNow() { lock (gate) return epoch + now; }
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        lock (gate) timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        var until = now + by;
        while (NextBefore(until) is { } timer) timer.Fire();
        lock (gate) now = until;
    }

    /// <summary>The wall clock is put to another time: nothing has passed by that, and no timer fires.</summary>
    public void Set(DateTimeOffset time) { lock (gate) epoch = time - now; }

    private ManualTimer? NextBefore(TimeSpan until)
    {
        lock (gate)
        {
            var next = timers.Where(timer => timer.Due <= until).MinBy(timer => timer.Due);
            if (next == null) return null;
            if (next.Due > now) now = next.Due.Value;
            next.Due = null;
            return next;
        }
    }

    private sealed class ManualTimer(ManualTimeProvider owner, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan? Due { get; set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner.gate) Due = dueTime == Timeout.InfiniteTimeSpan ? null : owner.now + dueTime;
            return true;
        }

        public void Dispose() { lock (owner.gate) owner.timers.Remove(this); }
        public ValueTask DisposeAsync() { Dispose(); return default; }
    }
}
