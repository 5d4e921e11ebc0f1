using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Threading.Channels;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>
/// Hears of connections whose packets leave with another source than they came with. The kernel makes no packet wait for that. What comes
/// faster than it can be heard it drops and counts, and of what nobody reads in time no more than a bounded number is kept; both are
/// counted here.
/// </summary>
/// <param name="groups">Which of the kernel's news, each as a bit.</param>
public abstract class ConnectionNews<T>(Loops loops, uint groups) : IAsyncDisposable
{
    private const int MostWaiting = 16384, Buffer = 8 << 20;

    private readonly Channel<T> news =
        Channel.CreateBounded<T>(new BoundedChannelOptions(MostWaiting) { SingleWriter = true });
    private readonly CancellationTokenSource stopping = new();
    private readonly byte[] buffer = new byte[1 << 17];
    private NetlinkSocket? socket;
    private Loop? loop;
    private long unread;
    private uint dropped;

    /// <summary>In the order of the kernel's; it ends when the listener does.</summary>
    protected ChannelReader<T> News => news.Reader;

    /// <summary>How much there was that nobody will read of.</summary>
    public long Lost => Interlocked.Read(ref unread) + Volatile.Read(ref dropped);

    /// <summary>Of what comes through that socket it does not tell (nlmsg_pid); 0: of all.</summary>
    public Func<uint> NotOf { get; init; } = () => 0;

    /// <summary>Starts in the network namespace of the calling thread.</summary>
    /// <exception cref="Win32Exception">The kernel gives no netlink socket.</exception>
    public void Start()
    {
        socket = new(groups, Buffer, NetlinkProtocol.Netfilter);
        // Where the filter is refused, whoever reads passes over the rest.
        socket.HearTranslatedSources();
        loop = loops.Start("connections", OnDefect.StartAgain, RunAsync, stop: stopping.Token);
    }

    private protected abstract bool TryRead(in NetlinkHeader header, ReadOnlySpan<byte> body, [MaybeNullWhen(false)] out T one);

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
            if ((header.Port != 0 && header.Port == NotOf()) || !TryRead(header, body, out var one)) continue;
            if (!news.Writer.TryWrite(one)) Interlocked.Increment(ref unread);
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
        news.Writer.TryComplete();
        stopping.Dispose();
        GC.SuppressFinalize(this);
    }
}
