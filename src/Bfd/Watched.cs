namespace Calico.Bgp.Bfd;

/// <summary>A neighbour that is watched: its session, the socket that it sends by, and what of it is told. The loop's alone.</summary>
internal sealed class Watched(BfdTarget target, BfdSession session, BfdSender sender, DateTimeOffset since) : IDisposable
{
    private BfdSessionStatus? told;

    /// <summary>Another process's, with what it had seen.</summary>
    public Watched(HandedBfd from, BfdTarget target, BfdSession session, BfdSender sender) : this(target, session, sender, from.Since) =>
        (Ups, Losses, LastLoss) = (from.Ups, from.Losses, from.LastLoss);

    public BfdTarget Target { get; set; } = target;
    public BfdSession Session { get; } = session;
    public BfdSender Sender { get; } = sender;
    public BfdCounters Counters { get; } = new();
    /// <summary>In the <see cref="DueQueue"/>.</summary>
    public int Place { get; set; }
    /// <summary>Of one that nobody wants any more: how many packets are left that say so.</summary>
    public int Farewells { get; set; }
    public bool IsLeaving => Farewells > 0;

    private DateTimeOffset Since { get; set; } = since;
    private int Ups { get; set; }
    private int Losses { get; set; }
    private BfdLoss? LastLoss { get; set; }

    /// <summary>The session's state is another than <paramref name="before"/>.</summary>
    /// <returns>What was lost; null: nothing.</returns>
    public BfdLoss? Enter(BfdState before, DateTimeOffset now)
    {
        Since = now;
        if (Session.State == BfdState.Up) Ups++;
        // RFC 5882 section 3.2: who is put down by an administrator has not failed.
        if (before != BfdState.Up || Session.State != BfdState.Down || Session.RemoteState == BfdState.AdminDown) return null;
        Losses++;
        return LastLoss = new(Words(), now);
    }

    public HandedBfd Hand() => Session.Hand(Target.Key, Sender.Port, Since, Ups, Losses, LastLoss);

    private string Words()
    {
        if (Session.Diagnostic == BfdDiagnostic.ControlDetectionTimeExpired)
            return $"{Target.Key.Peer} was not heard for {Session.DetectionTime / 1000.0:0.###} ms";
        var why = Session.RemoteDiagnostic == BfdDiagnostic.None ? "" : $" ({Session.RemoteDiagnostic.Words()})";
        return $"{Target.Key.Peer} says that it is down{why}";
    }

    /// <summary>Something is shown otherwise than it is.</summary>
    public bool Differs(string? listening) => told is not { } was
        || was.State != Session.State || was.RemoteState != Session.RemoteState || was.RemoteDiscriminator != Session.RemoteDiscriminator
        || was.RemoteDiagnostic != Session.RemoteDiagnostic || was.RemoteRemark != Session.RemoteRemark
        || was.RemoteIsIndependent != Session.RemoteIsIndependent
        || was.Interval.Ticks != 10L * Session.SendInterval || was.DetectionTime.Ticks != 10 * Session.DetectionTime
        || was.Times != Target.Times || was.Losses != Losses || was.Problem != (listening ?? Sender.Problem);

    /// <param name="listening">Why nothing can be heard; null: it can.</param>
    public BfdSessionStatus Status(string? listening) => Differs(listening) ? told = Made(listening) : told!;

    private BfdSessionStatus Made(string? listening) => new()
    {
        Key = Target.Key,
        Times = Target.Times,
        State = Session.State,
        Diagnostic = Session.Diagnostic,
        RemoteState = Session.RemoteState,
        RemoteDiagnostic = Session.RemoteDiagnostic,
        RemoteRemark = Session.RemoteRemark,
        RemoteIsIndependent = Session.RemoteIsIndependent,
        Since = Since,
        Interval = TimeSpan.FromTicks(10L * Session.SendInterval),
        DetectionTime = TimeSpan.FromTicks(10 * Session.DetectionTime),
        Ups = Ups,
        Losses = Losses,
        LastLoss = LastLoss,
        LocalDiscriminator = Session.MyDiscriminator,
        RemoteDiscriminator = Session.RemoteDiscriminator,
        Problem = listening ?? Sender.Problem,
        Counters = Counters,
    };

    public void Dispose() => Sender.Dispose();
}
