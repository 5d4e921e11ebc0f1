using System.Net.Sockets;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// Listens to what others do to nf_tables. Of each notification only the table's name is read, and only ours matters; where some are
/// lost, ours may have been among them.
/// </summary>
internal sealed class NftWatch(NetlinkSocket socket, string[] tables, uint ownPort, Bell disturbed)
{
    /// <summary>NFNLGRP_NFTABLES.</summary>
    public const int GroupNumber = 7;

    /// <summary>The same as a bit.</summary>
    public const uint Group = 1 << (GroupNumber - 1);

    private readonly byte[] buffer = new byte[1 << 18];

    public async Task RunAsync(Loop loop, CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                loop.Rest();
                var isOurs = await IsOursAsync(stop).ConfigureAwait(false);
                loop.Beat();
                if (isOurs) disturbed.Ring();
            }
        }
        catch (Exception e)
            when (e is OperationCanceledException or ObjectDisposedException or SocketException && stop.IsCancellationRequested)
        { }
    }

    private async ValueTask<bool> IsOursAsync(CancellationToken stop)
    {
        try
        {
            return Concerns(buffer.AsSpan(0, await socket.ReceiveAsync(buffer, stop).ConfigureAwait(false)));
        }
        catch (SocketException lost) when (lost.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            return true;
        }
    }

    private bool Concerns(ReadOnlySpan<byte> datagram)
    {
        var messages = new NetlinkReader(datagram);
        while (messages.Next(out var header, out var body))
        {
            if (header.Port == ownPort || header.Type == NftMessage.NewGeneration || body.Length < NetfilterHeader.Octets) continue;
            var name = AttributeReader.Find(body[NetfilterHeader.Octets..], NftMessage.Table);
            if (body[0] == NftMessage.Inet && tables.Contains(AttributeReader.Text(name))) return true;
        }
        return false;
    }
}
