// Packets of our own making, for protocols that the kernel has no sockets for, or whose kinds are to be chosen: the token by which a
// packet is known again stands at its end.
using System.Buffers.Binary;
using System.Net;
using System.Numerics;

namespace Calico.Bgp.Conformance.Policy;

internal static class Wire
{
    public const int TokenOctets = 8;

    public static long? TokenOf(ReadOnlySpan<byte> packet) =>
        packet.Length < TokenOctets ? null : BinaryPrimitives.ReadInt64BigEndian(packet[^TokenOctets..]);

    public static byte[] Token(long token)
    {
        var octets = new byte[TokenOctets];
        BinaryPrimitives.WriteInt64BigEndian(octets, token);
        return octets;
    }

    /// <summary>Type, code, checksum, four octets that such requests have (identifier, number), token. Of ICMPv6 the kernel makes the
    /// checksum.</summary>
    public static byte[] Icmp(int type, int code, long token)
    {
        byte[] octets = [(byte)type, (byte)code, 0, 0, (byte)(token >> 8), (byte)token, 0, 0, .. Token(token)];
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(2), Checksum(octets));
        return octets;
    }

    /// <summary>An SCTP packet with an INIT chunk (RFC 9260 section 3.3.2), whose last parameter is unknown, and skipped.</summary>
    public static byte[] SctpInit(int sourcePort, int port, long token)
    {
        byte[] octets =
        [
            (byte)(sourcePort >> 8), (byte)sourcePort, (byte)(port >> 8), (byte)port, 0, 0, 0, 0, 0, 0, 0, 0,
            1, 0, 0, 32, 1, 2, 3, 4, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1,
            0xc0, 0x77, 0, 12, .. Token(token),
        ];
        BinaryPrimitives.WriteUInt32LittleEndian(octets.AsSpan(8), Crc32C(octets));
        return octets;
    }

    /// <summary>RFC 3828: the checksum is no choice, and covers all.</summary>
    public static byte[] UdpLite(IPAddress source, IPAddress to, int sourcePort, int port, long token)
    {
        byte[] octets = [(byte)(sourcePort >> 8), (byte)sourcePort, (byte)(port >> 8), (byte)port, 0, 0, 0, 0, .. Token(token)];
        byte[] pseudo = [.. source.GetAddressBytes(), .. to.GetAddressBytes(), 0, (byte)octets.Length, 0, Protocols.UdpLite];
        var sum = Checksum([.. pseudo, .. octets]);
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(6), sum == 0 ? (ushort)0xffff : sum);
        return octets;
    }

    private static ushort Checksum(ReadOnlySpan<byte> octets)
    {
        var sum = 0u;
        for (var at = 0; at < octets.Length; at += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(octets[at..]);
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }

    private static uint Crc32C(ReadOnlySpan<byte> octets)
    {
        var crc = uint.MaxValue;
        foreach (var octet in octets) crc = BitOperations.Crc32C(crc, octet);
        return ~crc;
    }
}
