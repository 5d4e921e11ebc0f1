using System.Net.Sockets;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session;

/// <summary>An established session as another process can take it over: what both sides said in their OPENs, from which all else
/// follows.</summary>
/// <param name="Unread">Octets of the peer's that were lifted from the socket and not heard.</param>
/// <param name="Ours">We opened the connection.</param>
public sealed record HandedSession(
    Socket Connection, bool Ours, BothOpens Opens, ReadOnlyMemory<byte> Unread, DateTimeOffset Since);

/// <summary>What both sides of a session said, from which follows by the same code again what they agreed on.</summary>
/// <param name="Sent">Our OPEN after its header.</param>
/// <param name="Received">The peer's.</param>
public sealed record BothOpens(ReadOnlyMemory<byte> Sent, ReadOnlyMemory<byte> Received)
{
    public static BothOpens Of(Negotiated agreed) => new(
        OpenCodec.Encode(agreed.Sent).AsMemory(MessageHeader.Octets), OpenCodec.Encode(agreed.Received).AsMemory(MessageHeader.Octets));

    /// <returns>Why they come to nothing by these settings; null: they do not.</returns>
    public string? Agree(SessionSettings settings, Address local, Address peer, out Negotiated? agreed)
    {
        agreed = null;
        if (OpenCodec.Decode(Sent.Span, out var sent) is { } ours) return $"our OPEN: {ours.Describe()}";
        if (OpenCodec.Decode(Received.Span, out var received) is { } theirs) return $"the peer's OPEN: {theirs.Describe()}";
        var result = Negotiation.Agree(settings, sent!, received!, local, peer);
        agreed = result.Agreed;
        return agreed != null ? null : result.Detail ?? result.Refusal!.Describe();
    }
}

/// <summary>What of a session moves until the last moment.</summary>
/// <param name="Silence">Since the peer was last heard.</param>
public readonly record struct HandedMoment(TimeSpan Silence);

/// <summary>A session that stands still: its peer waits in TCP, and gets keepalives.</summary>
public sealed class StandingSession
{
    private readonly PeerSession session;
    private readonly Connection connection;

    internal StandingSession(PeerSession session, Connection connection, HandedSession handed) =>
        (this.session, this.connection, Handed) = (session, connection, handed);

    public HandedSession Handed { get; }

    /// <summary>The peer has gone meanwhile, or the connection has.</summary>
    public bool HasEnded => connection.HasEnded;

    /// <summary>Octets for the peer that the kernel has not taken yet.</summary>
    public long Backlog => connection.Sender.Backlog;

    /// <summary>From now on not even keepalives leave, until <paramref name="over"/>.</summary>
    /// <returns>Null: it has ended, or has something to send.</returns>
    public Task<HandedMoment?> GiveAsync(Task over) => session.GiveAsync(connection, over);

    /// <summary>Nobody has taken it.</summary>
    public void GoOn() => connection.GoOn();
}

/// <content>Sessions that another process takes over, and those taken over from one.</content>
public sealed partial class PeerSession
{
    /// <summary>
    /// An established session takes nothing from its peer any more, and goes on in all else; one that is not established does nothing at
    /// all until <paramref name="over"/>.
    /// </summary>
    /// <returns>Null: it is not established.</returns>
    public async Task<StandingSession?> StandStillAsync(Task over)
    {
        var answer = new TaskCompletionSource<Connection?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!Post(new SessionNews.StandStill(answer, over)) || loop is not { } running) return null;
        await Task.WhenAny(answer.Task, running.Ended);
        if (!answer.Task.IsCompleted || await answer.Task is not { } connection) return null;
        var (since, agreed) = (status.Snapshot.Since, status.Established.Item1);
        if (await connection.StandStillAsync() is not { } unread || agreed == null) return null;
        return new(this, connection, new(connection.Socket, connection.Ours, BothOpens.Of(agreed), unread, since));
    }

    internal async Task<HandedMoment?> GiveAsync(Connection connection, Task over)
    {
        var answer = new TaskCompletionSource<HandedMoment?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!Post(new SessionNews.Give(connection, answer, over))) return null;
        await Task.WhenAny(answer.Task, loop!.Ended);
        return answer.Task.IsCompleted ? await answer.Task : null;
    }

    /// <summary>Begins as the established session that another process had; it does nothing before <see cref="GoOn"/>.</summary>
    /// <returns>Why it cannot: what the OPENs come to by these settings; null: it has.</returns>
    public string? Adopt(HandedSession handed)
    {
        var (local, remote) = Connection.EndsOf(handed.Connection);
        if (handed.Opens.Agree(Settings, local, remote, out var both) is { } words) return words;
        var agreed = both!;
        var connection = new Connection(handed.Connection, handed.Ours, Settings, agreed.Sent, time, log, Heard);
        connection.Sender.TryFreeze();
        var timed = agreed.HoldTime > 0 ? Timers.Hold | Timers.Keepalive : Timers.None;
        main.Connection = connection;
        main.State = new(Phase.Established, timed | Timers.SendHold | Timers.Stable, 0, 0, agreed);
        sink = owner.Established(this, agreed, connection.Sender);
        connection.Adopt(agreed, handed.Unread, sink);
        status.Adopt(main, handed.Since);
        log.TakenOver(Settings.Name, agreed.PeerAddress, agreed.PeerAs, agreed.Families.Words());
        SessionMeters.Up();
        return null;
    }

    /// <summary>It is ours from now on: the peer is told at once that somebody is here.</summary>
    public void GoOn(HandedMoment moment) => Post(new SessionNews.GoOn(moment.Silence));

    private async Task StandStillAsync(SessionNews.StandStill still)
    {
        var isUp = main.State.Phase == Phase.Established;
        still.Answer.SetResult(isUp ? main.Connection : null);
        if (!isUp) await loop!.WaitForAsync(still.Over);
    }

    private async Task GiveAsync(SessionNews.Give give)
    {
        var isIt = main.Connection == give.Connection && main.State.Phase == Phase.Established;
        if (!isIt || !give.Connection.Sender.TryFreeze())
        {
            give.Answer.SetResult(null);
            return;
        }
        give.Answer.SetResult(new(give.Connection.Silence));
        await loop!.WaitForAsync(give.Over);
        give.Connection.Sender.Thaw();
    }

    private async Task GoOnAsync(TimeSpan silence)
    {
        if (main is not { Connection: { } connection, State: { Phase: Phase.Established, Agreed: { } agreed } }) return;
        connection.TakeSilence(silence);
        main.Timers.Arm(Timers.SendHold, Fsm.SendHoldTime(agreed, Settings));
        main.Timers.Arm(Timers.Stable, Settings.MaxIdleHoldTime);
        if (agreed.HoldTime > 0) main.Timers.Arm(Timers.Hold, TimeSpan.FromSeconds(agreed.HoldTime));
        await StepAsync(main, new Expired(Timers.Keepalive));
        connection.Sender.Thaw();
        connection.Start();
    }
}
