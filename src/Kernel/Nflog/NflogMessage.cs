using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nfqueue;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;

namespace Calico.Bgp.Kernel.Nflog;

/// <summary>What the kernel tells of one packet; interfaces by number, 0: none.</summary>
/// <param name="Sequence">Counts what the kernel has logged to the group, told or lost.</param>
internal sealed record NflogEntry(string Prefix, NftHookPoint Place, Packet Packet, int In, int Out, uint Sequence, AskedEnd? Asked = null);

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
    /// <param name="withConnections">And with its connection, which not every kernel can (CONFIG_NETFILTER_NETLINK_GLUE_CT).</param>
    public static NetlinkMessage Bind(ushort group, bool withConnections)
    {
        const ushort numbered = 1, connections = 2;
        var flags = (ushort)(withConnections ? numbered | connections : numbered);
        return Bind(group, MostOctets)
            .BigEndian(4, Patience).Attribute(6, NftOctets.Of(flags).Span);                // CFG_TIMEOUT, CFG_FLAGS
    }

    /// <summary>The same of whole packets, each as soon as it comes.</summary>
    public static NetlinkMessage BindWhole(ushort group)
    {
        const uint whole = 0xffff, atOnce = 1;
        return Bind(group, whole).BigEndian(5, atOnce);                                    // CFG_QTHRESH
    }

    private static NetlinkMessage Bind(ushort group, uint octets)
    {
        const byte bind = 1, packet = 2;
        Span<byte> mode = stackalloc byte[6];
        BinaryPrimitives.WriteUInt32BigEndian(mode, octets);
        mode[4] = packet;
        return Ring(group).Attribute(1, [bind]).Attribute(2, mode);                        // CFG_CMD, CFG_MODE
    }

    /// <summary>Asks for nothing, and is answered.</summary>
    public static NetlinkMessage Ring(ushort group) => new NetlinkMessage(Config, NetlinkFlags.Request | NetlinkFlags.Ack)
        .Header(new NetfilterHeader(0, 0, BigEndian(group)));

    private static ushort BigEndian(ushort number) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(number) : number;

    /// <summary>A copy, with its group as the queue. False for what is no packet.</summary>
    public static bool TryReadCopy(ReadOnlySpan<byte> body, out QueuedPacket packet)
    {
        packet = default;
        if (body.Length < NetfilterHeader.Octets) return false;
        var attributes = body[NetfilterHeader.Octets..];
        var header = AttributeReader.Find(attributes, 1);                                  // PACKET_HDR: protocol, hook
        if (header.Length < 3) return false;
        packet = new()
        {
            Ticket = new(BigEndian(MemoryMarshal.Read<NetfilterHeader>(body).Resource), 0),
            Place = (NftHookPoint)header[2],
            In = (int)AttributeReader.BigEndian(AttributeReader.Find(attributes, 4)),      // IFINDEX_INDEV
            Out = (int)AttributeReader.BigEndian(AttributeReader.Find(attributes, 5)),     // IFINDEX_OUTDEV
            Octets = AttributeReader.Find(attributes, 9),                                  // PAYLOAD
        };
        return true;
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
            AttributeReader.BigEndian(AttributeReader.Find(attributes, 12)), AskedOf(attributes, packet));                // SEQ
        return true;
    }

    /// <summary>Null: the connection is not told, its packets go where their client sends them, or it is one of its answers.</summary>
    private static AskedEnd? AskedOf(ReadOnlySpan<byte> attributes, Packet packet)
    {
        const uint answers = 3;                                                            // IP_CT_IS_REPLY, and those behind it
        var connection = AttributeReader.Find(attributes, 18);                             // CT
        if (connection.IsEmpty || AttributeReader.BigEndian(AttributeReader.Find(attributes, 19)) >= answers // CT_INFO
            || !ConnectionMessage.TryReadAsked(connection, packet.Destination.Family, out var to, out var port)) return null;
        return to == packet.Destination && (port ?? packet.DestinationPort) == packet.DestinationPort ? null : new(to, port);
    }
}
