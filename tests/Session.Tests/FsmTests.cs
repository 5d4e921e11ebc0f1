using System.Runtime.CompilerServices;
using System.Text;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Calico.Bgp.Session.Tests;

/// <summary>RFC 4271 section 8, told by its shadow (fsm.txt), by laws that no order of events breaks, and by a few stories.</summary>
public class FsmTests
{
    private static readonly SessionSettings Active = Some.Settings;
    private static readonly SessionSettings Passive = Some.Settings with { Passive = true };
    private static readonly SessionSettings Patient = Some.Settings with { DelayOpenTime = TimeSpan.FromSeconds(3) };

    private const Timers AllOfEstablished = Timers.Hold | Timers.Keepalive | Timers.SendHold | Timers.Stable;

    private static readonly SessionEvent[] Events =
    [
        new Start(true), new Start(false), new Stop(Notification.Cease(CeaseSubcode.AdministrativeShutdown)), new Stop(null),
        new Break(Notification.Cease(CeaseSubcode.MaximumNumberOfPrefixesReached)),
        new Expired(Timers.ConnectRetry), new Expired(Timers.Hold), new Expired(Timers.Keepalive), new Expired(Timers.DelayOpen),
        new Expired(Timers.IdleHold), new Expired(Timers.SendHold), new Expired(Timers.Stable),
        new Connected(), new Accepted(), new ConnectionFailed("Connection refused"), new OpenReceived(Some.Negotiated),
        new Malformed(new(ErrorCode.MessageHeader, 1)), new CollisionLost(), new NotificationReceived(new(ErrorCode.Cease, 4)),
        new KeepaliveReceived(), new UpdateReceived(), new RefreshReceived(),
        new WayLost(new("Link down", "eth0 has no carrier")), new WayLost(LostWay.ByBfd("silence")), new WayBack(),
    ];

    private static readonly (string Name, SessionState State, SessionSettings Our)[] States =
    [
        ("Idle (stopped)", SessionState.Stopped, Active),
        ("Idle (held)", SessionState.Stopped with { Running = Timers.IdleHold, Penalty = 2 }, Active),
        ("Idle (held, passive)", SessionState.Stopped with { Running = Timers.IdleHold, Penalty = 2 }, Passive),
        ("Connect", new(Phase.Connect, Timers.ConnectRetry, 1, 0, null), Active),
        ("Connect (greeting later)", new(Phase.Connect, Timers.DelayOpen, 1, 0, null), Patient),
        ("Active", new(Phase.Active, Timers.ConnectRetry, 1, 0, null), Active),
        ("Active (passive)", SessionState.Listening, Passive),
        ("OpenSent", new(Phase.OpenSent, Timers.Hold, 1, 0, null), Active),
        ("OpenConfirm", new(Phase.OpenConfirm, Timers.Hold | Timers.Keepalive, 1, 0, Some.Negotiated), Active),
        ("OpenConfirm (hold 0)", new(Phase.OpenConfirm, Timers.None, 1, 0, Some.Negotiated with { HoldTime = 0 }), Active),
        ("Established", new(Phase.Established, AllOfEstablished, 0, 1, Some.Negotiated), Active),
        ("Established (RFC 8538)", new(Phase.Established, AllOfEstablished, 0, 1, Some.Negotiated with { NotificationRestart = true }),
            Active),
    ];

    [Fact]
    public void The_table_is_the_reviewed_one()
    {
        var seen = Shadow();
        var actual = Path.Combine(AppContext.BaseDirectory, "fsm.txt");
        File.WriteAllText(actual, seen);
        Assert.True(seen == File.ReadAllText(Reviewed()), $"it changed; where that is meant, copy {actual} over {Reviewed()}");
    }

    private static class Arbitraries
    {
        public static Arbitrary<SessionEvent> SessionEvents() => Gen.Elements(Events).ToArbitrary();
    }

    [Property(Arbitrary = [typeof(Arbitraries)])]
    internal bool Any_order_of_events_stays_lawful(SessionEvent[] events) =>
        Walk(Active, events) && Walk(Passive, events) && Walk(Patient, events);

    [Theory]
    [InlineData(Phase.OpenSent, 1)]
    [InlineData(Phase.OpenConfirm, 2)]
    [InlineData(Phase.Established, 3)]
    public void An_unexpected_message_is_answered_with_rfc6608s_subcode(Phase phase, byte subcode)
    {
        var (_, state, our) = States.First(row => row.State.Phase == phase);
        SessionEvent unexpected = phase == Phase.Established ? new OpenReceived(Some.Negotiated) : new UpdateReceived();
        Assert.Equal(new(ErrorCode.FiniteStateMachine, subcode), Told(Fsm.Step(state, unexpected, our)));
    }

    /// <summary>RFC 8538 section 4 (conformance F10): 6/9 with what it is about.</summary>
    [Theory]
    [InlineData(CeaseSubcode.AdministrativeShutdown, "6/9 Hard reset: Administrative shutdown: bye")]
    [InlineData(CeaseSubcode.PeerDeconfigured, "6/9 Hard reset: Peer de-configured")]
    [InlineData(CeaseSubcode.AdministrativeReset, "6/4 Administrative reset: bye")]
    [InlineData(CeaseSubcode.OtherConfigurationChange, "6/6 Other configuration change")]
    public void What_ends_for_good_is_a_hard_reset_to_those_that_keep_routes_over_a_notification(CeaseSubcode subcode, string told)
    {
        var (_, state, our) = States[^1];
        var stop = new Stop(Notification.Cease(subcode, "bye"));
        Assert.Equal(told, $"{Told(Fsm.Step(state, stop, our))}");
        Assert.Equal((byte)subcode, Told(Fsm.Step(state with { Agreed = Some.Negotiated }, stop, our))!.Subcode);
    }

    [Fact]
    public void A_notification_is_never_answered() =>
        Assert.All(States, row => Assert.Null(Told(Fsm.Step(row.State, new NotificationReceived(new(ErrorCode.Cease, 4)), row.Our))));

    [Fact]
    public void Each_error_in_a_row_doubles_the_idle_hold_up_to_its_limit()
    {
        var our = Active with { IdleHoldTime = TimeSpan.FromSeconds(1), MaxIdleHoldTime = TimeSpan.FromSeconds(10) };
        var state = SessionState.Stopped;
        var holds = new List<double>();
        for (var i = 0; i < 6; i++)
        {
            var fall = Fsm.Step(Established(state, our), new NotificationReceived(new(ErrorCode.Cease, 4)), our);
            holds.Add(fall.Actions.OfType<Arm>().Single(arm => arm.Timer == Timers.IdleHold).For.TotalSeconds);
            state = fall.Next;
        }
        Assert.Equal([1, 2, 4, 8, 10, 10], holds);
    }

    [Fact]
    public void A_session_that_lasts_forgives_the_past()
    {
        var stable = Fsm.Step(Established(SessionState.Stopped with { Penalty = 5 }, Active), new Expired(Timers.Stable), Active);
        Assert.Equal(0, stable.Next.Penalty);
    }

    [Fact]
    public void The_operators_start_forgives_the_past() =>
        Assert.Equal(0, Fsm.Step(SessionState.Stopped with { Penalty = 5 }, new Start(true), Active).Next.Penalty);

    [Fact]
    public void A_port_that_stays_closed_is_tried_less_and_less_often()
    {
        var state = Fsm.Step(SessionState.Stopped, new Start(false), Active).Next;
        var waits = new List<double>();
        for (var i = 0; i < 4; i++)
        {
            var failed = Fsm.Step(state, new ConnectionFailed("Connection refused"), Active);
            waits.Add(failed.Actions.OfType<Arm>().Single().For.TotalSeconds);
            state = Fsm.Step(failed.Next, new Expired(Timers.ConnectRetry), Active).Next;
        }
        Assert.Equal([10, 20, 30, 30], waits);
    }

    [Theory]
    [InlineData(90, null, 30)]
    [InlineData(90, 10, 10)]
    [InlineData(9, 10, 3)]      // the peer's hold time is shorter than ours was meant for
    [InlineData(3, null, 1)]
    public void Keepalives_come_three_times_in_a_hold_time_or_as_often_as_configured(int hold, int? configured, double expected)
    {
        var our = Active with { KeepaliveTime = configured is { } seconds ? TimeSpan.FromSeconds(seconds) : null };
        var agreed = Some.Negotiated with { HoldTime = (ushort)hold };
        var step = Fsm.Step(new(Phase.OpenSent, Timers.Hold, 0, 0, null), new OpenReceived(agreed), our);
        Assert.Equal(expected, step.Actions.OfType<Arm>().Single(arm => arm.Timer == Timers.Keepalive).For.TotalSeconds);
    }

    [Fact]
    public void Hold_time_zero_runs_neither_hold_nor_keepalive_timer()
    {
        var step = Fsm.Step(new(Phase.OpenSent, Timers.Hold, 0, 0, null), new OpenReceived(Some.Negotiated with { HoldTime = 0 }), Active);
        Assert.Equal(Timers.None, step.Next.Running);
    }

    /// <summary>RFC 9687 section 3.</summary>
    [Theory]
    [InlineData(90, 480)]
    [InlineData(600, 1200)]
    public void The_send_hold_time_is_eight_minutes_or_twice_the_hold_time(int hold, double expected)
    {
        var agreed = Some.Negotiated with { HoldTime = (ushort)hold };
        var confirmed = new SessionState(Phase.OpenConfirm, Timers.Hold | Timers.Keepalive, 0, 0, agreed);
        var up = Fsm.Step(confirmed, new KeepaliveReceived(), Active);
        Assert.Equal(expected, up.Actions.OfType<Arm>().Single(arm => arm.Timer == Timers.SendHold).For.TotalSeconds);
    }

    private static SessionState Established(SessionState from, SessionSettings our)
    {
        SessionEvent[] story =
            [new Start(false), new Expired(Timers.IdleHold), new Connected(), new OpenReceived(Some.Negotiated), new KeepaliveReceived()];
        return story.Aggregate(from, (state, on) => Fsm.Step(state, on, our).Next);
    }

    private static Notification? Told(Transition transition) => transition.Actions.OfType<Close>().SingleOrDefault()?.Last;

    private static bool Walk(SessionSettings our, IEnumerable<SessionEvent> events)
    {
        var state = SessionState.Stopped;
        foreach (var on in events)
        {
            var (next, actions) = Fsm.Step(state, on, our);
            if (!Lawful(state, next, actions)) throw new InvalidOperationException($"{state} on {on} → {next}: {Words(actions)}");
            state = next;
        }
        return true;
    }

    private static bool Lawful(SessionState from, SessionState to, IReadOnlyList<SessionAction> actions) =>
        Disjoint(to)
        && actions.OfType<Arm>().All(arm => to.Runs(arm.Timer))
        && (to.Running & ~from.Running & ~Armed(actions)) == 0
        && (to.Phase != Phase.Established || from.Phase is Phase.Established or Phase.OpenConfirm)
        && (to.Phase is Phase.OpenConfirm or Phase.Established) == (to.Agreed != null)
        && (!actions.OfType<SendKeepalive>().Any() || to.Phase is Phase.OpenConfirm or Phase.Established)
        && (!actions.OfType<SendOpen>().Any() || !from.OpenWasSent)
        && (!actions.OfType<Up>().Any() || to.Phase == Phase.Established)
        && (from.Phase != Phase.Established || to.Phase == Phase.Established || actions.OfType<Close>().Any())
        && actions.OfType<Close>().All(close => close.Last == null || from.OpenWasSent);

    private static bool Disjoint(SessionState at) => at.Phase switch
    {
        Phase.Idle => (at.Running & ~Timers.IdleHold) == 0,
        Phase.Connect or Phase.Active => at.Running is Timers.None or Timers.ConnectRetry or Timers.DelayOpen,
        Phase.OpenSent => at.Running == Timers.Hold,
        Phase.OpenConfirm => at.Running is Timers.None or (Timers.Hold | Timers.Keepalive),
        _ => (at.Running & ~AllOfEstablished) == 0,
    };

    private static Timers Armed(IReadOnlyList<SessionAction> actions) =>
        actions.OfType<Arm>().Aggregate(Timers.None, (set, arm) => set | arm.Timer);

    private static string Shadow()
    {
        var text = new StringBuilder("What Fsm.Step answers: state, event → next state: actions. Written by FsmTests.\n");
        foreach (var (name, state, our) in States)
        {
            text.Append('\n');
            foreach (var on in Events)
            {
                var (next, actions) = Fsm.Step(state, on, our);
                text.Append(FormattableString.Invariant($"{name}, {Word(on)} → {next.Phase} [{next.Running}]: {Words(actions)}\n"));
            }
        }
        return text.ToString();
    }

    private static string Words(IReadOnlyList<SessionAction> actions) =>
        actions.Count == 0 ? "–" : string.Join(", ", actions.Select(Word));

    private static string Word(SessionEvent on) => on switch
    {
        Start start => start.ByOperator ? "Start by the operator" : "Start",
        Expired expired => $"{expired.Timer} expired",
        Stop { Notification: { } why } => $"Stop {Code(why)}",
        Stop => "Stop without a word",
        Break broken => $"Break {Code(broken.Notification)}",
        Malformed malformed => $"Malformed {Code(malformed.Notification)}",
        WayLost { What.Told: { } told } => $"WayLost {Code(told)}",
        NotificationReceived received => $"NotificationReceived {Code(received.Notification)}",
        _ => on.GetType().Name,
    };

    private static string Word(SessionAction action) => action switch
    {
        Arm arm => FormattableString.Invariant($"{arm.Timer} in {arm.For.TotalSeconds} s"),
        Close { Last: { } last } => $"close with {Code(last)}",
        Close => "close",
        Report report => $"report {report.Kind} \"{report.Text}\"",
        _ => action.GetType().Name,
    };

    private static string Code(Notification notification) => $"{(byte)notification.Code}/{notification.Subcode}";

    private static string Reviewed([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "fsm.txt");
}
