using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>A segment of TCP from the middle of a connection (ACK, one octet of data), whether there is one or not.</summary>
internal static class Segment
{
    private const int HeaderOctets = 20, ProtocolNumber = (int)ProtocolType.Tcp;

    public static async Task SendAsync(Netns from, IPEndPoint source, IPEndPoint destination)
    {
        using var socket = from.Inside(() => Netns.RawSocket(source.AddressFamily, ProtocolNumber));
        socket.Bind(new IPEndPoint(source.Address, 0));
        await socket.SendToAsync(Octets(source, destination), new IPEndPoint(destination.Address, 0));
    }

    /// <summary>RFC 9293, section 3.1.</summary>
    private static byte[] Octets(IPEndPoint source, IPEndPoint destination)
    {
        const byte push = 0x08, acknowledges = 0x10;
        var octets = new byte[HeaderOctets + 1];
        BinaryPrimitives.WriteUInt16BigEndian(octets, (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(2), (ushort)destination.Port);
        BinaryPrimitives.WriteUInt32BigEndian(octets.AsSpan(4), 1000); // sequence number
        BinaryPrimitives.WriteUInt32BigEndian(octets.AsSpan(8), 2000); // acknowledgement
        (octets[12], octets[13]) = (HeaderOctets / 4 << 4, push | acknowledges);
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(14), 1024); // window
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(16), Checksum(
            [.. source.Address.GetAddressBytes(), .. destination.Address.GetAddressBytes(), 0, ProtocolNumber, 0, (byte)octets.Length,
            .. octets]));
        return octets;
    }

    /// <summary>Over the pseudo header, too; that of IPv6 has the same sum (RFC 8200, section 8.1).</summary>
    private static ushort Checksum(ReadOnlySpan<byte> octets)
    {
        var sum = 0u;
        for (var i = 0; i < octets.Length; i++) sum += i % 2 == 0 ? (uint)octets[i] << 8 : octets[i];
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }
}
