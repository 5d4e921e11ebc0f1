namespace Calico.Bgp.Session;

/// <summary>
/// Another provider's time, in which timers that are far off (10 s or more, once) end on a common beat, at most a beat late. A thousand
/// idle sessions so wake the daemon a few times a second, not once for each KEEPALIVE and each hold timer. Callbacks run one after
/// another on the beat and must not wait.
/// </summary>
public sealed class BeatTimeProvider : TimeProvider
{
    private static readonly TimeSpan Far = TimeSpan.FromSeconds(10), Beat = TimeSpan.FromSeconds(0.25);

    // The system's timers count whole milliseconds on a clock that may lag by 4 (CONFIG_HZ=250): without this the first try is early.
    private static readonly TimeSpan Lag = TimeSpan.FromMilliseconds(5);

    private readonly Lock gate = new();
    // By the number of the beat at which they end. A timer set anew stays in its old list too, and is passed over there.
    private readonly SortedDictionary<long, List<BeatTimer>> beats = [];
    private readonly TimeProvider time;
    private readonly ITimer alarm;
    private readonly long length;
    private long alarmAt = long.MaxValue;

    public BeatTimeProvider(TimeProvider time)
    {
        this.time = time;
        length = (long)(Beat.TotalSeconds * time.TimestampFrequency);
        alarm = time.CreateTimer(_ => Ring(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override long TimestampFrequency => time.TimestampFrequency;
    public override TimeZoneInfo LocalTimeZone => time.LocalTimeZone;
    public override long GetTimestamp() => time.GetTimestamp();
    public override DateTimeOffset GetUtcNow() => time.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new BeatTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private void Enlist(BeatTimer timer, TimeSpan after)
    {
        var beat = (time.GetTimestamp() + (long)(after.TotalSeconds * TimestampFrequency)) / length + 1;
        lock (gate)
        {
            timer.Beat = beat;
            if (!beats.TryGetValue(beat, out var at)) beats[beat] = at = [];
            at.Add(timer);
            if (beat < alarmAt) SetAlarm(beat);
        }
    }

    private void SetAlarm(long beat)
    {
        alarmAt = beat;
        var left = time.GetElapsedTime(time.GetTimestamp(), beat * length);
        alarm.Change((left > TimeSpan.Zero ? left : TimeSpan.Zero) + Lag, Timeout.InfiniteTimeSpan);
    }

    private void Ring()
    {
        var due = new List<BeatTimer>();
        lock (gate)
        {
            var now = time.GetTimestamp() / length;
            alarmAt = long.MaxValue;
            while (beats.Count > 0)
            {
                var (beat, timers) = beats.First();
                if (beat > now)
                {
                    SetAlarm(beat);
                    break;
                }
                beats.Remove(beat);
                foreach (var timer in timers)
                {
                    if (timer.Beat != beat) continue;
                    timer.Beat = 0;
                    due.Add(timer);
                }
            }
        }
        foreach (var timer in due) timer.Callback(timer.State);
    }

    private sealed class BeatTimer(BeatTimeProvider owner, TimerCallback callback, object? state) : ITimer
    {
        // For what is near, or comes again.
        private ITimer? exact;

        public TimerCallback Callback => callback;
        public object? State => state;

        /// <summary>Under the owner's gate; 0: ends on none.</summary>
        public long Beat { get; set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner.gate) Beat = 0;
            if (dueTime >= Far && period == Timeout.InfiniteTimeSpan)
            {
                exact?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                owner.Enlist(this, dueTime);
                return true;
            }
            if (exact == null && dueTime == Timeout.InfiniteTimeSpan) return true;
            exact ??= owner.time.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return exact.Change(dueTime, period);
        }

        public void Dispose()
        {
            lock (owner.gate) Beat = 0;
            exact?.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
