using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>
/// What names a connection to the kernel: its first tuple as it was told, its zone, and the id that a later one with the same tuple would
/// not have.
/// </summary>
/// <param name="Reply">Its other tuple, by which answers are known.</param>
internal sealed record ConnectionName(IpFamily Family, byte[] Tuple, byte[] Reply, byte[] Id, byte[] Zone)
{
    public bool IsTcp { get; init; }
}

/// <summary>The messages of ctnetlink (linux/netfilter/nfnetlink_conntrack.h).</summary>
internal static class ConnectionMessage
{
    /// <summary>Groups of news as bits: NFNLGRP_CONNTRACK_NEW, _UPDATE, _DESTROY.</summary>
    public const uint Begun = 1 << 0, Changed = 1 << 1, Ended = 1 << 2;

    /// <summary>Whether it is the news that a connection has begun.</summary>
    public static bool IsBegun(in NetlinkHeader header) => header.Type == New && (header.Flags & NetlinkFlags.Create) != 0;

    /// <summary>Whether it is the news that one is forgotten.</summary>
    public static bool IsEnded(in NetlinkHeader header) => header.Type == Delete;

    private const ushort Subsystem = 1 << 8, New = Subsystem, Get = Subsystem | 1, Delete = Subsystem | 2;
    private const ushort TupleOriginal = 1, TupleReply = 2, Status = 3, ProtocolInfo = 4, Timeout = 7, Mark = 8, CountersOriginal = 9,
        CountersReply = 10, Id = 12, Zone = 18, Timestamp = 20, MarkMask = 21, StatusMask = 26;
    // IPS_EXPECTED, IPS_SEEN_REPLY, IPS_SRC_NAT, IPS_DST_NAT
    private const uint Expected = 1 << 0, SeenReply = 1 << 1, SourceTranslated = 1 << 4, DestinationTranslated = 1 << 5;

    /// <summary>For so long a peer repeats what is not acknowledged (tcp_retries2: 924.6 s).</summary>
    private const uint LongestRepeating = 1000;

    // conntrack -L -f FAMILY --status SRC_NAT (or without it): the kernel picks them out
    public static NetlinkMessage Dump(IpFamily family, bool sourceTranslated) =>
        Dump(family, sourceTranslated ? SourceTranslated : 0, SourceTranslated);

    // conntrack -L -f FAMILY --status DST_NAT
    public static NetlinkMessage DumpRedirected(IpFamily family) => Dump(family, DestinationTranslated, DestinationTranslated);

    // conntrack -L -f FAMILY, but for those of --status DST_NAT
    public static NetlinkMessage DumpDirect(IpFamily family) => Dump(family, 0, DestinationTranslated);

    private static NetlinkMessage Dump(IpFamily family, uint status, uint mask) =>
        new NetlinkMessage(Get, NetlinkFlags.Request | NetlinkFlags.Dump)
        .Header(new NetfilterHeader(family.Number(), 0, 0)).BigEndian(Status, status).BigEndian(StatusMask, mask);

    // conntrack -L -f FAMILY
    public static NetlinkMessage Dump(IpFamily family) =>
        new NetlinkMessage(Get, NetlinkFlags.Request | NetlinkFlags.Dump).Header(new NetfilterHeader(family.Number(), 0, 0));

    /// <summary>
    /// In the place of a connection of TCP that was removed one that has just begun. Whatever either end still sends of the old one does
    /// not fit it and is invalid (tcp_conntracks: an ACK in SYN_SENT), where without it the kernel would take it up in its midst, from
    /// whichever end speaks first (nf_conntrack_tcp_loose); a new one that begins with a SYN is as any other.
    /// </summary>
    // conntrack -I -p tcp --state SYN_SENT --orig-src … --reply-src … -t 1000
    public static NetlinkMessage Bar(ConnectionName name)
    {
        const ushort tcp = 1, state = 1;
        const byte synSent = 1;
        var message = new NetlinkMessage(New, NetlinkFlags.Request | NetlinkFlags.Ack | NetlinkFlags.Create | NetlinkFlags.Exclusive)
            .Header(new NetfilterHeader(name.Family.Number(), 0, 0))
            .Attribute(TupleOriginal | NestedFlag, name.Tuple).Attribute(TupleReply | NestedFlag, name.Reply)
            .BigEndian(Timeout, LongestRepeating);
        using (message.OpenNested(ProtocolInfo))
        using (message.OpenNested(tcp))
            message.Attribute(state, [synSent]);
        return name.Zone.Length > 0 ? message.Attribute(Zone, name.Zone) : message;
    }

    /// <summary>One of TCP is closed as far as the kernel tracks it, and bears a mark, by which rules know its packets.</summary>
    // conntrack -U -p tcp --orig-src … --orig-dst … --sport … --dport … --state CLOSE --mark MARK/MASK
    public static NetlinkMessage Close(ConnectionName name, uint mark, uint mask)
    {
        const ushort tcp = 1, state = 1;
        const byte close = 8;
        var message = new NetlinkMessage(New, NetlinkFlags.Request | NetlinkFlags.Ack)
            .Header(new NetfilterHeader(name.Family.Number(), 0, 0)).Attribute(TupleOriginal | NestedFlag, name.Tuple)
            .BigEndian(Mark, mark).BigEndian(MarkMask, mask);
        using (message.OpenNested(ProtocolInfo))
        using (message.OpenNested(tcp))
            message.Attribute(state, [close]);
        return name.Zone.Length > 0 ? message.Attribute(Zone, name.Zone) : message;
    }

    // conntrack -D --orig-src … --orig-dst … -p … --sport … --dport …
    public static NetlinkMessage Remove(ConnectionName name)
    {
        var message = new NetlinkMessage(Delete, NetlinkFlags.Request | NetlinkFlags.Ack)
            .Header(new NetfilterHeader(name.Family.Number(), 0, 0))
            .Attribute(TupleOriginal | NestedFlag, name.Tuple).Attribute(Id, name.Id);
        return name.Zone.Length > 0 ? message.Attribute(Zone, name.Zone) : message;
    }

    /// <summary>Whichever has this tuple by now, be it that of its answers.</summary>
    public static NetlinkMessage RemoveAny(ConnectionName name)
    {
        var message = new NetlinkMessage(Delete, NetlinkFlags.Request | NetlinkFlags.Ack)
            .Header(new NetfilterHeader(name.Family.Number(), 0, 0)).Attribute(TupleOriginal | NestedFlag, name.Tuple);
        return name.Zone.Length > 0 ? message.Attribute(Zone, name.Zone) : message;
    }

    private const ushort NestedFlag = 0x8000;

    public static bool TryRead(
        ReadOnlySpan<byte> body, [NotNullWhen(true)] out Connection? connection, [NotNullWhen(true)] out ConnectionName? name)
    {
        (connection, name) = (null, null);
        if (body.Length < NetfilterHeader.Octets || !AddressFamilies.TryRead(body[0], out var family)) return false;
        var attributes = body[NetfilterHeader.Octets..];
        var tuple = AttributeReader.Find(attributes, TupleOriginal);
        if (!TryReadTuple(tuple, family, out var source, out var destination, out var protocol)) return false;
        var reply = AttributeReader.Find(attributes, TupleReply);
        var status = AttributeReader.BigEndian(AttributeReader.Find(attributes, Status));
        connection = new(source, destination, protocol, (status & SourceTranslated) != 0)
        {
            Server = TryReadTuple(reply, family, out var server, out _, out _) ? server : destination,
            SourcePort = ReadPort(tuple, SourcePort),
            DestinationPort = ReadPort(tuple, DestinationPort),
            ServerPort = ReadPort(reply, SourcePort),
            IcmpType = ReadIcmp(tuple, family, type: true),
            IcmpCode = ReadIcmp(tuple, family, type: false),
            IsExpected = (status & Expected) != 0,
        };
        name = new(family, tuple.ToArray(), reply.ToArray(), AttributeReader.Find(attributes, Id).ToArray(),
            AttributeReader.Find(attributes, Zone).ToArray())
        {
            IsTcp = protocol == (byte)IpProtocol.Tcp,
        };
        return true;
    }

    /// <summary>What whoever began the connection has sent its packets to, of its attributes as messages of other kinds have
    /// them.</summary>
    public static bool TryReadAsked(ReadOnlySpan<byte> attributes, IpFamily family, out Address destination, out ushort? port)
    {
        var tuple = AttributeReader.Find(attributes, TupleOriginal);
        port = ReadPort(tuple, DestinationPort);
        return TryReadTuple(tuple, family, out _, out destination, out _);
    }

    /// <summary>How one that could be read stands.</summary>
    public static ConnectionState ReadState(ReadOnlySpan<byte> body, ConnectionName name)
    {
        const ushort tcp = 1, state = 1, start = 1;
        var attributes = body[NetfilterHeader.Octets..];
        var phase = AttributeReader.Find(AttributeReader.Find(AttributeReader.Find(attributes, ProtocolInfo), tcp), state);
        var began = AttributeReader.Find(AttributeReader.Find(attributes, Timestamp), start);
        TryReadTuple(name.Reply, name.Family, out _, out var client, out _);
        return new(AttributeReader.BigEndian(name.Id), client, ReadPort(name.Reply, DestinationPort))
        {
            Tcp = phase.IsEmpty ? null : phase[0],
            IsAnswered = (AttributeReader.BigEndian(AttributeReader.Find(attributes, Status)) & SeenReply) != 0,
            Left = TimeSpan.FromSeconds(AttributeReader.BigEndian(AttributeReader.Find(attributes, Timeout))),
            Since = BinaryPrimitives.TryReadUInt64BigEndian(began, out var nanoseconds)
                ? DateTimeOffset.UnixEpoch.AddTicks((long)(nanoseconds / TimeSpan.NanosecondsPerTick)) : null,
            Asked = ReadCount(AttributeReader.Find(attributes, CountersOriginal)),
            Answered = ReadCount(AttributeReader.Find(attributes, CountersReply)),
        };
    }

    private static ConnectionCount? ReadCount(ReadOnlySpan<byte> counters)
    {
        const ushort packets = 1, octets = 2;
        return BinaryPrimitives.TryReadUInt64BigEndian(AttributeReader.Find(counters, packets), out var number)
            && BinaryPrimitives.TryReadUInt64BigEndian(AttributeReader.Find(counters, octets), out var size) ? new(number, size) : null;
    }

    private const ushort Protocol = 2, SourcePort = 2, DestinationPort = 3; // CTA_TUPLE_PROTO, CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT

    private static ushort? ReadPort(ReadOnlySpan<byte> tuple, ushort which)
    {
        var port = AttributeReader.Find(AttributeReader.Find(tuple, Protocol), which);
        return BinaryPrimitives.TryReadUInt16BigEndian(port, out var number) ? number : null;
    }

    private static byte? ReadIcmp(ReadOnlySpan<byte> tuple, IpFamily family, bool type)
    {
        ushort which = (family == IpFamily.IPv4, type) switch { (true, true) => 5, (true, false) => 6, (false, true) => 8, _ => 9 };
        var octet = AttributeReader.Find(AttributeReader.Find(tuple, Protocol), which); // CTA_PROTO_ICMP_TYPE, …
        return octet.IsEmpty ? null : octet[0];
    }

    private static bool TryReadTuple(
        ReadOnlySpan<byte> tuple, IpFamily family, out Address source, out Address destination, out byte protocol)
    {
        const ushort ip = 1, proto = 2, number = 1;
        var (first, second) = family == IpFamily.IPv4 ? ((ushort)1, (ushort)2) : ((ushort)3, (ushort)4); // CTA_IP_V4_SRC, …
        var addresses = AttributeReader.Find(tuple, ip);
        var from = AttributeReader.Find(addresses, first);
        var to = AttributeReader.Find(addresses, second);
        var kind = AttributeReader.Find(AttributeReader.Find(tuple, proto), number);
        (source, destination, protocol) = (default, default, kind.IsEmpty ? (byte)0 : kind[0]);
        if (from.Length != family.Octets() || to.Length != family.Octets()) return false;
        (source, destination) = (Address.FromOctets(from), Address.FromOctets(to));
        return true;
    }
}
