namespace Calico.Bgp.Bfd;

/// <summary>What a session asks for in time. Compared by value.</summary>
/// <param name="Send">bfd.DesiredMinTxInterval: we would not send more often.</param>
/// <param name="Receive">bfd.RequiredMinRxInterval: we would not be sent to more often.</param>
/// <param name="Multiplier">bfd.DetectMult: so many of ours may be lost in a row.</param>
public readonly record struct BfdTimes(TimeSpan Send, TimeSpan Receive, int Multiplier)
{
    public static readonly TimeSpan Least = TimeSpan.FromMilliseconds(10), Most = TimeSpan.FromMinutes(1);

    /// <summary>RFC 5880 section 6.8.3: a session that is not up sends once a second, or less often.</summary>
    public static readonly TimeSpan LeastIdle = TimeSpan.FromSeconds(1);

    public const int MostMissed = 255;

    /// <summary>Where nothing is said: what FRR and MetalLB take too.</summary>
    public static readonly BfdTimes Default = new(TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(300), 3);

    /// <summary>How often it is sent while the session is not up.</summary>
    public TimeSpan Idle { get; init; } = LeastIdle;

    /// <summary>For two who want the same neighbour watched: what serves both.</summary>
    public BfdTimes With(BfdTimes other) =>
        new(Shorter(Send, other.Send), Shorter(Receive, other.Receive), Math.Min(Multiplier, other.Multiplier))
        {
            Idle = Shorter(Idle, other.Idle),
        };

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
