using System.ComponentModel;
using System.Net.Sockets;
using System.Threading.Channels;
using Calico.Bgp.Kernel.Links;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Nflog;

/// <summary>
/// Hears what rules log to one group. It never makes packets wait, nor keeps more of them than a bounded number: what nobody reads in
/// time, and what comes faster than it can be heard, is counted and lost.
/// </summary>
public sealed class NflogListener(Loops loops, TimeProvider clock) : IAsyncDisposable
{
    private const int MostWaiting = 4096, Buffer = 4 << 20;

    private readonly Channel<LoggedPacket> packets =
        Channel.CreateBounded<LoggedPacket>(new BoundedChannelOptions(MostWaiting) { SingleWriter = true });
    private readonly CancellationTokenSource stopping = new();
    private readonly byte[] buffer = new byte[1 << 17];
    private readonly Dictionary<int, string?> names = [];
    private NetlinkSocket? socket, links;
    private Loop? loop;
    private uint? last;
    private long lost;

    /// <summary>In the order in which rules have logged them; it ends when the listener does.</summary>
    public ChannelReader<LoggedPacket> Packets => packets.Reader;

    /// <summary>How many were logged that nobody will read.</summary>
    public long Lost => Interlocked.Read(ref lost);

    /// <summary>Starts in the network namespace of the calling thread.</summary>
    /// <exception cref="Win32Exception">
    /// The kernel gives no netlink socket, or not this group: another has it, or we may not (EPERM), or it has no such log (EINVAL: it
    /// lacks CONFIG_NETFILTER_NETLINK_LOG).
    /// </exception>
    public void Start(ushort group)
    {
        socket = new(0, Buffer, NetlinkProtocol.Netfilter);
        links = new(0, 1 << 16);
        if (!TryBind(group, withConnections: true) && !TryBind(group, withConnections: false))
            throw new Win32Exception(EOPNOTSUPP, $"the log of group {group} is not to be had: EOPNOTSUPP");
        loop = loops.Start("nflog", OnDefect.StartAgain, RunAsync, stop: stopping.Token);
    }

    /// <returns>False: the kernel has not what was asked for with it.</returns>
    private bool TryBind(ushort group, bool withConnections)
    {
        var number = socket!.Sequences(1);
        if (socket.Send(NflogMessage.Bind(group, withConnections).Numbered(number).Span) is not SocketError.Success and var failed)
            throw new Win32Exception((int)failed, $"the log of group {group} cannot be asked for: {failed}");
        while (true)
        {
            var count = socket.Receive(buffer, out var error);
            if (error != SocketError.Success) throw new Win32Exception((int)error, $"the log of group {group} is not to be had: {error}");
            var messages = new NetlinkReader(buffer.AsSpan(0, count));
            while (messages.Next(out var header, out var body))
            {
                if (header.Sequence != number || header.Type != MessageType.Error) continue;
                var answer = new NetlinkAnswer(header, body);
                if (answer.Errno == EOPNOTSUPP) return false;
                if (answer.Errno != 0)
                    throw new Win32Exception(answer.Errno, $"the log of group {group} is not to be had: {answer.Words}");
                return true;
            }
        }
    }

    private async Task RunAsync(Loop loop)
    {
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                loop.Rest();
                var count = await ReceiveAsync().ConfigureAwait(false);
                loop.Beat();
                Hear(buffer.AsSpan(0, count));
            }
        }
        catch (Exception e) when (stopping.IsCancellationRequested && e is OperationCanceledException or ObjectDisposedException
            or SocketException)
        { }
    }

    /// <summary>What the kernel could not queue it says so of; how many that were, the next one's number tells.</summary>
    private async ValueTask<int> ReceiveAsync()
    {
        try
        {
            return await socket!.ReceiveAsync(buffer, stopping.Token).ConfigureAwait(false);
        }
        catch (SocketException full) when (full.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            return 0;
        }
    }

    private void Hear(ReadOnlySpan<byte> datagram)
    {
        names.Clear(); // they may be others the next time
        var messages = new NetlinkReader(datagram);
        while (messages.Next(out var header, out var body))
            if (header.Type == NflogMessage.Logged && NflogMessage.TryRead(body, out var entry)) Hear(entry);
    }

    private void Hear(NflogEntry entry)
    {
        if (last is { } before) Interlocked.Add(ref lost, entry.Sequence - before - 1);
        last = entry.Sequence;
        var packet = entry.Packet with { In = NameOf(entry.In), Out = NameOf(entry.Out) };
        var told = new LoggedPacket(clock.GetUtcNow(), entry.Prefix, entry.Place, packet) { Asked = entry.Asked };
        if (!packets.Writer.TryWrite(told)) Interlocked.Increment(ref lost);
    }

    private string? NameOf(int index)
    {
        if (index == 0) return null;
        if (!names.TryGetValue(index, out var name)) names[index] = name = AskName(index);
        return name;
    }

    /// <summary>Null: it has gone.</summary>
    private string? AskName(int index)
    {
        var number = links!.Sequences(1);
        var answer = new byte[1 << 14];
        if (links.Send(LinkMessage.Ask(index).Numbered(number).Span) != SocketError.Success) return null;
        var count = links.Receive(answer, out var error);
        var messages = new NetlinkReader(answer.AsSpan(0, error == SocketError.Success ? count : 0));
        while (messages.Next(out var header, out var body))
            if (header.Sequence == number && header.Type == MessageType.NewLink && LinkMessage.TryRead(body, out var link))
                return link.Name;
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        socket?.Dispose();
        if (loop != null) await loop.Ended.ConfigureAwait(false);
        links?.Dispose();
        packets.Writer.TryComplete();
    }
}
