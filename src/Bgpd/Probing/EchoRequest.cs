using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bgpd.Probing;

/// <summary>ICMP's echo (RFC 792, RFC 4443 section 4): a question, and the answer to it.</summary>
internal static class EchoRequest
{
    private const byte Ask4 = 8, Answer4 = 0, Ask6 = 128, Answer6 = 129;
    private const int Octets = 16;

    /// <returns>It has answered in time.</returns>
    public static async Task<bool> AskAsync(Address target, uint mark, TimeSpan patience, CancellationToken stop)
    {
        using var within = CancellationTokenSource.CreateLinkedTokenSource(stop);
        within.CancelAfter(patience);
        var to = new IPEndPoint(IPAddress.Parse($"{target}"), 0);
        try
        {
            using var socket = new Socket(to.AddressFamily, SocketType.Raw, target.IsIPv4 ? ProtocolType.Icmp : ProtocolType.IcmpV6);
            Marked.Set(socket, mark);
            // Raw sockets hear everybody's answers: of those that come, only the target's.
            await socket.ConnectAsync(to, within.Token).ConfigureAwait(false);
            var token = (ulong)Random.Shared.NextInt64();
            await socket.SendAsync(Write(target.IsIPv4, token), within.Token).ConfigureAwait(false);
            var answer = new byte[1500];
            while (true)
            {
                var count = await socket.ReceiveAsync(answer, within.Token).ConfigureAwait(false);
                if (Answers(answer.AsSpan(0, count), target.IsIPv4, token)) return true;
            }
        }
        catch (Exception silent) when (!stop.IsCancellationRequested && silent is SocketException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Of ICMPv6 the kernel makes the checksum, which covers addresses too.</summary>
    internal static byte[] Write(bool isIPv4, ulong token)
    {
        var message = new byte[Octets];
        message[0] = isIPv4 ? Ask4 : Ask6;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(4), (ushort)token);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(6), 1);
        BinaryPrimitives.WriteUInt64BigEndian(message.AsSpan(8), token);
        if (isIPv4) BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), Checksum(message));
        return message;
    }

    /// <summary>RFC 1071.</summary>
    private static ushort Checksum(ReadOnlySpan<byte> octets)
    {
        uint sum = 0;
        for (var i = 0; i < octets.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(octets[i..]);
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }

    /// <summary>Of IPv4 the socket tells the packet's header, too.</summary>
    internal static bool Answers(ReadOnlySpan<byte> datagram, bool isIPv4, ulong token)
    {
        if (isIPv4) datagram = datagram.Length > 0 && (datagram[0] & 0xf) * 4 is var header && header <= datagram.Length
            ? datagram[header..] : default;
        return datagram.Length >= Octets && datagram[0] == (isIPv4 ? Answer4 : Answer6)
            && BinaryPrimitives.ReadUInt64BigEndian(datagram[8..]) == token;
    }
}

/// <summary>A socket whose packets carry a mark, by which rules know whose they are.</summary>
internal static class Marked
{
    private const int SocketLevel = 1, MarkOption = 36; // SOL_SOCKET, SO_MARK

    public static void Set(Socket socket, uint mark)
    {
        if (mark != 0) socket.SetRawSocketOption(SocketLevel, MarkOption, BitConverter.GetBytes(mark));
    }
}
