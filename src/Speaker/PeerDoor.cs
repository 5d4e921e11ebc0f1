using Calico.Bgp.Kernel;
using Calico.Bgp.Rib;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <summary>One established session, from the moment when the RIB was told of it. What changes here is the speaker's loop's.</summary>
internal sealed class PeerLife(Negotiated negotiated, RibPeer told)
{
    public Negotiated Negotiated { get; } = negotiated;
    /// <summary>What the RIB knows of it.</summary>
    public RibPeer Told { get; set; } = told;
    /// <summary>Families whose End-of-RIB has come.</summary>
    public FamilySet Complete { get; set; }
    /// <summary>The session has been told that its way is gone.</summary>
    public bool HasLostWay { get; set; }
    public LastHeard Heard { get; set; } = new(-1, 0, default);
}

/// <summary>How many UPDATEs had come when somebody last looked, since when it has been that many, and how many KEEPALIVEs then.</summary>
internal readonly record struct LastHeard(long Updates, long Keepalives, DateTimeOffset Since);

/// <summary>
/// What a session's loop meets of the speaker. The RIB hears of the session at once, on the session's own loop, in the order of its routes;
/// the speaker hears of it as news, and puts right what it has been configured otherwise meanwhile.
/// </summary>
internal sealed class PeerDoor(
    PeerConfig config, Rib.Rib rib, IKernel kernel, Func<DecisionSettings> decision, Beginning beginning, Func<bool> isShuttingDown,
    Action<SpeakerNews> tell)
    : ISessionOwner
{
    private volatile PeerConfig config = config;
    private volatile Drain? drain;
    // The session's loop alone.
    private PeerLife? life;
    private int lives;

    /// <summary>As the speaker's loop last said.</summary>
    public PeerConfig Config { get => config; set => config = value; }

    /// <summary>The same; null: the peer is not drained.</summary>
    public Drain? Drain { get => drain; set => drain = value; }

    /// <summary>The session that is established, for who has just begun it.</summary>
    public PeerLife? Life => life;

    public RestartState Restart => beginning.StateFor(Config.Session.GracefulRestartTime, isFirst: lives == 0);

    public IRouteSink Established(PeerSession session, Negotiated negotiated, IOutlet outlet)
    {
        var index = session.Settings.Index;
        var sink = new RouteSink(rib, rib.InletFor(index), new PeerOutlet(outlet));
        var told = Introduce(session, negotiated);
        // Of what an earlier session left the peer confirms what it has preserved; the rest is not true any more.
        rib.EndStale(index, FamilySet.Both & ~Retention.PreservedBy(negotiated));
        rib.PeerUp(told, sink.Outlet);
        life = new(negotiated, told);
        tell(new SpeakerNews.Established(session.Settings.Name, life));
        return sink;
    }

    private RibPeer Introduce(PeerSession session, Negotiated negotiated)
    {
        var told = config.ForRib(session.Settings, negotiated, decision(), kernel.Current) with { Life = ++lives };
        return drain is { } drained ? drained.Of(told) : told;
    }

    /// <summary>A session that another process had has left routes, which come.</summary>
    public void Remember(PeerSession session, Negotiated negotiated) => rib.PeerUp(Introduce(session, negotiated), outlet: null);

    public LostWay? WayLost(PeerSession session) => life is { } up ? PeerWay.Lost(up, session.Settings, kernel.Current) : null;

    public void Down(PeerSession session, IRouteSink sink, SessionFault fault)
    {
        var kept = Retention.KeptOf(life!.Negotiated, fault);
        // When the daemon ends, packets go on as they did: nobody is told to forget what this neighbour had said.
        if (!isShuttingDown())
            rib.PeerDown(session.Settings.Index, ((RouteSink)sink).Outlet, new(kept, kept & Retention.LongOf(life.Negotiated)));
        tell(new SpeakerNews.Down(session.Settings.Name, life, kept));
    }
}
