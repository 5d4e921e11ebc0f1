namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>How long to wait before asking again: twice as long each time, up to a limit, and never the same for a thousand
/// nodes.</summary>
internal sealed class Pause
{
    private const double Jitter = 0.25;
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(250);

    private readonly TimeSpan limit;
    private TimeSpan next = Shortest;

    private Pause(TimeSpan limit) => this.limit = limit;

    /// <summary>While nobody answers: what changed meanwhile is wanted within two seconds of the server's return, of which it asks for one
    /// itself while it fills its caches (429, Retry-After).</summary>
    public static Pause Short() => new(TimeSpan.FromMilliseconds(500));

    /// <summary>While the server answers, and says no.</summary>
    public static Pause Long() => new(TimeSpan.FromSeconds(20));

    public TimeSpan Next()
    {
        var pause = next * (1 - Jitter + 2 * Jitter * Random.Shared.NextDouble());
        next = next * 2 < limit ? next * 2 : limit;
        return pause;
    }

    public void Reset() => next = Shortest;
}
