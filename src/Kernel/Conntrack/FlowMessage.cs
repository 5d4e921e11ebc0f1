using System.Buffers.Binary;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>
/// ctnetlink's messages by which a flow is read from one kernel and written into another (linux/netfilter/nfnetlink_conntrack.h). A flow
/// with its translation is found by the tuple of its answers, which nobody has who is translated otherwise.
/// </summary>
internal static class FlowMessage
{
    private const ushort Subsystem = 1 << 8, New = Subsystem, Get = Subsystem | 1, Delete = Subsystem | 2;
    private const ushort TupleOriginal = 1, TupleReply = 2, Status = 3, ProtocolInfo = 4, NatSource = 6, Timeout = 7, Mark = 8, Zone = 18;
    private const ushort TupleIp = 1, TupleProtocol = 2;
    private const ushort Number = 1, SourcePort = 2, DestinationPort = 3;
    // IPS_SEEN_REPLY, IPS_ASSURED, IPS_CONFIRMED, IPS_SRC_NAT, IPS_DST_NAT
    private const uint SeenReply = 1 << 1, Assured = 1 << 2, Confirmed = 1 << 3, SourceTranslated = 1 << 4, DestinationTranslated = 1 << 5;

    private static bool IsEcho(byte protocol) => (IpProtocol)protocol is IpProtocol.Icmp or IpProtocol.Icmp6;

    /// <summary>
    /// With its translation in force: the kernel makes it of what the tuple of answers would be without one, and of the range of the one
    /// source. TCP goes on wherever it stands (IP_CT_TCP_FLAG_BE_LIBERAL): which windows the ends have told each other is not known.
    /// </summary>
    // conntrack -I -p PROTOCOL -s … -d … --src-nat LEAVING -t LEFT [--state STATE] [--status ASSURED] [--mark MARK]
    public static NetlinkMessage Create(in Flow flow)
    {
        var key = flow.Key;
        var message = Begin(New, NetlinkFlags.Ack | NetlinkFlags.Create | NetlinkFlags.Exclusive, key.Family);
        Original(message, key);
        Reply(message, key.Untranslated());
        if (key.IsTranslated)
            using (message.OpenNested(NatSource))
            {
                var (least, most) = key.Family == IpFamily.IPv4 ? ((ushort)1, (ushort)2) : ((ushort)4, (ushort)5);
                var leaving = NftOctets.Of(key.Leaving);
                message.Attribute(least, leaving.Span).Attribute(most, leaving.Span);
                using (message.OpenNested(3)) // CTA_NAT_PROTO
                    Port(Port(message, 1, key.LeavingPort), 2, key.LeavingPort);
            }
        return State(message, flow);
    }

    // conntrack -U -r … -q … -t LEFT [--state STATE] [--status ASSURED] [--mark MARK]
    public static NetlinkMessage Update(in Flow flow)
    {
        var message = Begin(New, NetlinkFlags.Ack, flow.Key.Family);
        Reply(message, flow.Key);
        return State(message, flow);
    }

    /// <summary>Answered with the connection, or that there is none.</summary>
    // conntrack -G -r … -q …
    public static NetlinkMessage Find(in FlowKey key) => Reply(Begin(Get, NetlinkFlags.None, key.Family), key);

    // conntrack -D -r … -q …
    public static NetlinkMessage Remove(in FlowKey key) => Reply(Begin(Delete, NetlinkFlags.Ack, key.Family), key);

    /// <summary>Whatever its client has under this name, however it is translated.</summary>
    // conntrack -D -s … -d …
    public static NetlinkMessage RemoveAny(in FlowKey key) => Original(Begin(Delete, NetlinkFlags.Ack, key.Family), key);

    private static NetlinkMessage Begin(ushort type, NetlinkFlags flags, IpFamily family) =>
        new NetlinkMessage(type, flags | NetlinkFlags.Request).Header(new NetfilterHeader(family.Number(), 0, 0));

    private static NetlinkMessage State(NetlinkMessage message, in Flow flow)
    {
        const byte liberal = 1 << 3;
        message.BigEndian(Status, Confirmed | (flow.IsAnswered ? SeenReply : 0) | (flow.IsAssured ? Assured : 0))
            .BigEndian(Timeout, flow.Left).BigEndian(Mark, flow.Mark);
        if (flow.Key.Protocol != (byte)IpProtocol.Tcp) return message;
        using (message.OpenNested(ProtocolInfo))
        using (message.OpenNested(1)) // CTA_PROTOINFO_TCP: state, and the flags of both directions with their masks
            message.Attribute(1, [flow.Tcp]).Attribute(4, [liberal, liberal]).Attribute(5, [liberal, liberal]);
        return message;
    }

    private static NetlinkMessage Original(NetlinkMessage message, in FlowKey key)
    {
        using var tuple = Tuple(message, TupleOriginal, key.Source, key.Destination);
        using var protocol = message.OpenNested(TupleProtocol);
        message.Attribute(Number, [key.Protocol]);
        return IsEcho(key.Protocol) ? Echo(message, key, key.SourcePort, isAnswer: false)
            : Port(Port(message, SourcePort, key.SourcePort), DestinationPort, key.DestinationPort);
    }

    private static NetlinkMessage Reply(NetlinkMessage message, in FlowKey key)
    {
        using var tuple = Tuple(message, TupleReply, key.Destination, key.Leaving);
        using var protocol = message.OpenNested(TupleProtocol);
        message.Attribute(Number, [key.Protocol]);
        return IsEcho(key.Protocol) ? Echo(message, key, key.LeavingPort, isAnswer: true)
            : Port(Port(message, SourcePort, key.DestinationPort), DestinationPort, key.LeavingPort);
    }

    private static NetlinkMessage.Nest Tuple(NetlinkMessage message, ushort which, Address from, Address to)
    {
        var tuple = message.OpenNested(which);
        var (source, destination) = from.IsIPv4 ? ((ushort)1, (ushort)2) : ((ushort)3, (ushort)4);
        using (message.OpenNested(TupleIp))
            message.Attribute(source, NftOctets.Of(from).Span).Attribute(destination, NftOctets.Of(to).Span);
        return tuple;
    }

    private static (ushort Id, ushort Type, ushort Code) EchoAttributes(IpFamily family) => family == IpFamily.IPv4
        ? ((ushort)4, (ushort)5, (ushort)6) : ((ushort)7, (ushort)8, (ushort)9);

    private static byte EchoType(IpFamily family, bool isAnswer) =>
        (byte)(family == IpFamily.IPv4 ? isAnswer ? 0 : 8 : isAnswer ? 129 : 128);

    private static NetlinkMessage Echo(NetlinkMessage message, in FlowKey key, ushort number, bool isAnswer)
    {
        var (id, type, code) = EchoAttributes(key.Family);
        return Port(message, id, number).Attribute(type, [EchoType(key.Family, isAnswer)]).Attribute(code, [0]);
    }

    private static NetlinkMessage Port(NetlinkMessage message, ushort which, ushort port)
    {
        Span<byte> octets = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(octets, port);
        return message.Attribute(which, octets);
    }

    /// <summary>
    /// Those that another kernel can go on with: of TCP, UDP and echoes, of the zone that all are in who are in none, whose source is
    /// translated and not their destination.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out Flow flow)
    {
        flow = default;
        if (body.Length < NetfilterHeader.Octets || !AddressFamilies.TryRead(body[0], out var family)) return false;
        ReadOnlySpan<byte> original = default, reply = default, state = default;
        uint status = 0, left = 0, mark = 0;
        var attributes = new AttributeReader(body[NetfilterHeader.Octets..]);
        while (attributes.Next(out var type, out var value))
            switch (type)
            {
                case TupleOriginal: original = value; break;
                case TupleReply: reply = value; break;
                case Status: status = AttributeReader.BigEndian(value); break;
                case ProtocolInfo: state = AttributeReader.Find(AttributeReader.Find(value, 1), 1); break;
                case Timeout: left = AttributeReader.BigEndian(value); break;
                case Mark: mark = AttributeReader.BigEndian(value); break;
                case Zone: return false;
            }
        if ((status & (SourceTranslated | DestinationTranslated)) != SourceTranslated
            || !TryReadTuple(original, family, isAnswer: false, out var sent)
            || !TryReadTuple(reply, family, isAnswer: true, out var answer)
            || sent.Protocol != answer.Protocol || sent.To != answer.From || sent.ToPort != answer.FromPort) return false;
        flow = new(new(sent.Protocol, sent.From, sent.FromPort, sent.To, sent.ToPort, answer.To, answer.ToPort),
            state.IsEmpty ? (byte)0 : state[0], (status & SeenReply) != 0, (status & Assured) != 0, left, mark);
        return true;
    }

    private static bool TryReadTuple(
        ReadOnlySpan<byte> tuple, IpFamily family, bool isAnswer,
        out (byte Protocol, Address From, ushort FromPort, Address To, ushort ToPort) read)
    {
        read = default;
        var addresses = AttributeReader.Find(tuple, TupleIp);
        var (first, second) = family == IpFamily.IPv4 ? ((ushort)1, (ushort)2) : ((ushort)3, (ushort)4);
        ReadOnlySpan<byte> from = AttributeReader.Find(addresses, first), to = AttributeReader.Find(addresses, second),
            proto = AttributeReader.Find(tuple, TupleProtocol), number = AttributeReader.Find(proto, Number);
        if (from.Length != family.Octets() || to.Length != family.Octets() || number.IsEmpty) return false;
        var (protocol, ends) = (number[0], (Address.FromOctets(from), Address.FromOctets(to)));
        if (IsEcho(protocol))
        {
            var (id, type, _) = EchoAttributes(family);
            var kind = AttributeReader.Find(proto, type);
            if (kind.IsEmpty || kind[0] != EchoType(family, isAnswer) || !TryReadPort(proto, id, out var its)) return false;
            read = (protocol, ends.Item1, isAnswer ? (ushort)0 : its, ends.Item2, isAnswer ? its : (ushort)0);
            return true;
        }
        if ((IpProtocol)protocol is not (IpProtocol.Tcp or IpProtocol.Udp) || !TryReadPort(proto, SourcePort, out var fromPort)
            || !TryReadPort(proto, DestinationPort, out var toPort)) return false;
        read = (protocol, ends.Item1, fromPort, ends.Item2, toPort);
        return true;
    }

    private static bool TryReadPort(ReadOnlySpan<byte> proto, ushort which, out ushort port) =>
        BinaryPrimitives.TryReadUInt16BigEndian(AttributeReader.Find(proto, which), out port);
}
