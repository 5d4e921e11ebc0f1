using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Routes;

/// <summary>struct rtmsg.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct RouteHeader(
    byte Family, byte DstLength, byte SrcLength, byte Tos, byte Table, byte Protocol, byte Scope, byte Type, uint Flags);

/// <summary>RTA_… (linux/rtnetlink.h).</summary>
internal static class RouteAttribute
{
    public const ushort Dst = 1, Src = 2, Iif = 3, Oif = 4, Gateway = 5, Priority = 6, PreferredSource = 7, Multipath = 9, Table = 15,
        Mark = 16, Via = 18, IpProto = 27, SourcePort = 28, DestinationPort = 29, NextHop = 30;
}

/// <summary>struct rtnexthop: one hop inside RTA_MULTIPATH. <paramref name="Hops"/> is the weight less one.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct HopHeader(ushort Length, byte Flags, byte Hops, int Interface);

/// <summary>All of a route but its prefix: encoded once for a target, copied into the message of each prefix that leads there.</summary>
internal sealed record RouteForm(RouteHeader Header, byte[] Attributes);

/// <summary>
/// RTM_NEWROUTE and RTM_DELROUTE (rtnetlink(7)). The attributes come in the order in which <c>ip</c> sends them when its command line
/// reads as above each message, so that the octets can be held beside what strace shows.
/// </summary>
internal static class RouteMessage
{
    public const byte ScopeUniverse = 0, ScopeLink = 253, ScopeNowhere = 255;
    public const byte OnLink = 4;             // RTNH_F_ONLINK, in rtm_flags or rtnh_flags
    public const uint LocalTable = 255;
    private const byte TableInAttribute = 0;  // RT_TABLE_UNSPEC: see RTA_TABLE

    // ip route add PREFIX via GATEWAY metric METRIC table TABLE dev IFACE [onlink] proto PROTO
    // ip route add PREFIX metric METRIC table TABLE nexthop via GATEWAY dev IFACE weight WEIGHT nexthop …
    // ip route add blackhole PREFIX metric METRIC table TABLE
    // ip route add PREFIX metric METRIC table TABLE nhid NEXTHOP
    public static RouteForm New(RouteTarget target, IpFamily family, byte protocol)
    {
        var attributes = new NetlinkMessage();
        var single = target.Hops.Length == 1 ? target.Hops[0] : default;
        if (single.Gateway is { } gateway) Gateway(attributes, gateway, family);
        Key(attributes, target);
        if (target.NextHop != 0) attributes.Attribute(RouteAttribute.NextHop, target.NextHop);
        if (single.Interface != 0) attributes.Attribute(RouteAttribute.Oif, (uint)single.Interface);
        if (target.Hops.Length > 1) Multipath(attributes, target.Hops, family);
        var header = Header(target, protocol) with
        {
            Scope = Scope(target, family),
            Type = (byte)target.Type,
            Flags = single.OnLink ? OnLink : 0u,
        };
        return new(header, attributes.Attributes.ToArray());
    }

    // ip route del PREFIX metric METRIC table TABLE proto PROTO
    // Whatever of our protocol stands there goes; the protocol is what keeps a foreign route safe.
    //
    // ip -6 route del PREFIX via GATEWAY metric METRIC table TABLE dev IFACE proto PROTO
    // IPv6 makes siblings of all routes with one key, whoever owns them, and without a gateway it would delete them all.
    public static RouteForm Delete(RouteTarget target, IpFamily family, byte protocol) => new(
        Header(target, protocol) with { Scope = ScopeNowhere },
        family == IpFamily.IPv6 ? New(target, family, protocol).Attributes : KeyAlone(target));

    private static byte[] KeyAlone(RouteTarget target)
    {
        var attributes = new NetlinkMessage();
        Key(attributes, target);
        return attributes.Attributes.ToArray();
    }

    // ip route show
    public static NetlinkMessage Dump(IpFamily family) =>
        new NetlinkMessage(MessageType.GetRoute, NetlinkFlags.Request | NetlinkFlags.Dump)
            .Header(new RouteHeader(family.Number(), 0, 0, 0, 0, 0, 0, 0, 0));

    // ip route show dev IFACE
    public static NetlinkMessage Dump(IpFamily family, int through) =>
        Dump(family).Attribute(RouteAttribute.Oif, (uint)through);

    // ip route show table TABLE
    public static NetlinkMessage Dump(IpFamily family, uint table) =>
        Dump(family).Attribute(RouteAttribute.Table, table);

    /// <summary>Octets that <see cref="Write"/> needs at most.</summary>
    public static int Octets(RouteForm form) =>
        NetlinkMessage.HeaderOctets + Marshal.SizeOf<RouteHeader>() + 4 + 16 + form.Attributes.Length;

    /// <summary>The message for one prefix; returns its length, a multiple of four.</summary>
    public static int Write(Span<byte> into, ushort type, NetlinkFlags flags, uint sequence, Prefix prefix, RouteForm form)
    {
        var at = NetlinkMessage.HeaderOctets;
        MemoryMarshal.Write(into[at..], form.Header with { Family = prefix.Family.Number(), DstLength = prefix.Length });
        at += Marshal.SizeOf<RouteHeader>();
        if (prefix.Length > 0) at += Destination(into[at..], prefix.Address);
        form.Attributes.CopyTo(into[at..]);
        at += form.Attributes.Length;
        MemoryMarshal.Write(into, new NetlinkHeader((uint)at, type, flags | NetlinkFlags.Request, sequence, 0));
        return at;
    }

    private static int Destination(Span<byte> into, Address address)
    {
        var octets = address.Write(into[4..]);
        MemoryMarshal.Write(into, (ushort)(4 + octets));
        MemoryMarshal.Write(into[2..], RouteAttribute.Dst);
        return 4 + octets;
    }

    private static RouteHeader Header(RouteTarget target, byte protocol) =>
        new(0, 0, 0, 0, target.Table < 256 ? (byte)target.Table : TableInAttribute, protocol, 0, 0, 0);

    /// <summary>What tells routes of one prefix apart.</summary>
    private static void Key(NetlinkMessage attributes, RouteTarget target)
    {
        if (target.Metric != 0) attributes.Attribute(RouteAttribute.Priority, target.Metric);
        if (target.Table > 255) attributes.Attribute(RouteAttribute.Table, target.Table);
    }

    /// <summary>
    /// Only an IPv4 route knows scopes: one that leads straight onto a link has scope link, and the kernel refuses gateways in it.
    /// </summary>
    private static byte Scope(RouteTarget target, IpFamily family) =>
        family == IpFamily.IPv4 && target.Type == RouteType.Unicast && target.NextHop == 0 && target.Hops.All(hop => hop.Gateway == null)
            ? ScopeLink : ScopeUniverse;

    private static void Multipath(NetlinkMessage attributes, ImmutableArray<RouteHop> hops, IpFamily family)
    {
        using (attributes.Open(RouteAttribute.Multipath))
            foreach (var hop in hops)
                using (attributes.OpenRaw(new HopHeader(0, hop.OnLink ? OnLink : (byte)0, (byte)(hop.Weight - 1), hop.Interface)))
                    if (hop.Gateway is { } gateway) Gateway(attributes, gateway, family);
    }

    /// <summary>An IPv4 route through an IPv6 gateway (RFC 5549) names the family too.</summary>
    private static void Gateway(NetlinkMessage attributes, Address gateway, IpFamily route)
    {
        Span<byte> via = stackalloc byte[18];
        var octets = gateway.Write(via[2..]);
        if (gateway.Family == route) { attributes.Attribute(RouteAttribute.Gateway, via.Slice(2, octets)); return; }
        MemoryMarshal.Write(via, (ushort)gateway.Family.Number());
        attributes.Attribute(RouteAttribute.Via, via[..(2 + octets)]);
    }
}
