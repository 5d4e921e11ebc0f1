using System.Buffers;
using System.Net.Sockets;
using System.Threading.Channels;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel;

/// <summary>Notifications as they came, many in one buffer; without octets: some were lost before it.</summary>
internal readonly record struct WatchNews(byte[]? Octets, int Length);

/// <summary>
/// Listens to the kernel's notifications and hands them over in buffers. It is bounded: where the loop does not keep up (a long
/// reading), the socket's queue fills, the kernel drops and says ENOBUFS, and everything is read anew.
/// </summary>
internal sealed class KernelWatch(NetlinkSocket socket, Action wake)
{
    private const int BufferOctets = 1 << 16, LargestNotification = 1 << 15;

    private readonly Channel<WatchNews> news =
        Channel.CreateBounded<WatchNews>(new BoundedChannelOptions(256) { SingleReader = true, SingleWriter = true });

    public bool TryTake(out WatchNews item) => news.Reader.TryRead(out item);

    public static void Return(WatchNews item)
    {
        if (item.Octets != null) ArrayPool<byte>.Shared.Return(item.Octets);
    }

    public async Task RunAsync(Loop loop, CancellationToken stop)
    {
        try
        {
            socket.NeverBlock();
            while (!stop.IsCancellationRequested) await CollectAsync(loop, stop).ConfigureAwait(false);
        }
        catch (Exception e)
            when (e is OperationCanceledException or ObjectDisposedException or SocketException && stop.IsCancellationRequested)
        { }
    }

    /// <summary>
    /// Waits for one notification and takes what else is there. The news that some are lost goes behind all that had been queued before
    /// the loss, so that the reading it causes is newer than any of them.
    /// </summary>
    private async Task CollectAsync(Loop loop, CancellationToken stop)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferOctets);
        var length = 0;
        var lost = false;
        loop.Rest();
        try
        {
            length = NetlinkMessage.Align(await socket.ReceiveAsync(buffer, stop).ConfigureAwait(false));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            lost = true;
        }
        loop.Beat();
        while (true)
        {
            var count = socket.Receive(buffer.AsSpan(length), out var error);
            if (error == SocketError.NoBufferSpaceAvailable) { lost = true; continue; }
            if (error != SocketError.Success) break;
            length += NetlinkMessage.Align(count);
            if (buffer.Length - length >= LargestNotification) continue;
            await GiveAsync(loop, new(buffer, length), stop).ConfigureAwait(false);
            (buffer, length) = (ArrayPool<byte>.Shared.Rent(BufferOctets), 0);
        }
        await GiveAsync(loop, new(buffer, length), stop).ConfigureAwait(false);
        if (lost) await GiveAsync(loop, new(null, 0), stop).ConfigureAwait(false);
    }

    private async ValueTask GiveAsync(Loop loop, WatchNews item, CancellationToken stop)
    {
        if (!news.Writer.TryWrite(item)) await loop.WaitForAsync(news.Writer.WriteAsync(item, stop).AsTask()).ConfigureAwait(false);
        wake();
    }
}
