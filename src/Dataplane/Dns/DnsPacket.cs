using System.Buffers.Binary;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>A packet as it waits in a queue, as far as what carries the DNS over UDP or TCP goes (RFC 791, 8200, 768, 9293). Fragments do
/// not come: connection tracking puts them together first.</summary>
internal readonly ref struct DnsPacket
{
    private const byte Tcp = 6, Udp = 17;
    private const byte Fin = 1, Syn = 2, Rst = 4;

    public Address Source { get; private init; }
    public Address Destination { get; private init; }
    public ushort SourcePort { get; private init; }
    public ushort DestinationPort { get; private init; }
    public bool IsTcp { get; private init; }

    /// <summary>Of a segment.</summary>
    public uint Sequence { get; private init; }
    public bool IsSyn { get; private init; }
    public bool Ends { get; private init; }

    /// <summary>What UDP or TCP carries.</summary>
    public ReadOnlySpan<byte> Data { get; private init; }

    /// <returns>False: it carries neither, or is cut off.</returns>
    public static bool TryRead(ReadOnlySpan<byte> octets, out DnsPacket packet)
    {
        packet = default;
        if (octets.IsEmpty) return false;
        return (octets[0] >> 4) switch
        {
            4 when octets.Length >= 20 => TryReadIPv4(octets, out packet),
            6 when octets.Length >= 40 => TryReadIPv6(octets, out packet),
            _ => false,
        };
    }

    private static bool TryReadIPv4(ReadOnlySpan<byte> octets, out DnsPacket packet)
    {
        packet = default;
        var (header, total) = ((octets[0] & 0xf) * 4, BinaryPrimitives.ReadUInt16BigEndian(octets[2..]));
        // What the kernel has put together may be longer than the field can say (then it is 0).
        if (total >= header && total < octets.Length) octets = octets[..total];
        if (header < 20 || header > octets.Length || (BinaryPrimitives.ReadUInt16BigEndian(octets[6..]) & 0x3fff) != 0) return false;
        return TryReadTransport(octets[12..16], octets[16..20], octets[9], octets[header..], out packet);
    }

    private static bool TryReadIPv6(ReadOnlySpan<byte> octets, out DnsPacket packet)
    {
        const byte hopByHop = 0, routing = 43, options = 60;
        packet = default;
        var next = octets[6];
        var rest = octets[40..];
        while (next is hopByHop or routing or options)
        {
            if (rest.Length < 8 || (rest[1] + 1) * 8 > rest.Length) return false;
            next = rest[0];
            rest = rest[((rest[1] + 1) * 8)..];
        }
        return TryReadTransport(octets[8..24], octets[24..40], next, rest, out packet);
    }

    private static bool TryReadTransport(
        ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination, byte protocol, ReadOnlySpan<byte> octets, out DnsPacket packet)
    {
        packet = default;
        var least = protocol switch { Udp => 8, Tcp => 20, _ => int.MaxValue };
        if (octets.Length < least) return false;
        var header = protocol == Udp ? 8 : (octets[12] >> 4) * 4;
        if (header < least || header > octets.Length) return false;
        var length = protocol == Udp ? BinaryPrimitives.ReadUInt16BigEndian(octets[4..]) : octets.Length;
        if (length < header || length > octets.Length) return false;
        packet = new()
        {
            Source = Address.FromOctets(source),
            Destination = Address.FromOctets(destination),
            SourcePort = BinaryPrimitives.ReadUInt16BigEndian(octets),
            DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(octets[2..]),
            IsTcp = protocol == Tcp,
            Sequence = protocol == Tcp ? BinaryPrimitives.ReadUInt32BigEndian(octets[4..]) : 0,
            IsSyn = protocol == Tcp && (octets[13] & Syn) != 0,
            Ends = protocol == Tcp && (octets[13] & (Fin | Rst)) != 0,
            Data = octets[header..length],
        };
        return true;
    }
}
