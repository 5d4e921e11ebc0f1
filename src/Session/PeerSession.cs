using System.Net.Sockets;
using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Session;

/// <summary>
/// One neighbour's session: asks the FSM, performs its actions, owns the connections that live and die under it. One loop takes
/// what happens in the order in which it happened; everything here but the public face runs on that loop. Routes do not pass
/// through it, so its timers and keepalives never wait for the RIB.
/// </summary>
public sealed partial class PeerSession : IAsyncDisposable
{
    // Octets that wait for our own reader are not the peer's silence: it gets this long, and more while the RIB holds it up.
    private static readonly TimeSpan HeldBackRetry = TimeSpan.FromSeconds(1);

    /// <summary>Where a connection is closed, its reader may wait for the RIB to take what was read.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>A neighbour that believes the session lost calls every few seconds, or as fast as it can.</summary>
    private static readonly TimeSpan RefusalInterval = TimeSpan.FromMinutes(1);

    /// <summary>Connections of the peer's that wait for the loop; one more is hung up on.</summary>
    private const int MostCalls = 8;

    private readonly ISessionOwner owner;
    private readonly Loops loops;
    private readonly TimeProvider time;
    private readonly ILogger<PeerSession> log;
    private readonly Channel<SessionNews> inbox = Channel.CreateUnbounded<SessionNews>(new() { SingleReader = true });
    private readonly SessionStatus status;
    private readonly LineLimit refusals;

    private Attempt main;
    private Attempt? second;
    private IRouteSink? sink;
    private Loop? loop;
    private SessionFault last = SessionFault.None;
    /// <summary>When it last began to wait for the peer.</summary>
    private DroppedSegments? dropped;
    private Notification? told;
    private int calls;

    /// <param name="before">What the session before this one met, where other settings have begun a new one.</param>
    public PeerSession(
        SessionSettings settings, ISessionOwner owner, Loops loops, TimeProvider time, ILogger<PeerSession> log,
        SessionFaults? before = null)
    {
        (Settings, this.owner, this.loops, this.time, this.log) = (settings, owner, loops, time, log);
        status = new(settings, before ?? SessionFaults.None, time);
        refusals = new(RefusalInterval, time);
        main = NewAttempt(SessionState.Stopped);
        status.Show(main, null);
    }

    public SessionSettings Settings { get; }

    public SessionSnapshot Snapshot
    {
        get
        {
            var now = status.Snapshot;
            var missing = now switch
            {
                { Enabled: false } => null,
                { Phase: Phase.Active } when Settings.Passive && Settings.Password != null => "no call though a password is set",
                { Phase: Phase.Active } when Settings.Passive && Settings.TtlSecurity => "no call",
                // A call is taken by the listening socket, which asks for no more than the most distant of all peers can give.
                { Phase: Phase.OpenSent } when Settings.TtlSecurity => "no OPEN",
                { Phase: Phase.OpenConfirm } when Settings.TtlSecurity => "no KEEPALIVE",
                _ => null,
            };
            return missing != null && Dropped() is { } words ? now with { Hint = $"{missing}: {words}" } : now;
        }
    }

    /// <summary>What the kernel has dropped for its signature or its TTL since the session last tried.</summary>
    private string? Dropped() => dropped is { } before && DroppedSegments.Read() is { } now
        ? now.Since(before, TcpOptions.LeastHops(Settings)) : null;

    /// <summary>Begins the session's loop (automatic start, or administratively down where the settings say so).</summary>
    /// <param name="isDisabled">It begins as <see cref="Disable"/> would leave it.</param>
    public void Start(bool isDisabled = false)
    {
        // One session of many: it falls to Idle and comes back, and the others and the routes of the others know nothing of it.
        loop = loops.Start("session", OnDefect.StartAgain, RunAsync, of: Settings.Name, patience: Patience);
        if (isDisabled) status.Enabled = false;
        else if (!Settings.Shutdown) Post(new SessionNews.Begin(ByOperator: false));
    }

    /// <summary>Administrative shutdown (RFC 4486 subcode 2, text as RFC 9003), until <see cref="Enable"/> starts again.</summary>
    public void Disable(string? text = null) =>
        Post(new SessionNews.Disable(Notification.Cease(CeaseSubcode.AdministrativeShutdown, text ?? Settings.ShutdownText)));

    public void Enable() => Post(new SessionNews.Begin(ByOperator: true));

    /// <summary>Administrative reset: down and at once up again. A session that is disabled stays so.</summary>
    public void Restart(string? text = null) => Post(new SessionNews.Restart(Notification.Cease(CeaseSubcode.AdministrativeReset, text)));

    /// <summary>Ends the session for what its owner found wrong (a prefix limit, say); it comes back after the idle hold.</summary>
    public void Break(Notification why) => Post(new SessionNews.Break(why));

    /// <summary>The link that the session runs over, or our address on it, is gone: it ends at once and waits for the way.</summary>
    /// <param name="of">What the session has agreed on that ran there; null: it is not up yet.</param>
    public void LoseWay(LostWay what, Negotiated? of) => Post(new SessionNews.LoseWay(what, of));

    /// <summary>The way is there (again): whatever the session waits for, it calls the peer at once.</summary>
    public void FindWay() => Post(new SessionNews.FindWay());

    /// <summary>Asks the peer for its routes again (RFC 2918); false where the peer does not know how.</summary>
    public bool RequestRefresh(IpFamily family)
    {
        var (negotiated, connection) = status.Established;
        if (negotiated is not { RouteRefresh: true } || !negotiated.Families.Has(family)) return false;
        connection!.Sender.SendNow(RouteRefreshCodec.Encode(new(Family.Of(family))));
        return true;
    }

    /// <summary>A connection that the peer opened; taken over.</summary>
    public void Accept(Socket connection)
    {
        if (Interlocked.Increment(ref calls) <= MostCalls && Prepared(connection) && Post(new SessionNews.Called(connection))) return;
        Interlocked.Decrement(ref calls);
        connection.Dispose();
    }

    /// <summary>Ends the session for good: Cease with the given subcode, connections closed, loop ended.</summary>
    public ValueTask StopAsync(CeaseSubcode subcode, string? text = null) =>
        StopAsync(new Stop(Notification.Cease(subcode, text)));

    /// <summary>The same without a word, as a loss: whoever keeps our routes over a restart goes on doing so (RFC 4724).</summary>
    public ValueTask LeaveAsync() => StopAsync(new Stop(null));

    private async ValueTask StopAsync(Stop stop)
    {
        Post(new SessionNews.Halt(stop));
        inbox.Writer.TryComplete();
        if (loop != null) await loop.Ended;
        main.Dispose();
    }

    public ValueTask DisposeAsync() => StopAsync(CeaseSubcode.PeerDeconfigured);

    /// <summary>Completes when all that was waiting in the inbox has been dealt with.</summary>
    internal Task SettledAsync()
    {
        var settled = new TaskCompletionSource();
        Post(new SessionNews.Settle(settled));
        return settled.Task;
    }

    private bool Post(SessionNews news) => inbox.Writer.TryWrite(news);

    private async Task RunAsync(Loop loop)
    {
        if (loop.Defects > 0) await BeginAnewAsync();
        await loop.TakeAllAsync(inbox.Reader, news => new(HandleAsync(news)));
    }

    private Task HandleAsync(SessionNews news)
    {
        switch (news)
        {
            case SessionNews.Begin begin: return BeginAsync(begin.ByOperator);
            case SessionNews.Disable disable:
                status.Enabled = false;
                return HaltAsync(new(disable.Why));
            case SessionNews.Restart restart: return RestartAsync(restart.Why);
            case SessionNews.Halt halt: return HaltAsync(halt.How);
            case SessionNews.Break broken: return StepAsync(main, new Break(broken.Why));
            case SessionNews.LoseWay lost: return LoseWayAsync(lost.What, lost.Of);
            case SessionNews.FindWay: return StepAsync(main, new WayBack());
            case SessionNews.Called called:
                Interlocked.Decrement(ref calls);
                return CalledAsync(called.Connection);
            case SessionNews.Dialled dialled: return DialledAsync(dialled);
            case SessionNews.Heard heard: return HeardAsync(heard);
            case SessionNews.Expired expired: return ExpiredAsync(expired.Attempt, expired.Timer);
            case SessionNews.StandStill still: return StandStillAsync(still);
            case SessionNews.Give give: return GiveAsync(give);
            case SessionNews.GoOn go: return GoOnAsync(go.Silence);
            case SessionNews.Settle(var reached):
                reached.SetResult();
                return Task.CompletedTask;
            default: throw new ArgumentException($"nobody takes {news}", nameof(news));
        }
    }

    /// <summary>
    /// After a defect: the machine's state is a step's outcome as ever, but what the step asked for may not have been done. So both
    /// connections end (each state is written before its actions are performed, so that what fails here again does not come again), the
    /// owner hears of the end of an established session in any case, and the idle hold runs.
    /// </summary>
    private async Task BeginAnewAsync()
    {
        var why = Notification.Cease(CeaseSubcode.OutOfResources);
        var wasIdle = main.State.Phase == Phase.Idle;
        if (second != null) await StepAsync(second, new CollisionLost());
        await StepAsync(main, new Break(why));
        if (wasIdle) await LetGoAsync(main, null);
        if (sink != null) Tell(new(FaultKind.Sent, why, why.Describe()));
        if (wasIdle && main.State.Runs(Timers.IdleHold)) main.Timers.Arm(Timers.IdleHold, Settings.IdleHoldTime);
        status.Show(main, second);
    }

    private async Task LoseWayAsync(LostWay what, Negotiated? of)
    {
        if (!ReferenceEquals(main.State.Agreed, of)) return;
        if (second != null) await StepAsync(second, new CollisionLost());
        await StepAsync(main, new WayLost(what));
    }

    private Attempt NewAttempt(SessionState state) =>
        new(state, time, (attempt, timer) => Post(new SessionNews.Expired(attempt, timer)));

    private Task BeginAsync(bool byOperator)
    {
        status.Enabled = true;
        if (Settings.Password != null || Settings.TtlSecurity) dropped = DroppedSegments.Read();
        return StepAsync(main, new Start(byOperator));
    }

    private async Task RestartAsync(Notification why)
    {
        if (!status.Enabled) return;
        await HaltAsync(new(why));
        await BeginAsync(byOperator: true);
    }

    private async Task HaltAsync(Stop how)
    {
        if (second != null) await StepAsync(second, how);
        await StepAsync(main, how);
    }

    private bool Prepared(Socket connection)
    {
        try
        {
            TcpOptions.Apply(connection, Settings);
            return true;
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    private async Task CalledAsync(Socket socket)
    {
        var connection = NewConnection(socket, ours: false);
        if (main.State.Phase == Phase.Established && !await GivesWayAsync(main.State.Agreed!))
        {
            if (refusals.Say(out var unsaid)) log.Refused(Settings.Name, connection.Remote, "the session is established", unsaid);
            await connection.CloseAsync(Notification.Cease(CeaseSubcode.ConnectionCollisionResolution));
            return;
        }
        // The peer calls again, so it has given up the connection of its that we still wait on.
        if (second != null) await StepAsync(second, new CollisionLost());
        var attempt = main.IsFree ? main : second = NewAttempt(SessionState.Listening);
        attempt.Connection = connection;
        connection.Start();
        await StepAsync(attempt, new Accepted());
    }

    /// <summary>
    /// A call from a neighbour whose old connection stands on a link that is gone: we may hear it sooner than the news of the link.
    /// RFC 4724 section 5: a peer that calls again has restarted, where graceful restart was agreed on.
    /// </summary>
    private async Task<bool> GivesWayAsync(Negotiated agreed)
    {
        if (owner.WayLost(this) is { } what)
        {
            await StepAsync(main, new WayLost(what));
            return true;
        }
        if (!agreed.RestartAware) return false;
        await StepAsync(main, new ConnectionFailed("Connection replaced by a new one"));
        return true;
    }

    private Connection NewConnection(Socket socket, bool ours) =>
        new(socket, ours, Settings, Negotiation.Open(Settings, owner.Restart), time, log, Heard);

    private void Heard(Connection connection, SessionEvent on) => Post(new SessionNews.Heard(connection, on));

    private async Task HeardAsync(SessionNews.Heard heard)
    {
        if (Holder(heard.Connection) is { } attempt) await StepAsync(attempt, heard.On);
        if (heard.On is OpenReceived or KeepaliveReceived or UpdateReceived or RefreshReceived) heard.Connection.Answer();
    }

    private Attempt? Holder(Connection connection) =>
        main.Connection == connection ? main : second?.Connection == connection ? second : null;

    private void Dial(Attempt attempt)
    {
        dropped = DroppedSegments.Read();
        attempt.Dial(Settings, (which, socket, words) =>
        {
            if (!Post(new SessionNews.Dialled(attempt, which, socket, words))) socket?.Dispose();
        });
    }

    private async Task DialledAsync(SessionNews.Dialled dialled)
    {
        var (attempt, which, socket, words) = dialled;
        if (!attempt.EndDial(which))
        {
            socket?.Dispose();
            return;
        }
        if (socket == null)
        {
            await StepAsync(attempt, new ConnectionFailed(words));
            return;
        }
        attempt.Connection = NewConnection(socket, ours: true);
        attempt.Connection.Start();
        await StepAsync(attempt, new Connected());
    }

    private async Task ExpiredAsync(Attempt attempt, Timers timer)
    {
        if (!attempt.Timers.IsDue(timer)) return;
        if (Postponed(attempt, timer) is { } later) attempt.Timers.Arm(timer, later);
        else await StepAsync(attempt, new Expired(timer));
    }

    /// <summary>Timers that traffic restarts are not touched by it: they find out when they end. Null: time is really up.</summary>
    private TimeSpan? Postponed(Attempt attempt, Timers timer)
    {
        if (attempt is not { Connection: { } connection, State: { Phase: Phase.Established, Agreed: { } agreed } }) return null;
        if (timer == Timers.SendHold) return Rest(Fsm.SendHoldTime(agreed, Settings) - connection.Sender.Stalled);
        if (timer != Timers.Hold) return null;
        var hold = TimeSpan.FromSeconds(agreed.HoldTime);
        var late = connection.HasUnread && connection.Silence < hold + HeldBackRetry;
        return Rest(hold - connection.Silence) ?? (late || connection.HoldsBackPeer ? HeldBackRetry : null);
    }

    private static TimeSpan? Rest(TimeSpan left) => left > TimeSpan.Zero ? left : null;

    private async Task StepAsync(Attempt attempt, SessionEvent on)
    {
        if (attempt != main && attempt != second) return;
        if (on is OpenReceived opened) on = await JudgeAsync(attempt, opened);
        var from = attempt.State.Phase;
        var (next, actions) = Fsm.Step(attempt.State, on, Settings);
        attempt.State = next;
        attempt.Timers.StopAllBut(next.Running);
        if (from != next.Phase) log.Step(Settings.Name, from, next.Phase, on.GetType().Name);
        foreach (var action in actions) await PerformAsync(attempt, action);
        Settle();
        status.Show(main, second);
    }

    /// <summary>An OPEN is when two connections collide.</summary>
    private async Task<SessionEvent> JudgeAsync(Attempt attempt, OpenReceived opened)
    {
        var other = attempt == main ? second : main;
        if (other == null || other.IsFree || attempt.State.Phase is Phase.OpenConfirm or Phase.Established) return opened;
        var verdict = Collision.Judge(opened.Agreed, attempt.Contender, other.Contender);
        if (verdict == Verdict.DropThis) return new CollisionLost();
        if (verdict == Verdict.DropOther) await StepAsync(other, new CollisionLost());
        return opened;
    }

    private async Task PerformAsync(Attempt attempt, SessionAction action)
    {
        switch (action)
        {
            case Session.Dial: Dial(attempt); break;
            case SendOpen: attempt.Connection?.Sender.SendNow(OpenCodec.Encode(attempt.Connection.Open)); break;
            case SendKeepalive: attempt.Connection?.Sender.SendNow(Keepalive.Octets); break;
            case Arm arm: attempt.Timers.Arm(arm.Timer, Jittered(arm)); break;
            case Close close: await LetGoAsync(attempt, close.Last); break;
            case Report report: Tell(report); break;
            case Up: await EstablishAsync(attempt); break;
        }
    }

    /// <summary>RFC 4271 section 10: a factor of 0.75 to 1.0, so that many sessions do not act in step.</summary>
    private static TimeSpan Jittered(Arm arm) =>
        arm.Timer is Timers.ConnectRetry or Timers.Keepalive ? arm.For * (0.75 + Random.Shared.NextDouble() / 4) : arm.For;

    private async Task LetGoAsync(Attempt attempt, Notification? last)
    {
        attempt.StopDialling();
        told = null;
        if (attempt.Connection is not { } connection) return;
        attempt.Connection = null;
        told = last;
        await connection.CloseAsync(last);
    }

    private async Task EstablishAsync(Attempt attempt)
    {
        var other = attempt == main ? second : main;
        if (other != null) await StepAsync(other, new CollisionLost());
        var agreed = attempt.State.Agreed!;
        sink = owner.Established(this, agreed, attempt.Connection!.Sender);
        attempt.Connection.Establish(agreed, sink);
        status.Faults = status.Faults with { Why = last = SessionFault.None };
        log.Established(Settings.Name, agreed.PeerAddress, agreed.PeerAs, agreed.PeerId, agreed.Families.Words(), agreed.HoldTime);
        SessionMeters.Up();
    }

    private void Tell(Report report)
    {
        var (before, now) = (last, time.GetUtcNow());
        var isSilence = report.Kind == FaultKind.Socket || report.Notification?.Code == ErrorCode.HoldTimerExpired;
        var detail = report.Detail ?? (isSilence && sink == null ? Dropped() : null);
        var fault = last = new SessionFault(report.Kind, report.Notification, report.Text, now) { Detail = detail };
        var faults = status.Faults.With(fault);
        status.Faults = report.Notification != null && report.Notification == told
            ? faults.Told(fault with { Kind = FaultKind.Sent }) : faults;
        if (report.Notification is { } notification) SessionMeters.Notified(report.Kind, notification);
        if (sink is { } routes)
        {
            sink = null;
            SessionMeters.Lost();
            log.Down(Settings.Name, fault.Kind, Reason(fault));
            owner.Down(this, routes, fault);
        }
        else if (IsAnother(before, fault) && !IsGone(fault)) log.NotUp(Settings.Name, fault.Kind, Reason(fault));
        else log.StillNotUp(Settings.Name, fault.Kind, Reason(fault));
    }

    /// <summary>Counts in the detail grow; that there is one at all is news.</summary>
    private static bool IsAnother(SessionFault before, SessionFault fault) =>
        (before.Kind, before.Text, before.Detail == null) != (fault.Kind, fault.Text, fault.Detail == null);

    /// <summary>That it is none of ours any more (or another neighbour of its link, from now on) is said by who took it away.</summary>
    private static bool IsGone(SessionFault fault) =>
        fault.Notification is { Code: ErrorCode.Cease, Subcode: (byte)CeaseSubcode.PeerDeconfigured } && fault.Kind == FaultKind.Stopped;

    private static string Reason(SessionFault fault) => fault.Detail == null ? fault.Text : $"{fault.Text}: {fault.Detail}";

    /// <summary>The one connection that is left is the session; what the peer did before counts for it too.</summary>
    private void Settle()
    {
        if (second is { IsFree: true })
        {
            second.Dispose();
            second = null;
        }
        if (second == null || !main.IsFree) return;
        second.State = second.State with { Retries = main.State.Retries, Penalty = main.State.Penalty };
        main.Dispose();
        (main, second) = (second, null);
    }
}
