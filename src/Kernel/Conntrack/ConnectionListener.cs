using System.ComponentModel;
using System.Net.Sockets;
using System.Threading.Channels;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>
/// Hears of connections that begin with another source than they came with, each once: the kernel tells of one when its first packet has
/// passed, and so with what it was translated to. It makes no packet wait. What comes faster than it can be heard the kernel drops and
/// counts, and of what nobody reads in time no more than a bounded number is kept; both are counted here.
/// </summary>
public sealed class ConnectionListener(Loops loops) : IAsyncDisposable
{
    private const int MostWaiting = 16384, Buffer = 8 << 20;

    private readonly Channel<TrackedConnection> begun =
        Channel.CreateBounded<TrackedConnection>(new BoundedChannelOptions(MostWaiting) { SingleWriter = true });
    private readonly CancellationTokenSource stopping = new();
    private readonly byte[] buffer = new byte[1 << 17];
    private NetlinkSocket? socket;
    private Loop? loop;
    private long unread;
    private uint dropped;

    /// <summary>In the order in which they have begun; it ends when the listener does.</summary>
    public ChannelReader<TrackedConnection> Begun => begun.Reader;

    /// <summary>How many have begun that nobody will read of.</summary>
    public long Lost => Interlocked.Read(ref unread) + Volatile.Read(ref dropped);

    /// <summary>Starts in the network namespace of the calling thread.</summary>
    /// <exception cref="Win32Exception">The kernel gives no netlink socket.</exception>
    public void Start()
    {
        socket = new(1 << (ConnectionMessage.BegunGroup - 1), Buffer, NetlinkProtocol.Netfilter);
        // Where the filter is refused, whoever reads passes over the rest.
        socket.HearTranslatedSources();
        loop = loops.Start("connections", OnDefect.StartAgain, RunAsync, stop: stopping.Token);
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

    /// <summary>What did not fit the kernel says once, and has counted.</summary>
    private async ValueTask<int> ReceiveAsync()
    {
        try
        {
            return await socket!.ReceiveAsync(buffer, stopping.Token).ConfigureAwait(false);
        }
        catch (SocketException full) when (full.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            Volatile.Write(ref dropped, socket!.Dropped ?? dropped + 1);
            return 0;
        }
    }

    private void Hear(ReadOnlySpan<byte> datagram)
    {
        var messages = new NetlinkReader(datagram);
        while (messages.Next(out var header, out var body))
        {
            if (!ConnectionMessage.IsBegun(header) || !ConnectionMessage.TryRead(body, out var connection, out var name)
                || !connection.SourceTranslated) continue;
            var one = new TrackedConnection(connection, name, ConnectionMessage.ReadState(body, name));
            if (!begun.Writer.TryWrite(one)) Interlocked.Increment(ref unread);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        if (socket is { } heard)
        {
            Volatile.Write(ref dropped, heard.Dropped ?? dropped);
            heard.Dispose();
        }
        if (loop != null) await loop.Ended.ConfigureAwait(false);
        begun.Writer.TryComplete();
        stopping.Dispose();
    }
}
