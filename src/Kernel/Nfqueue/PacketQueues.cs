using System.ComponentModel;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nflog;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nfqueue;

/// <summary>
/// Listens to queues of packets: they wait in the kernel until their verdict. At most a bounded number waits; what comes beyond that, and
/// what comes faster than it can be heard, goes on without a verdict, as all do while nobody listens; or is dropped, as the queue says.
/// Where the kernel has no queues, it listens to copies (NFLOG) of packets that go on at once: verdicts on these mean nothing.
/// </summary>
/// <remarks>Packets of all its queues are told in the order in which they came, each by a message of its own. A turn is all that wait at a
/// time: so many verdicts go out in one call, and what the reader does for several packets he does once.</remarks>
public sealed class PacketQueues(string name, Loops loops, QueueWay way = QueueWay.Target) : IAsyncDisposable
{
    private const int Buffer = 8 << 20, MostInTurn = 64;

    /// <summary>A whole packet and the attributes before it.</summary>
    private readonly byte[] buffer = new byte[(1 << 16) + 4096];
    private NetlinkSocket? socket;
    private IQueueReader? reader;
    private Loop? loop;
    private PacketQueue[] queues = [];
    /// <summary>Of each queue the packet that was told last.</summary>
    private uint[] last = [];
    private volatile bool isEnding;

    private bool AreCopies => way == QueueWay.Copies;

    /// <summary>Starts in the network namespace of the calling thread.</summary>
    /// <exception cref="Win32Exception">
    /// The kernel gives no netlink socket, or not these queues: another has one, or we may not (EPERM), or it knows no queues (EINVAL: it
    /// lacks CONFIG_NETFILTER_NETLINK_QUEUE).
    /// </exception>
    public void Start(IQueueReader by, params ReadOnlySpan<PacketQueue> some)
    {
        (queues, last, reader) = (some.ToArray(), new uint[some.Length], by);
        socket = new(0, Buffer, NetlinkProtocol.Netfilter);
        foreach (var queue in some) Bind(queue);
        // What a hostile packet finds must not end what else the process does.
        loop = loops.StartThread(name, OnDefect.StartAgain, Run);
    }

    private void Bind(in PacketQueue queue)
    {
        var number = socket!.Sequences(1);
        var bind = AreCopies ? NflogMessage.BindWhole(queue.Number) : QueueMessage.Bind(queue);
        if (socket.Send(bind.Numbered(number).Span) is not SocketError.Success and var failed)
            throw new Win32Exception((int)failed, $"queue {queue.Number} cannot be asked for: {failed}");
        while (true)
        {
            var count = socket.Receive(buffer, out var error);
            if (error != SocketError.Success) throw new Win32Exception((int)error, $"queue {queue.Number} is not to be had: {error}");
            var messages = new NetlinkReader(buffer.AsSpan(0, count));
            while (messages.Next(out var header, out var body))
            {
                if (header.Sequence != number || header.Type != MessageType.Error) continue;
                var answer = new NetlinkAnswer(header, body);
                if (answer.Errno == 0) return;
                throw new Win32Exception(answer.Errno, $"queue {queue.Number} is not to be had: {answer.Words}");
            }
        }
    }

    private void Run(Loop turns)
    {
        // After a defect, some that were told have no verdict and would wait for ever.
        DecideAll();
        reader!.BeginAgain();
        while (!isEnding)
        {
            turns.Rest();
            var count = socket!.Receive(buffer, out var error);
            turns.Beat();
            // What did not find room in the socket has gone on.
            if (error == SocketError.NoBufferSpaceAvailable) continue;
            if (error != SocketError.Success) throw new SocketException((int)error);
            for (var told = 0; count > 0; count = ++told < MostInTurn ? socket.ReceiveWaiting(buffer) : 0) Read(buffer.AsSpan(0, count));
            reader.EndTurn();
        }
    }

    private void Read(ReadOnlySpan<byte> datagram)
    {
        var messages = new NetlinkReader(datagram);
        while (messages.Next(out var header, out var body))
        {
            if (!TryRead(header.Type, body, out var packet)) continue;
            last[IndexOf(packet.Ticket.Queue)] = packet.Ticket.Id;
            reader!.Read(packet);
        }
    }

    private static bool TryRead(ushort type, ReadOnlySpan<byte> body, out QueuedPacket packet)
    {
        packet = default;
        return type == QueueMessage.Queued ? QueueMessage.TryRead(body, out packet)
            : type == NflogMessage.Logged && NflogMessage.TryReadCopy(body, out packet);
    }

    private int IndexOf(ushort number)
    {
        for (var i = 0; i < queues.Length; i++)
            if (queues[i].Number == number) return i;
        throw new InvalidOperationException($"a packet of queue {number} has come, which is not listened to");
    }

    private void DecideAll()
    {
        for (var i = 0; i < queues.Length; i++)
            if (last[i] != 0) socket!.Send(QueueMessage.DecideUpTo(queues[i].Number, queues[i].Otherwise, last[i]).Numbered(0).Span);
    }

    /// <summary>Of packets that it has told, each once. Thread-safe; one that has gone is passed over, as at the end all have.</summary>
    public void Decide(QueueVerdict verdict, ReadOnlySpan<QueueTicket> tickets)
    {
        if (AreCopies) return;
        const int mostAtOnce = 64;
        Span<byte> messages = stackalloc byte[mostAtOnce * QueueMessage.VerdictOctets];
        while (!tickets.IsEmpty)
        {
            var count = Math.Min(tickets.Length, mostAtOnce);
            for (var i = 0; i < count; i++)
                QueueMessage.WriteVerdict(messages[(i * QueueMessage.VerdictOctets)..], verdict, tickets[i]);
            Send(messages[..(count * QueueMessage.VerdictOctets)]);
            tickets = tickets[count..];
        }
    }

    private void Send(ReadOnlySpan<byte> messages)
    {
        try
        {
            socket!.Send(messages);
        }
        catch (ObjectDisposedException) when (isEnding) { }
    }

    /// <summary>The reader has a turn soon, whether packets wait or not. Thread-safe.</summary>
    public void Ring() =>
        Send((AreCopies ? NflogMessage.Ring(queues[0].Number) : QueueMessage.Ring(queues[0].Number)).Numbered(0).Span);

    /// <summary>What waits goes on, or meets its chain again.</summary>
    public async ValueTask DisposeAsync()
    {
        isEnding = true;
        if (loop != null)
        {
            Ring();
            await loop.Ended.ConfigureAwait(false);
        }
        // The kernel drops what waits in a queue that is given back.
        DecideAll();
        // A child of this process has the socket, too, until it has begun its own program: closing it is not enough.
        if (socket != null && !AreCopies)
            foreach (var queue in queues) socket.Send(QueueMessage.Unbind(queue.Number).Numbered(0).Span);
        socket?.Dispose();
    }
}
