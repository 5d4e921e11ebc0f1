using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Session;

/// <summary>
/// One TCP connection with the peer. One task lifts octets from the socket into a pipe; another cuts the pipe into messages.
/// Until the session is established each message is a question to the session's loop, and the next one waits for the answer.
/// From then on UPDATE, KEEPALIVE and ROUTE-REFRESH go straight to the sink, without an allocation for each; after each burst the
/// sink is flushed and awaited, so a full RIB fills the pipe, then the socket, and so holds back the peer.
/// </summary>
internal sealed partial class Connection : IAsyncDisposable
{
    private const int LargeOctets = 1 << 16, SmallOctets = 1 << 12, BurstOctets = 1 << 16, FewOctets = 1 << 12;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Socket socket;
    private readonly SessionSettings settings;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly Action<Connection, SessionEvent> tell;
    private readonly ReaderScheduler parsing = new();
    private readonly Pipe pipe;
    private readonly Framer framer = new();
    private readonly DamageLog damages;
    private readonly CancellationTokenSource closing = new();
    private readonly SemaphoreSlim answered = new(0);

    private Task filling = Task.CompletedTask, reading = Task.CompletedTask;
    private Negotiated? agreed;
    private UpdateDecoder? decoder;
    private IRouteSink? sink;
    private bool taken, drained = true;
    private volatile bool closed, pushedBack;
    private long arrived, consumed, lastHeard;
    /// <summary>The reader has told <see cref="lastHeard"/> of what lies in front of it.</summary>
    private bool isHeard;
    private bool hasToldMartians;
    private string ending = "Connection closed";

    public Connection(
        Socket socket, bool ours, SessionSettings settings, OpenMessage open, TimeProvider time, ILogger log,
        Action<Connection, SessionEvent> tell)
    {
        (this.socket, this.settings, this.time, this.log, this.tell) = (socket, settings, time, log, tell);
        (Ours, Open) = (ours, open);
        // So that what is sent on a caller's thread never waits there; the asynchronous calls do not mind.
        socket.Blocking = false;
        pipe = new(new(
            readerScheduler: parsing, pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 1 << 19, minimumSegmentSize: SmallOctets,
            useSynchronizationContext: false));
        damages = new(settings.Name, time, log);
        Sender = new(socket, settings.Index, time, Counters, Fail);
        lastHeard = time.GetTimestamp();
        (Local, Remote) = EndsOf(socket);
    }

    /// <summary>We opened it.</summary>
    public bool Ours { get; }
    /// <summary>What we say on it, or have said.</summary>
    public OpenMessage Open { get; }
    public Address Local { get; }
    public Address Remote { get; }
    public Sender Sender { get; }
    public Socket Socket => socket;
    public ConnectionCounters Counters { get; } = new();

    /// <summary>Since the last KEEPALIVE or UPDATE (RFC 4271 section 8.2.2: what restarts the hold timer).</summary>
    public TimeSpan Silence => time.GetElapsedTime(Volatile.Read(ref lastHeard));

    /// <summary>Octets of the peer's that our reader has not seen.</summary>
    public bool HasUnread => Volatile.Read(ref arrived) > Volatile.Read(ref consumed) || Waiting(socket) > 0;

    /// <summary>They wait because the sink takes nothing: that is not the peer's silence.</summary>
    public bool HoldsBackPeer => pushedBack && HasUnread;

    public void Start()
    {
        filling = FillAsync();
        reading = ReadAllAsync();
    }

    /// <summary>Called while the reader waits for its answer to the message that established the session.</summary>
    public void Establish(Negotiated negotiated, IRouteSink routes)
    {
        agreed = negotiated;
        decoder = new(negotiated);
        Volatile.Write(ref lastHeard, time.GetTimestamp());
        sink = routes;
    }

    /// <summary>The reader's question has been dealt with.</summary>
    public void Answer()
    {
        if (!closed) answered.Release();
    }

    /// <summary>Tells the peer why, and lets go. When this completes nothing calls the sink any more.</summary>
    public async Task CloseAsync(Notification? last)
    {
        if (closed) return;
        closed = true;
        Sender.Finish(last == null ? null : NotificationCodec.Encode(last));
        await closing.CancelAsync();
        await lifting.CancelAsync();
        GoOn();
        pipe.Reader.CancelPendingRead();
        answered.Release();
        await Task.WhenAll(filling, reading);
        if (last != null) await Sender.Finished.WaitAsync(Patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (last != null && Sender.Finished.IsCompleted) _ = LingerAsync();
        else Drop();
        closing.Dispose();
        lifting.Dispose();
        answered.Dispose();
    }

    public ValueTask DisposeAsync() => new(CloseAsync(null));

    /// <summary>What a peer that does not read has not taken is not to wait in the kernel (RFC 9687 section 4.1).</summary>
    private void Drop()
    {
        if (!Sender.Finished.IsCompleted) socket.LingerState = new(true, 0);
        socket.Dispose();
    }

    /// <summary>A socket closed with octets unread sends RST, which may overtake the NOTIFICATION in the peer's kernel.</summary>
    private async Task LingerAsync()
    {
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            var rest = new byte[4096];
            socket.Shutdown(SocketShutdown.Send);
            while (await socket.ReceiveAsync(rest, patience.Token) > 0) { }
        }
        catch (Exception end) when (end is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The peer has hung up first, or will not.
        }
        socket.Dispose();
    }

    private async Task FillAsync()
    {
        try
        {
            if (!early.IsEmpty) await LetInAsync();
            while (await FillOnceAsync()) { }
        }
        catch (SocketException failure)
        {
            ending = failure.Message;
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
        {
            // Closing.
        }
        catch (Exception mistake)
        {
            Fail(mistake);
        }
        await pipe.Writer.CompleteAsync();
    }

    private async Task<bool> FillOnceAsync()
    {
        // An idle neighbour holds no buffer: 5,000 of them would hold 320 MB. One that says little holds a small one: hundreds may
        // say something at once.
        var waiting = drained ? 0 : Waiting(socket);
        if (waiting == 0)
        {
            await socket.ReceiveAsync(Memory<byte>.Empty, closing.Token);
            waiting = Waiting(socket);
        }
        while (!TryBeginFilling(out var standing)) await standing;
        var room = pipe.Writer.GetMemory(drained ? Math.Clamp(waiting, SmallOctets, LargeOctets) : LargeOctets);
        if (await LiftAsync(room) is not { } count) return true;
        drained = count < room.Length;
        if (count == 0)
        {
            EndFilling();
            return false;
        }
        Counters.CountOctetsIn(count);
        Volatile.Write(ref arrived, arrived + count);
        pipe.Writer.Advance(count);
        parsing.IsInline = count <= FewOctets;
        var flushed = pipe.Writer.FlushAsync(closing.Token);
        parsing.IsInline = false;
        EndFilling();
        return !(await flushed).IsCompleted;
    }

    /// <summary>A few octets are parsed by the task that lifts them; of many, the next are lifted while these are parsed on another
    /// thread.</summary>
    private sealed class ReaderScheduler : PipeScheduler
    {
        public bool IsInline { get; set; }

        public override void Schedule(Action<object?> action, object? state)
        {
            if (IsInline) action(state);
            else ThreadPool.Schedule(action, state);
        }
    }

    private async Task ReadAllAsync()
    {
        try
        {
            while (await ReadBurstAsync()) { }
        }
        catch (Exception mistake)
        {
            Fail(mistake);
        }
        await pipe.Reader.CompleteAsync();
    }

    /// <summary>A mistake of ours, not the peer's: this session pays for it, and no other.</summary>
    private void Fail(Exception mistake)
    {
        log.ConnectionMistaken(settings.Name, mistake);
        tell(this, new Break(Notification.Cease(CeaseSubcode.OutOfResources)));
    }

    private enum Heard { All, Burst, Question, Last }

    private async Task<bool> ReadBurstAsync()
    {
        var result = await pipe.Reader.ReadAsync();
        if (result.IsCanceled && rest is { } standing) await StandStillAsync(standing, result.Buffer);
        if (closed) return false;
        var unread = result.Buffer;
        var before = unread.Length;
        var heard = Hear(ref unread);
        Volatile.Write(ref consumed, consumed + before - unread.Length);
        pipe.Reader.AdvanceTo(unread.Start, heard == Heard.All ? unread.End : unread.Start);
        if (heard == Heard.Last) return false;
        if (heard == Heard.Question) await answered.WaitAsync();
        else await FlushAsync();
        if (heard != Heard.All || !result.IsCompleted || closed) return !closed;
        tell(this, new ConnectionFailed(ending));
        return false;
    }

    private ValueTask FlushAsync()
    {
        if (!taken) return default;
        taken = false;
        var flushed = sink!.FlushAsync();
        return flushed.IsCompletedSuccessfully ? flushed : Wait(flushed);

        async ValueTask Wait(ValueTask room)
        {
            pushedBack = true;
            await room;
            pushedBack = false;
        }
    }

    private Heard Hear(ref ReadOnlySequence<byte> unread)
    {
        var enough = unread.Length - BurstOctets;
        isHeard = false;
        while (unread.Length > enough)
        {
            var cut = framer.Next(ref unread, out var type, out var body);
            if (cut == Cut.TooShort) return Heard.All;
            if (cut == Cut.Damaged) return Last(new Malformed(framer.Damage!));
            Counters.CountIn(type);
            var heard = sink == null ? Ask(type, body) : Deliver(type, body);
            if (heard != Heard.All) return heard;
        }
        return Heard.Burst;
    }

    private Heard Ask(MessageType type, ReadOnlySpan<byte> body)
    {
        if (type == MessageType.Notification) return Last(new NotificationReceived(NotificationCodec.Decode(body)));
        var question = type switch
        {
            MessageType.Open => Opened(body),
            MessageType.Keepalive => new KeepaliveReceived(),
            MessageType.Update => new UpdateReceived(),
            _ => new RefreshReceived(),
        };
        if (question is Malformed) return Last(question);
        tell(this, question);
        return Heard.Question;
    }

    private SessionEvent Opened(ReadOnlySpan<byte> body)
    {
        if (OpenCodec.Decode(body, out var open) is { } refusal) return new Malformed(refusal);
        var result = Negotiation.Agree(settings, Open, open!, Local, Remote);
        if (result.Agreed is not { } both) return new Malformed(result.Refusal!, result.Detail);
        framer.ExtendedMessages = both.ExtendedMessages;
        return new OpenReceived(both);
    }

    // What Fsm answers to these in Established is "stay, and restart the hold timer": that is what this does. One look at the clock is
    // enough for a burst: it takes a tenth of what an UPDATE does.
    private void Hear()
    {
        if (!isHeard) Volatile.Write(ref lastHeard, time.GetTimestamp());
        isHeard = true;
    }

    private Heard Deliver(MessageType type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case MessageType.Update:
                Hear();
                return Update(body);
            case MessageType.Keepalive:
                Hear();
                return Heard.All;
            case MessageType.RouteRefresh:
                return Refresh(body);
            case MessageType.Notification:
                return Last(new NotificationReceived(NotificationCodec.Decode(body)));
            default:
                return Last(new OpenReceived(agreed!));
        }
    }

    private Heard Update(ReadOnlySpan<byte> body)
    {
        var update = decoder!.Decode(body);
        if (update.Damage.Penalty != Penalty.None)
        {
            Counters.CountDamage(update.Damage.Penalty);
            damages.Add(update.Damage);
            if (update.Damage.Penalty == Penalty.SessionReset) return Last(new Malformed(update.Reset!, update.Damage.Expected));
        }
        if (update.Martians != default && !hasToldMartians)
        {
            hasToldMartians = true;
            log.Martian(settings.Name, update.Martian);
        }
        sink!.Receive(ref update);
        taken = true;
        return Heard.All;
    }

    private Heard Refresh(ReadOnlySpan<byte> body)
    {
        if (RouteRefreshCodec.Decode(body, out var refresh) is { } wrong) return Last(new Malformed(wrong));
        // RFC 7313 section 5: unknown subtypes are ignored; RFC 2918 section 4: so are families that were not agreed on.
        var known = refresh.Subtype is RouteRefresh.Request or RouteRefresh.BeginOfRefresh or RouteRefresh.EndOfRefresh;
        if (known && refresh.Family.TryUnicast(out var family)) sink!.TakeRefresh(family, refresh.Subtype);
        return Heard.All;
    }

    private Heard Last(SessionEvent end)
    {
        tell(this, end);
        return Heard.Last;
    }

    /// <summary>Octets that the kernel has for us; of a socket that is gone none.</summary>
    private static int Waiting(Socket socket)
    {
        try
        {
            return socket.Available;
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            return 0;
        }
    }

    private static Address AddressOf(EndPoint? end) => end is IPEndPoint ip ? Address.From(ip.Address) : default;
}
