using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Capabilities;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session;

/// <summary>All that one neighbour's session may be told. Compared by value: what compares equal needs no reset.</summary>
public sealed record SessionSettings
{
    /// <summary>IANA's number for BGP.</summary>
    public const int Port = 179;

    public required string Name { get; init; }
    /// <summary>Names the peer in <see cref="OutBuffer"/>'s exceptions; stays with the name over reloads.</summary>
    public required ushort Index { get; init; }
    public required Address PeerAddress { get; init; }
    /// <summary>Scope of a link-local neighbour; also binds the session to that interface's addresses.</summary>
    public string? Interface { get; init; }
    public int PeerPort { get; init; } = Port;
    /// <summary>Port that we listen on; the listener is shared.</summary>
    public int ListenPort { get; init; } = Port;
    public Address? SourceAddress { get; init; }
    public required Asn LocalAs { get; init; }
    /// <summary>0 is nobody's number (RFC 7607): any but ours, as FRR's <c>remote-as external</c> has it.</summary>
    public required Asn PeerAs { get; init; }
    public bool TakesAnyExternalAs => PeerAs == default;
    public required RouterId RouterId { get; init; }

    public bool Passive { get; init; }
    /// <summary>1: the neighbour is on a shared link (TTL 1 for external sessions). More: that many hops.</summary>
    public int Multihop { get; init; } = 1;
    /// <summary>GTSM, RFC 5082: we send with TTL 255 and take only what arrives with at least 256 - <see cref="Multihop"/>.</summary>
    public bool TtlSecurity { get; init; }
    /// <summary>TCP MD5 key (RFC 2385); never in a log.</summary>
    public string? Password { get; init; }

    public TimeSpan HoldTime { get; init; } = TimeSpan.FromSeconds(90);
    /// <summary>Null: a third of the negotiated hold time.</summary>
    public TimeSpan? KeepaliveTime { get; init; }
    public TimeSpan ConnectRetryTime { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>Wait after a session that ended by an error; doubles up to <see cref="MaxIdleHoldTime"/> while errors go on.</summary>
    public TimeSpan IdleHoldTime { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan MaxIdleHoldTime { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>RFC 4271 8.1.1 DelayOpenTime; zero: OPEN is sent at once.</summary>
    public TimeSpan DelayOpenTime { get; init; }
    /// <summary>RFC 4271 8.2.2: the "large value" of the hold timer before the OPEN has come.</summary>
    public TimeSpan OpenHoldTime { get; init; } = TimeSpan.FromMinutes(4);
    /// <summary>RFC 9687; null: the larger of 8 minutes and twice the hold time. </summary>
    public TimeSpan? SendHoldTime { get; init; }

    public FamilySet Families { get; init; } = FamilySet.Both;
    public bool ExtendedMessages { get; init; } = true;
    public bool ExtendedNextHop { get; init; } = true;
    public FamilySet AddPathReceive { get; init; }
    public FamilySet AddPathSend { get; init; }
    public Role? Role { get; init; }
    public bool RoleStrict { get; init; }
    public bool EnforceFirstAs { get; init; } = true;
    /// <summary>Null: the capability is not sent. <see cref="TimeSpan.Zero"/>: helper only.</summary>
    public TimeSpan? GracefulRestartTime { get; init; }
    /// <summary>RFC 9494: how long the peer is asked to keep our routes after that; null: not longer.</summary>
    public TimeSpan? LongLivedStaleTime { get; init; }
    public Fqdn? Fqdn { get; init; }
    /// <summary>Administratively down, with the text that the peer is told (RFC 9003).</summary>
    public bool Shutdown { get; init; }
    public string? ShutdownText { get; init; }
}

/// <summary>RFC 4271 section 8.2.2's states.</summary>
public enum Phase : byte { Idle, Connect, Active, OpenSent, OpenConfirm, Established }

/// <summary>Where a session's peer-bound routes go. One writer (the RIB's owner); the connection sends when it can.</summary>
public interface IOutlet
{
    /// <summary>Index of the peer, for the buffer's exceptions.</summary>
    ushort Peer { get; }

    /// <summary>Takes the buffer over (one reference). Never blocks; what a closed connection gets is dropped.</summary>
    void Send(OutBuffer buffer);

    /// <summary>Octets taken and not yet handed to the kernel.</summary>
    long Backlog { get; }

    /// <summary>One call of <paramref name="drained"/>, on any thread, once the backlog is at most <paramref name="octets"/>.</summary>
    void WhenDrained(long octets, Action drained);
}

/// <summary>Takes what an established session's peer says; called by that session's reader alone, so it needs no lock.</summary>
public interface IRouteSink
{
    /// <summary>Copies what it needs before it returns.</summary>
    void Receive(ref DecodedUpdate update);

    /// <summary>RFC 2918; <paramref name="subtype"/> 0, or RFC 7313's 1 (BoRR) and 2 (EoRR).</summary>
    void TakeRefresh(IpFamily family, byte subtype);

    /// <summary>Hands on what was taken so far; completes when there is room for more (this is how the RIB pushes back).</summary>
    ValueTask FlushAsync();
}

/// <summary>What an OPEN says of how we came to be (RFC 4724 section 3).</summary>
/// <param name="IsRestarting">The R bit: we have just begun, and wait for the peer's End-of-RIB rather than it for ours.</param>
/// <param name="IsPreserved">The F bits: packets went on by the routes that we had.</param>
public readonly record struct RestartState(bool IsRestarting, bool IsPreserved);

/// <summary>What a session tells its owner. Calls come from the session's own loop, one at a time.</summary>
public interface ISessionOwner
{
    /// <summary>The session is established; the answer takes its routes.</summary>
    IRouteSink Established(PeerSession session, Negotiated negotiated, IOutlet outlet);

    /// <summary>For the OPEN of a connection that has just been made.</summary>
    RestartState Restart { get; }

    /// <summary>What has become of the way of the established session; null: it is there.</summary>
    LostWay? WayLost(PeerSession session);

    /// <summary>
    /// An established session has ended; what becomes of its routes is the owner's to say. <paramref name="sink"/> will not be called
    /// again.
    /// </summary>
    void Down(PeerSession session, IRouteSink sink, SessionFault fault);
}

/// <summary>Why a session cannot go on: its link, its own address, or a neighbour that BFD no longer hears.</summary>
/// <param name="Text">BIRD's "Link down", "Address gone", or the name of <see cref="Told"/>.</param>
/// <param name="Detail">Which one, and what of it.</param>
public sealed record LostWay(string Text, string Detail)
{
    /// <summary>For the peer, who may hear it yet: only one direction may be broken. Null: nobody can.</summary>
    public Notification? Told { get; init; }

    /// <summary>RFC 9384: Cease, subcode 10.</summary>
    public static LostWay ByBfd(string detail)
    {
        var told = Notification.Cease(CeaseSubcode.BfdDown);
        return new(told.Describe(), detail) { Told = told };
    }
}

/// <summary>Why a session ended or did not come up, as <c>show protocols</c> tells it.</summary>
public enum FaultKind : byte
{
    None,
    /// <summary>The socket's own words ("Connection refused").</summary>
    Socket,
    /// <summary>We sent the NOTIFICATION.</summary>
    Sent,
    /// <summary>The peer sent it.</summary>
    Received,
    /// <summary>Stopped by the operator or by a reconfiguration.</summary>
    Stopped,
    /// <summary>Its link or its own address is gone, or BFD no longer hears the peer.</summary>
    Way,
}

/// <param name="Text">For people: the RFC's name of the error with the peer's own text (RFC 9003, escaped), or the socket's words.</param>
public sealed record SessionFault(FaultKind Kind, Notification? Notification, string Text, DateTimeOffset At)
{
    public static readonly SessionFault None = new(FaultKind.None, null, "", DateTimeOffset.MinValue);

    /// <summary>What was expected and what came, where the name of the error does not say it.</summary>
    public string? Detail { get; init; }
}

/// <summary>
/// What ended a session or kept it from coming up, apart by kind: a NOTIFICATION is why, and what sockets met after it is not.
/// </summary>
public sealed record SessionFaults
{
    public static readonly SessionFaults None = new();

    /// <summary>Why the session is down; none while it is established. A socket's words do not take a NOTIFICATION's place.</summary>
    public SessionFault Why { get; init; } = SessionFault.None;
    /// <summary>The last NOTIFICATION that we sent, whatever came of it.</summary>
    public SessionFault? Sent { get; init; }
    /// <summary>The last one that the peer sent.</summary>
    public SessionFault? Received { get; init; }
    public SessionFault? Socket { get; init; }
    public SessionFault? Way { get; init; }

    /// <summary>The last NOTIFICATION that went over the wire.</summary>
    public SessionFault? Notification => Sent == null || Received?.At > Sent.At ? Received : Sent;

    /// <summary>A NOTIFICATION has been sent.</summary>
    public SessionFaults Told(SessionFault fault) => this with { Sent = fault };

    public SessionFaults With(SessionFault fault) => fault.Kind switch
    {
        // Which of two connections is kept is no error of the session's.
        FaultKind.Received when fault.Notification is not { IsCollision: true } => this with { Why = fault, Received = fault },
        FaultKind.Socket => this with { Why = Why.Kind is FaultKind.Sent or FaultKind.Received ? Why : fault, Socket = fault },
        FaultKind.Way => this with { Why = fault, Way = fault },
        _ => this with { Why = fault },
    };
}

/// <summary>Messages and octets of a session's current or last life.</summary>
public readonly record struct MessageCounters(MessageCounts In, MessageCounts Out, long AttributesDiscarded, long TreatedAsWithdrawn);

/// <summary>Messages of one direction by their type, and the octets of all.</summary>
public readonly record struct MessageCounts(long Opens, long Updates, long Notifications, long Keepalives, long Refreshes, long Octets);

/// <summary>A session as of one moment, for those who look in.</summary>
public sealed record SessionSnapshot
{
    public required SessionSettings Settings { get; init; }
    public required Phase Phase { get; init; }
    /// <summary>When the phase last changed between Established and not.</summary>
    public required DateTimeOffset Since { get; init; }
    public required bool Enabled { get; init; }
    public SessionFaults Faults { get; init; } = SessionFaults.None;
    /// <summary>What may keep it from coming up, where nothing is known but by the kernel's counters.</summary>
    public string? Hint { get; init; }
    public Negotiated? Negotiated { get; init; }
    public TimersLeft Left { get; init; }
    public MessageCounters Counters { get; init; }
    public int EstablishedTransitions { get; init; }
}

/// <summary>Until the timers end; null: not running. <paramref name="Retry"/>: until we call the peer again.</summary>
public readonly record struct TimersLeft(TimeSpan? Hold, TimeSpan? Keepalive, TimeSpan? Retry);
