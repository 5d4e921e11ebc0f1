using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Calico.Bgp.Kernel.Netlink;

/// <summary>How a dump ended. An interrupted one may lack entries that the table held all the time, so it is taken again.</summary>
internal enum DumpEnd : byte { Complete, Interrupted, Refused }

internal delegate void DumpEntry(in NetlinkHeader header, ReadOnlySpan<byte> body);

/// <summary>Reads whole tables, on a socket of its own, into one buffer.</summary>
internal sealed class NetlinkDump(NetlinkSocket socket)
{
    private readonly byte[] buffer = new byte[1 << 18];

    /// <param name="errno">The kernel's, when it refused.</param>
    /// <param name="isEnough">Asked after each datagram: the rest is left with the kernel, and the socket good for nothing more.</param>
    public DumpEnd Read(NetlinkMessage request, DumpEntry entry, out int errno, Func<bool>? isEnough = null)
    {
        errno = 0;
        var sequence = socket.Sequences(1);
        if (socket.Send(request.Numbered(sequence).Span) != SocketError.Success) return DumpEnd.Interrupted;
        var interrupted = false;
        while (true)
        {
            var count = socket.Receive(buffer, out var error);
            if (error != SocketError.Success) return DumpEnd.Interrupted;
            if (Walk(buffer.AsSpan(0, count), sequence, entry, ref interrupted, ref errno)) break;
            if (isEnough?.Invoke() == true) return DumpEnd.Interrupted;
        }
        return errno != 0 ? DumpEnd.Refused : interrupted ? DumpEnd.Interrupted : DumpEnd.Complete;
    }

    /// <summary>True when the dump's end has come.</summary>
    private static bool Walk(ReadOnlySpan<byte> datagram, uint sequence, DumpEntry entry, ref bool interrupted, ref int errno)
    {
        var messages = new NetlinkReader(datagram);
        while (messages.Next(out var header, out var body))
        {
            if (header.Sequence != sequence) continue;
            interrupted |= (header.Flags & NetlinkFlags.DumpInterrupted) != 0;
            if (header.Type is MessageType.Done or MessageType.Error)
            {
                errno = MemoryMarshal.TryRead(body, out int result) ? -result : 0;
                return true;
            }
            entry(header, body);
        }
        return false;
    }
}
