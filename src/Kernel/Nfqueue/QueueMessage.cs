using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Kernel.Nfqueue;

/// <summary>The messages of nfnetlink_queue (linux/netfilter/nfnetlink_queue.h).</summary>
internal static class QueueMessage
{
    private const ushort Subsystem = 3 << 8;
    public const ushort Queued = Subsystem, Config = Subsystem | 2;
    private const ushort Verdict = Subsystem | 1, VerdictBatch = Subsystem | 3;

    public const int VerdictOctets = NetlinkMessage.HeaderOctets + NetfilterHeader.Octets + 4 + 8;

    /// <summary>NFQA_CFG_F_FAIL_OPEN: what does not find room goes on. NFQA_CFG_F_GSO: what the kernel has put together stays so.</summary>
    private const uint FailOpen = 1, Gso = 4;

    /// <summary>From now on the queue's packets are told to this socket.</summary>
    public static NetlinkMessage Bind(in PacketQueue queue)
    {
        const byte bind = 1, packet = 2;
        Span<byte> mode = stackalloc byte[5];
        BinaryPrimitives.WriteUInt32BigEndian(mode, queue.Octets);
        mode[4] = packet;
        return new NetlinkMessage(Config, NetlinkFlags.Request | NetlinkFlags.Ack).Header(Header(queue.Number))
            .Attribute(1, [bind, 0, 0, 0]).Attribute(2, mode)                        // CFG_CMD, CFG_PARAMS
            .BigEndian(3, queue.MostWaiting).BigEndian(4, FailOpen | Gso)            // CFG_QUEUE_MAXLEN, CFG_MASK
            .BigEndian(5, queue.Repeats ? Gso : FailOpen | Gso);                     // CFG_FLAGS
    }

    /// <summary>From now on it is nobody's; what still waits in it is dropped.</summary>
    public static NetlinkMessage Unbind(ushort queue) =>
        new NetlinkMessage(Config, NetlinkFlags.Request).Header(Header(queue)).Attribute(1, [2, 0, 0, 0]);

    /// <summary>Asks for nothing, and is answered.</summary>
    public static NetlinkMessage Ring(ushort queue) =>
        new NetlinkMessage(Config, NetlinkFlags.Request | NetlinkFlags.Ack).Header(Header(queue));

    /// <summary>Of all that were queued up to this one.</summary>
    public static NetlinkMessage DecideUpTo(ushort queue, QueueVerdict verdict, uint id) =>
        new NetlinkMessage(VerdictBatch, NetlinkFlags.Request).Header(Header(queue)).Attribute(2, Decision(verdict, id));

    private static NetfilterHeader Header(ushort queue) => new(0, 0, BigEndian(queue));

    private static ushort BigEndian(ushort number) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(number) : number;

    private static byte[] Decision(QueueVerdict verdict, uint id)
    {
        var octets = new byte[8];
        WriteDecision(octets, verdict, id);
        return octets;
    }

    private static void WriteDecision(Span<byte> into, QueueVerdict verdict, uint id)
    {
        BinaryPrimitives.WriteUInt32BigEndian(into, (uint)verdict);
        BinaryPrimitives.WriteUInt32BigEndian(into[4..], id);
    }

    /// <summary>One packet's: a message of <see cref="VerdictOctets"/>.</summary>
    public static void WriteVerdict(Span<byte> into, QueueVerdict verdict, QueueTicket ticket)
    {
        const ushort decision = 2; // VERDICT_HDR
        MemoryMarshal.Write(into, new NetlinkHeader(VerdictOctets, Verdict, NetlinkFlags.Request, 0, 0));
        MemoryMarshal.Write(into[NetlinkMessage.HeaderOctets..], Header(ticket.Queue));
        var attribute = into[(NetlinkMessage.HeaderOctets + NetfilterHeader.Octets)..];
        MemoryMarshal.Write(attribute, (ushort)12);
        MemoryMarshal.Write(attribute[2..], decision);
        WriteDecision(attribute[4..], verdict, ticket.Id);
    }

    /// <summary>False for what is no packet.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out QueuedPacket packet)
    {
        packet = default;
        if (body.Length < NetfilterHeader.Octets) return false;
        ReadOnlySpan<byte> header = default, octets = default;
        int incoming = 0, outgoing = 0;
        var attributes = new AttributeReader(body[NetfilterHeader.Octets..]);
        while (attributes.Next(out var type, out var value))
            switch (type)
            {
                case 1: header = value; break;                                       // PACKET_HDR: id, protocol, hook
                case 5: incoming = (int)AttributeReader.BigEndian(value); break;     // IFINDEX_INDEV
                case 6: outgoing = (int)AttributeReader.BigEndian(value); break;     // IFINDEX_OUTDEV
                case 10: octets = value; break;                                      // PAYLOAD
            }
        if (header.Length < 7) return false;
        packet = new()
        {
            Ticket = new(BigEndian(MemoryMarshal.Read<NetfilterHeader>(body).Resource), AttributeReader.BigEndian(header)),
            Place = (NftHookPoint)header[6],
            In = incoming,
            Out = outgoing,
            Octets = octets,
        };
        return true;
    }
}
