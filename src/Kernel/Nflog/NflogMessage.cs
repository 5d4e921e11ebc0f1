using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;

namespace Calico.Bgp.Kernel.Nflog;

/// <summary>What the kernel tells of one packet; interfaces by number, 0: none.</summary>
/// <param name="Sequence">Counts what the kernel has logged to the group, told or lost.</param>
internal sealed record NflogEntry(string Prefix, NftHookPoint Place, Packet Packet, int In, int Out, uint Sequence);

/// <summary>The messages of nfnetlink_log (linux/netfilter/nfnetlink_log.h).</summary>
internal static class NflogMessage
{
    private const ushort Subsystem = 4 << 8;
    public const ushort Logged = Subsystem, Config = Subsystem | 1;

    /// <summary>Headers of IPv6 with extensions before the ports; what is behind them nobody reads.</summary>
    private const uint MostOctets = 256;

    /// <summary>How long the kernel gathers packets before it tells them, in hundredths of a second.</summary>
    private const uint Patience = 10;

    /// <summary>From now on the group's packets are told to this socket, each with its number.</summary>
    public static NetlinkMessage Bind(ushort group)
    {
        const byte bind = 1, packet = 2;
        const ushort numbered = 1;
        var message = new NetlinkMessage(Config, NetlinkFlags.Request | NetlinkFlags.Ack)
            .Header(new NetfilterHeader(0, 0, BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(group) : group));
        Span<byte> mode = stackalloc byte[6];
        BinaryPrimitives.WriteUInt32BigEndian(mode, MostOctets);
        mode[4] = packet;
        return message.Attribute(1, [bind]).Attribute(2, mode)                             // CFG_CMD, CFG_MODE
            .BigEndian(4, Patience).Attribute(6, NftOctets.Of(numbered).Span);             // CFG_TIMEOUT, CFG_FLAGS
    }

    /// <summary>False for what is no packet of IP.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, [NotNullWhen(true)] out NflogEntry? entry)
    {
        entry = null;
        if (body.Length < NetfilterHeader.Octets) return false;
        var attributes = body[NetfilterHeader.Octets..];
        var header = AttributeReader.Find(attributes, 1);                                  // PACKET_HDR: protocol, hook
        if (header.Length < 3 || !PacketOctets.TryRead(AttributeReader.Find(attributes, 9), out var packet)) return false; // PAYLOAD
        entry = new(AttributeReader.Text(AttributeReader.Find(attributes, 10)), (NftHookPoint)header[2],                   // PREFIX
            packet with { Mark = AttributeReader.BigEndian(AttributeReader.Find(attributes, 2)) },                        // MARK
            (int)AttributeReader.BigEndian(AttributeReader.Find(attributes, 4)),                                          // IFINDEX_INDEV
            (int)AttributeReader.BigEndian(AttributeReader.Find(attributes, 5)),                                          // IFINDEX_OUTDEV
            AttributeReader.BigEndian(AttributeReader.Find(attributes, 12)));                                             // SEQ
        return true;
    }
}
