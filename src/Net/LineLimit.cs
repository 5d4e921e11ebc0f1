namespace Calico.Bgp.Net;

/// <summary>What outsiders can cause as often as they like is one line of the log in an interval; the rest is counted.</summary>
public sealed class LineLimit(TimeSpan interval, TimeProvider time)
{
    private long? last;
    private int held;

    /// <param name="unsaid">How many have not been said since the last line.</param>
    public bool Say(out int unsaid)
    {
        unsaid = held;
        if (last is { } line && time.GetElapsedTime(line) < interval)
        {
            held++;
            return false;
        }
        (last, held) = (time.GetTimestamp(), 0);
        return true;
    }
}
