using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;
using static Calico.Bgp.Session.Phase;
using static Calico.Bgp.Session.Timers;

namespace Calico.Bgp.Session;

/// <summary>
/// The state machine of RFC 4271 section 8 for one connection, with the optional DelayOpen, IdleHoldTimer, passive and
/// DampPeerOscillations attributes, RFC 6608's subcodes for unexpected messages, RFC 9687's send hold timer and RFC 8538's hard reset. A
/// pure function: nothing here sends, sleeps or logs. A timer is armed before the message leaves whose answer it waits for.
/// tests/Session.Tests/fsm.txt shows what it answers for every state and event.
///
/// Three things differ from the RFC's letter:
/// - A TCP connection that cannot be opened leads from Connect to Active with the retry timer, never to Idle: a neighbour that
///   is not there yet has done nothing that an idle hold should punish. The retry interval grows instead.
/// - The idle hold holds back only our own dialling. A connection that the peer opens meanwhile is welcome (the RFC refuses it
///   in Idle): the peer shows that it is ready, and a passive session knows no other way up.
/// - The loser of a collision is told and forgotten, without an idle hold: the session lives on in the other connection.
/// </summary>
internal static class Fsm
{
    /// <summary>The retry interval doubles up to this (or stays at the configured one where that is longer).</summary>
    public static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    private static readonly Notification NoCollision = Notification.Cease(CeaseSubcode.ConnectionCollisionResolution);
    private static readonly TimeSpan ShortestSendHold = TimeSpan.FromMinutes(8);

    public static Transition Step(SessionState at, SessionEvent on, SessionSettings our) => (at.Phase, on) switch
    {
        // A timer that was stopped while its expiry was on the way.
        (_, Expired late) when !at.Runs(late.Timer) => Stay(at),

        // The operator, and what acts in the operator's name.
        (Idle, Start start) => Begin(start.ByOperator ? at with { Penalty = 0 } : at, our),
        (_, Start) => Stay(at),
        (_, Stop stop) => Halt(at, stop.Notification),
        (Idle, Break) => Stay(at),
        (_, Break broken) => Fall(at, our, FaultKind.Sent, broken.Notification),

        // Idle: waiting for the idle hold to pass, or stopped.
        (Idle, Expired) => Begin(at, our),
        (Idle, Accepted) when at.Runs(IdleHold) => Greet(at with { Phase = Active }, our),
        (Idle, Accepted) => Stay(at, new Close(null)),
        (Idle, WayBack) when at.Runs(IdleHold) => Begin(at, our),
        (Idle, _) => Stay(at),

        // The way to the peer. Nobody did anything wrong, so no idle hold waits when it is back.
        (_, WayLost lost) => Lose(at, our, lost.What),
        (Connect or Active, WayBack) when at.Runs(ConnectRetry) => Anew(at, our),
        (_, WayBack) => Stay(at),

        // No connection is forever: these end one in any state.
        (_, CollisionLost) => new(at with { Phase = Idle, Running = None, Agreed = null }, [new Close(Told(at, NoCollision))]),
        (Established or OpenConfirm, ConnectionFailed failed) => Fall(at, our, FaultKind.Socket, null, failed.Words),
        (_, ConnectionFailed failed) => Listen(at, our, failed.Words),
        (_, NotificationReceived told) => Fall(at, our, FaultKind.Received, told.Notification),
        (_, Malformed wrong) => Fall(at, our, FaultKind.Sent, wrong.Notification, wrong.Detail),
        (_, Expired(Hold)) => Fall(at, our, FaultKind.Sent, new(ErrorCode.HoldTimerExpired, 0)),
        (_, Expired(SendHold)) => Fall(at, our, FaultKind.Sent, new(ErrorCode.SendHoldTimerExpired, 0)),

        // Connect and Active: waiting for TCP, or (DelayOpen running) for the peer to speak first.
        (Connect, Connected) => Greet(at, our),
        (Connect or Active, Accepted) => Greet(at, our),
        (Connect or Active, Expired(ConnectRetry)) => Redial(at, our),
        (Connect or Active, Expired(DelayOpen)) => Greeted(at, our),
        (Connect or Active, OpenReceived open) when at.Runs(DelayOpen) => Confirm(at, our, open.Agreed, new SendOpen()),
        (Connect or Active, Connected) => Stay(at),
        (Connect or Active, _) => Fall(at, our, FaultKind.Sent, Unexpected(at)),

        // A further connection has a machine of its own until Collision has judged.
        (_, Connected or Accepted) => Stay(at),

        (OpenSent, OpenReceived open) => Confirm(at, our, open.Agreed),

        (OpenConfirm, KeepaliveReceived) => Establish(at, our),
        (OpenConfirm or Established, Expired(Timers.Keepalive)) => Stay(at, ArmKeepalive(at.Agreed!, our), new SendKeepalive()),

        // The two arms that the connection's reader takes by itself, without asking here for every message.
        (Established, KeepaliveReceived or UpdateReceived) => HeardFrom(at),
        (Established, RefreshReceived) => Stay(at),
        (Established, Expired(Stable)) => Stay(at with { Penalty = 0, Running = at.Running & ~Stable }),

        (_, _) => Fall(at, our, FaultKind.Sent, Unexpected(at)),
    };

    private static Transition Stay(SessionState at, params SessionAction[] actions) => new(at, actions);

    private static Transition Begin(SessionState at, SessionSettings our) =>
        our.Passive ? new(at with { Phase = Active, Running = None }, []) : Redial(at, our);

    private static Transition Redial(SessionState at, SessionSettings our)
    {
        // Still in Connect: the attempt under way has had its time.
        var retries = at.Phase == Connect ? at.Retries + 1 : at.Retries;
        var silence = our.Password == null ? "No answer" : "No answer though a password is set";
        SessionAction[] before = at.Phase == Connect ? [new Close(null), new Report(FaultKind.Socket, null, silence)] : [];
        var next = at with { Phase = Connect, Running = ConnectRetry, Retries = retries };
        return new(next, [.. before, new Dial(), new Arm(ConnectRetry, RetryTime(our, retries))]);
    }

    private static Transition Listen(SessionState at, SessionSettings our, string words)
    {
        var next = at with { Phase = Active, Running = our.Passive ? None : ConnectRetry, Retries = at.Retries + 1, Agreed = null };
        SessionAction[] actions = [new Close(null), new Report(FaultKind.Socket, null, words)];
        return new(next, our.Passive ? actions : [.. actions, new Arm(ConnectRetry, RetryTime(our, next.Retries))]);
    }

    private static Transition Anew(SessionState at, SessionSettings our)
    {
        var (next, actions) = Redial(at with { Phase = Active, Retries = 0 }, our);
        return new(next, [new Close(null), .. actions]);
    }

    /// <summary>It calls seldom until the way is back: what the kernel says of links may not be all that there is.</summary>
    private static Transition Lose(SessionState at, SessionSettings our, LostWay what)
    {
        var next = at with { Phase = Active, Running = our.Passive ? None : ConnectRetry, Retries = 0, Agreed = null };
        var last = Hard(at, what.Told);
        SessionAction[] actions = [new Close(Told(at, last)), new Report(FaultKind.Way, last, what.Text, what.Detail)];
        return new(next, our.Passive ? actions : [.. actions, new Arm(ConnectRetry, Longer(LongestRetry, our.ConnectRetryTime))]);
    }

    private static Transition Greet(SessionState at, SessionSettings our) => our.DelayOpenTime > TimeSpan.Zero
        ? new(at with { Running = DelayOpen }, [new Arm(DelayOpen, our.DelayOpenTime)])
        : Greeted(at, our);

    private static Transition Greeted(SessionState at, SessionSettings our) =>
        new(at with { Phase = OpenSent, Running = Hold }, [new Arm(Hold, our.OpenHoldTime), new SendOpen()]);

    private static Transition Confirm(SessionState at, SessionSettings our, Negotiated agreed, params SessionAction[] before)
    {
        var timed = agreed.HoldTime > 0;
        var next = at with { Phase = OpenConfirm, Running = timed ? Hold | Timers.Keepalive : None, Agreed = agreed };
        return timed
            ? new(next, [ArmHold(agreed), ArmKeepalive(agreed, our), .. before, new SendKeepalive()])
            : new(next, [.. before, new SendKeepalive()]);
    }

    private static Transition Establish(SessionState at, SessionSettings our)
    {
        var next = at with { Phase = Established, Running = at.Running | SendHold | Stable, Retries = 0 };
        SessionAction[] hold = at.Runs(Hold) ? [ArmHold(at.Agreed!)] : [];
        return new(next, [.. hold, new Arm(SendHold, SendHoldTime(at.Agreed!, our)), new Arm(Stable, our.MaxIdleHoldTime), new Up()]);
    }

    private static Transition HeardFrom(SessionState at) => at.Runs(Hold) ? Stay(at, ArmHold(at.Agreed!)) : Stay(at);

    private static Transition Halt(SessionState at, Notification? why)
    {
        var (next, last) = (SessionState.Stopped, Hard(at, why));
        return at.Phase == Idle
            ? new(next, [])
            : new(next, [new Close(Told(at, last)), new Report(FaultKind.Stopped, last, last?.Describe() ?? "Restarting")]);
    }

    /// <summary>RFC 8538 section 4: what is not to be taken for a restart is said as a hard reset, to those who keep routes.</summary>
    private static Notification? Hard(SessionState at, Notification? notification) =>
        at.Agreed is { NotificationRestart: true } && notification is { EndsForGood: true }
            ? Notification.HardReset(notification) : notification;

    private static Transition Fall(SessionState at, SessionSettings our, FaultKind kind, Notification? notification, string? detail = null)
    {
        var penalty = at.Penalty + (notification is { IsCollision: true } ? 0 : 1);
        var next = at with { Phase = Idle, Running = IdleHold, Penalty = penalty, Agreed = null };
        if (kind == FaultKind.Sent) notification = Hard(at, notification);
        var last = kind == FaultKind.Sent ? Told(at, notification) : null;
        var text = notification?.Describe() ?? detail ?? "";
        var report = new Report(kind, notification, text, notification == null ? null : detail);
        return new(next, [new Close(last), report, new Arm(IdleHold, IdleHoldTime(our, at.Penalty))]);
    }

    /// <summary>RFC 4271 8.2.2: without an OPEN of ours the peer is told nothing (SendNOTIFICATIONwithoutOPEN is off).</summary>
    private static Notification? Told(SessionState at, Notification? notification) => at.OpenWasSent ? notification : null;

    private static Notification Unexpected(SessionState at) => new(ErrorCode.FiniteStateMachine, at.Phase switch
    {
        OpenSent => 1,
        OpenConfirm => 2,
        Established => 3,
        _ => 0,
    });

    private static Arm ArmHold(Negotiated agreed) => new(Hold, TimeSpan.FromSeconds(agreed.HoldTime));

    /// <summary>RFC 4271 4.4: a third of the hold time is a reasonable maximum, and never more often than once a second.</summary>
    private static Arm ArmKeepalive(Negotiated agreed, SessionSettings our)
    {
        var third = TimeSpan.FromSeconds(agreed.HoldTime / 3.0);
        var wanted = our.KeepaliveTime is { } configured && configured > TimeSpan.Zero && configured < third ? configured : third;
        return new(Timers.Keepalive, Longer(wanted, TimeSpan.FromSeconds(1)));
    }

    public static TimeSpan SendHoldTime(Negotiated agreed, SessionSettings our) =>
        our.SendHoldTime ?? Longer(ShortestSendHold, TimeSpan.FromSeconds(2 * agreed.HoldTime));

    private static TimeSpan RetryTime(SessionSettings our, int retries) =>
        Doubled(our.ConnectRetryTime, retries, Longer(LongestRetry, our.ConnectRetryTime));

    private static TimeSpan IdleHoldTime(SessionSettings our, int penalty) => Doubled(our.IdleHoldTime, penalty, our.MaxIdleHoldTime);

    private static TimeSpan Doubled(TimeSpan first, int times, TimeSpan longest)
    {
        var grown = first * Math.Pow(2, Math.Min(times, 20));
        return grown < longest ? grown : longest;
    }

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
