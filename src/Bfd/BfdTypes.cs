using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bfd;

/// <summary>By what a session is known before its discriminators are: one for each, however many want it (RFC 5882 section 2).</summary>
/// <param name="Interface">The link's number; 0 for several hops.</param>
public readonly record struct BfdKey(Address Peer, int Interface, bool Multihop);

/// <summary>A neighbour that is to be watched.</summary>
/// <param name="Local">Our address; null: the one that the route to the neighbour says.</param>
public sealed record BfdTarget(BfdKey Key, BfdTimes Times, Address? Local = null)
{
    /// <summary>The neighbour is told that what lies beyond this node is lost, while the node itself is there (RFC 5880 section
    /// 6.8.17).</summary>
    public bool SaysPathDown { get; init; }

    /// <summary>The neighbour is told that this node forwards, and has lost what it knew of connections (section 4.1).</summary>
    public bool SaysReset { get; init; }

    /// <summary>
    /// What a neighbour that knows it is told in the same datagrams, behind the control packet, while the session is up. Nobody else looks
    /// at it: a packet is as long as it says, whatever follows (RFC 5880 section 6.8.6; RFC 9764 pads there). At most
    /// <see cref="LongestRemark"/> octets.
    /// </summary>
    public ListOf<byte> Remark { get; init; }

    public const int LongestRemark = BfdReceiver.LongestDatagram - ControlPacket.Octets;

    internal BfdDiagnostic Says => SaysPathDown ? BfdDiagnostic.ConcatenatedPathDown
        : SaysReset ? BfdDiagnostic.ForwardingPlaneReset : BfdDiagnostic.None;

    /// <summary>For two who want the same neighbour watched: what serves both.</summary>
    public BfdTarget With(BfdTarget other) => this with
    {
        Times = Times.With(other.Times),
        Local = Local ?? other.Local,
        SaysPathDown = SaysPathDown || other.SaysPathDown,
        SaysReset = SaysReset || other.SaysReset,
        Remark = Remark.Count > 0 ? Remark : other.Remark,
    };
}

/// <summary>What a session took down, and when.</summary>
public sealed record BfdLoss(string Words, DateTimeOffset At);

/// <summary>A session as of its last change.</summary>
public sealed record BfdSessionStatus
{
    public required BfdKey Key { get; init; }
    public required BfdTimes Times { get; init; }
    public required BfdState State { get; init; }
    public BfdDiagnostic Diagnostic { get; init; }
    public BfdState RemoteState { get; init; }
    public BfdDiagnostic RemoteDiagnostic { get; init; }
    /// <summary>What the neighbour says behind its packets (<see cref="BfdTarget.Remark"/>).</summary>
    public ListOf<byte> RemoteRemark { get; init; }
    /// <summary>The C bit: the neighbour's BFD outlives its control plane, so its silence is the way's (RFC 5882 section 4.3).</summary>
    public bool RemoteIsIndependent { get; init; }
    public required DateTimeOffset Since { get; init; }
    /// <summary>How often we send, before jitter.</summary>
    public TimeSpan Interval { get; init; }
    /// <summary>After so much silence it is down; zero: nothing was heard yet.</summary>
    public TimeSpan DetectionTime { get; init; }
    /// <summary>How often it has come up.</summary>
    public int Ups { get; init; }
    /// <summary>How often it was lost while it was up: not by an administrator, on either side.</summary>
    public int Losses { get; init; }
    public BfdLoss? LastLoss { get; init; }
    public uint LocalDiscriminator { get; init; }
    public uint RemoteDiscriminator { get; init; }
    /// <summary>Why nothing can be sent or heard; null: it can.</summary>
    public string? Problem { get; init; }
    /// <summary>As of now, not of the last change.</summary>
    public required BfdCounters Counters { get; init; }
}

/// <summary>Counted by the loop alone; whoever reads finds each as it last was.</summary>
public sealed class BfdCounters
{
    private long sent, received, discarded;

    public long Sent => Volatile.Read(ref sent);
    public long Received => Volatile.Read(ref received);
    public long Discarded => Volatile.Read(ref discarded);

    internal void CountSent() => Volatile.Write(ref sent, sent + 1);
    internal void CountReceived() => Volatile.Write(ref received, received + 1);
    internal void CountDiscarded() => Volatile.Write(ref discarded, discarded + 1);
}

/// <summary>How late the loop was, each time it woke for something that was due.</summary>
public sealed class BfdLateness
{
    /// <summary>Upper bounds, in microseconds; the last bucket has none.</summary>
    public static readonly ImmutableArray<int> Bounds = [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];

    private readonly long[] counts = new long[Bounds.Length + 1];
    private long most, sum;

    /// <summary>How many packets there were.</summary>
    public long Samples => Enumerable.Range(0, counts.Length).Sum(Count);

    /// <summary>Those of a bucket alone.</summary>
    public long Count(int bucket) => Volatile.Read(ref counts[bucket]);
    public TimeSpan Most => TimeSpan.FromMicroseconds(Volatile.Read(ref most));
    public TimeSpan Sum => TimeSpan.FromMicroseconds(Volatile.Read(ref sum));

    internal void Add(long microseconds)
    {
        var bucket = 0;
        while (bucket < Bounds.Length && microseconds > Bounds[bucket]) bucket++;
        Volatile.Write(ref counts[bucket], counts[bucket] + 1);
        Volatile.Write(ref sum, sum + microseconds);
        if (microseconds > most) Volatile.Write(ref most, microseconds);
    }
}

/// <summary>Who watches neighbours.</summary>
public interface IBfd
{
    /// <summary>All that are to be watched, instead of those before. Never waits; called by one owner.</summary>
    void Want(ImmutableArray<BfdTarget> all);

    /// <summary>As of the last change of any, in the order of their addresses.</summary>
    ImmutableArray<BfdSessionStatus> Current { get; }

    BfdLateness Lateness { get; }

    /// <summary>Datagrams that no session took.</summary>
    long Strays { get; }

    /// <summary>A session has changed. Called on the loop's thread; must not block.</summary>
    event Action? Changed;

    /// <summary>All sessions as another process would need them to go on.</summary>
    /// <param name="lends">It may have them from now on: they say what they said and take no silence for a loss, until
    /// <see cref="TakeBack"/> or <see cref="FallSilentAsync"/>.</param>
    Task<ImmutableArray<HandedBfd>> HandAsync(bool lends);

    /// <summary>Nobody else has them, after all.</summary>
    void TakeBack();

    /// <summary>They are another process's: this one is not heard any more. Completes when that is so.</summary>
    Task FallSilentAsync();

    /// <summary>Before the first <see cref="Want"/>: they are another process's yet, shown as it says. Nobody is spoken to.</summary>
    void Expect(ImmutableArray<HandedBfd> handed);

    /// <summary>After <see cref="Expect"/>: they are ours now, from where they were; those that nobody comes to want here end after a
    /// while.</summary>
    void Adopt(ImmutableArray<HandedBfd> handed);
}
