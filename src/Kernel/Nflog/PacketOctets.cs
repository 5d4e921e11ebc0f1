using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nflog;

/// <summary>A packet as it goes over the wire, from its network header on; whatever is missing at its end is not known.</summary>
internal static class PacketOctets
{
    public static bool TryRead(ReadOnlySpan<byte> octets, [NotNullWhen(true)] out Packet? packet)
    {
        packet = null;
        if (octets.IsEmpty) return false;
        packet = (octets[0] >> 4) switch
        {
            4 when octets.Length >= 20 => ReadIPv4(octets),
            6 when octets.Length >= 40 => ReadIPv6(octets),
            _ => null,
        };
        return packet != null;
    }

    private static Packet Begin(ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination) =>
        new(Address.FromOctets(source), Address.FromOctets(destination)) { State = null };

    /// <summary>RFC 791. Only a packet's first fragment has its ports.</summary>
    private static Packet ReadIPv4(ReadOnlySpan<byte> octets)
    {
        const ushort offsetBits = 0x1fff;
        var length = (octets[0] & 0xf) * 4;
        var isFirst = (BinaryPrimitives.ReadUInt16BigEndian(octets[6..]) & offsetBits) == 0;
        var transport = isFirst && length <= octets.Length ? octets[length..] : [];
        return ReadTransport(Begin(octets[12..16], octets[16..20]), octets[9], transport);
    }

    /// <summary>RFC 8200: behind the header, extensions that say what follows.</summary>
    private static Packet ReadIPv6(ReadOnlySpan<byte> octets)
    {
        const byte hopByHop = 0, routing = 43, fragment = 44, authentication = 51, options = 60;
        const ushort offsetBits = 0xfff8;
        var (packet, next) = (Begin(octets[8..24], octets[24..40]), octets[6]);
        var rest = octets[40..];
        while (next is hopByHop or routing or fragment or authentication or options)
        {
            if (rest.Length < 8) return packet;
            var isLater = next == fragment && (BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) & offsetBits) != 0;
            var length = next switch { fragment => 8, authentication => (rest[1] + 2) * 4, _ => (rest[1] + 1) * 8 };
            next = rest[0];
            rest = isLater || length > rest.Length ? [] : rest[length..];
        }
        return ReadTransport(packet, next, rest);
    }

    private static Packet ReadTransport(Packet packet, byte protocol, ReadOnlySpan<byte> transport)
    {
        packet = packet with { Protocol = (IpProtocol)protocol };
        return packet.Protocol switch
        {
            _ when transport.Length < 4 => packet,
            IpProtocol.Icmp or IpProtocol.Icmp6 => packet with { IcmpType = transport[0], IcmpCode = transport[1] },
            IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp or IpProtocol.UdpLite => packet with
            {
                SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport),
                DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport[2..]),
            },
            _ => packet,
        };
    }
}
