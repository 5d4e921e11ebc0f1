using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.NextHops;

/// <summary>
/// A next hop that routes name by its number, so that it moves for all of them at once (RTM_NEWNEXTHOP; linux/nexthop.h).
/// </summary>
/// <param name="Gateway">Null: straight onto the link.</param>
public sealed record NextHop(uint Id, IpFamily Family, Address? Gateway, int Interface) : KernelObject
{
    public bool OnLink { get; init; }

    internal override object Key => Id;
    internal override int Level => 0;

    // ip nexthop replace id ID via GATEWAY dev IFACE [onlink] protocol PROTO
    internal override NetlinkMessage New(byte protocol, bool replace)
    {
        var message = NextHopMessage.New(Id, Family.Number(), protocol, OnLink ? RouteMessage.OnLink : 0u, replace);
        if (Gateway is { } gateway)
        {
            Span<byte> octets = stackalloc byte[16];
            message.Attribute(NextHopMessage.GatewayOf, octets[..gateway.Write(octets)]);
        }
        return message.Attribute(NextHopMessage.Oif, (uint)Interface);
    }

    internal override NetlinkMessage Delete(byte protocol) => NextHopMessage.Delete(Id);

    public override string ToString() =>
        $"nexthop id {Id}{(Gateway is { } gateway ? $" via {gateway}" : "")} dev {Interface}{(OnLink ? " onlink" : "")}";
}

/// <param name="Weight">1 to 256.</param>
public readonly record struct NextHopShare(uint Id, int Weight = 1);

/// <summary>
/// How a group keeps flows where they are while its members change: a flow stays in its bucket, and a bucket moves only when nothing has
/// passed for <paramref name="Idle"/>, or the group has been out of balance for <paramref name="Unbalanced"/> (0: it waits for ever).
/// </summary>
/// <param name="Buckets">It cannot be changed while the group lives.</param>
public sealed record Resilience(ushort Buckets, TimeSpan Idle, TimeSpan Unbalanced);

/// <summary>Next hops that share the flows of whatever leads to the group.</summary>
/// <param name="Resilient">Null: flows are dealt by their hash alone. What a group is of the two it stays.</param>
public sealed record NextHopGroup(uint Id, ListOf<NextHopShare> Members, Resilience? Resilient = null) : KernelObject
{
    internal override object Key => Id;
    internal override int Level => 1;

    // ip nexthop replace id ID group MEMBER,WEIGHT/… [type resilient buckets N idle_timer S unbalanced_timer S] protocol PROTO
    internal override NetlinkMessage New(byte protocol, bool replace)
    {
        var message = NextHopMessage.New(Id, 0, protocol, 0, replace);
        var members = new byte[Members.Count * Marshal.SizeOf<NextHopMessage.Member>()];
        var at = 0;
        foreach (var (id, weight) in Members)
        {
            MemoryMarshal.Write(members.AsSpan(at), new NextHopMessage.Member(id, (byte)(weight - 1), 0, 0));
            at += Marshal.SizeOf<NextHopMessage.Member>();
        }
        message.Attribute(NextHopMessage.Group, members);
        if (Resilient is not { } resilient) return message;
        message.Attribute(NextHopMessage.GroupType, BitConverter.GetBytes(NextHopMessage.ResilientType));
        using (message.OpenNested(NextHopMessage.ResilientGroup))
            message.Attribute(1, BitConverter.GetBytes(resilient.Buckets))               // BUCKETS
                .Attribute(2, NextHopMessage.Ticks(resilient.Idle))                      // IDLE_TIMER
                .Attribute(3, NextHopMessage.Ticks(resilient.Unbalanced));               // UNBALANCED_TIMER
        return message;
    }

    internal override NetlinkMessage Delete(byte protocol) => NextHopMessage.Delete(Id);

    public override string ToString() =>
        $"nexthop id {Id} group {string.Join('/', Members.Select(member => $"{member.Id},{member.Weight}"))}"
        + (Resilient == null ? "" : " type resilient");
}

/// <summary>The octets of next hops and groups.</summary>
internal static class NextHopMessage
{
    private const ushort IdOf = 1, Blackhole = 4; // NHA_ID, NHA_BLACKHOLE
    public const ushort Group = 2, GroupType = 3, Oif = 5, GatewayOf = 6, ResilientGroup = 12;
    public const ushort ResilientType = 1; // NEXTHOP_GRP_TYPE_RES
    private const int TicksOfSecond = 100; // USER_HZ

    /// <summary>struct nhmsg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Header(byte Family, byte Scope, byte Protocol, byte Pad, uint Flags);

    /// <summary>struct nexthop_grp. <paramref name="Weight"/> is less by one.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Member(uint Id, byte Weight, byte WeightHigh, ushort Pad);

    public static uint Ticks(TimeSpan time) => (uint)(time.TotalSeconds * TicksOfSecond);

    public static NetlinkMessage New(uint id, byte family, byte protocol, uint flags, bool replace) =>
        new NetlinkMessage(MessageType.NewNextHop, NetlinkFlags.Request | NetlinkFlags.Ack | NetlinkFlags.Create
            | (replace ? NetlinkFlags.Replace : NetlinkFlags.Exclusive))
            .Header(new Header(family, 0, protocol, 0, flags)).Attribute(IdOf, id);

    // ip nexthop del id ID
    public static NetlinkMessage Delete(uint id) => new NetlinkMessage(MessageType.DelNextHop, NetlinkFlags.Request | NetlinkFlags.Ack)
        .Header(new Header()).Attribute(IdOf, id);

    // ip nexthop show
    public static NetlinkMessage Dump() =>
        new NetlinkMessage(MessageType.GetNextHop, NetlinkFlags.Request | NetlinkFlags.Dump).Header(new Header());

    /// <summary>False for blackholes and what else nobody here makes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out KernelObject found, out byte protocol)
    {
        (found, protocol) = (null!, 0);
        if (!MemoryMarshal.TryRead(body, out Header header)) return false;
        protocol = header.Protocol;
        var attributes = body[Marshal.SizeOf<Header>()..];
        var id = AttributeReader.U32(AttributeReader.Find(attributes, IdOf));
        var group = AttributeReader.Find(attributes, Group);
        if (!group.IsEmpty) found = new NextHopGroup(id, [.. Members(group)], Resilient(attributes));
        else if (AddressFamilies.TryRead(header.Family, out var family))
        {
            var gateway = AttributeReader.Find(attributes, GatewayOf);
            found = new NextHop(id, family, gateway.Length is 4 or 16 ? Address.FromOctets(gateway) : null,
                (int)AttributeReader.U32(AttributeReader.Find(attributes, Oif)))
            {
                OnLink = (header.Flags & RouteMessage.OnLink) != 0,
            };
        }
        var reader = new AttributeReader(attributes);
        while (reader.Next(out var type, out _))
            if (type == Blackhole) return false;
        return found != null;
    }

    private static List<NextHopShare> Members(ReadOnlySpan<byte> group)
    {
        var members = new List<NextHopShare>();
        foreach (var member in MemoryMarshal.Cast<byte, Member>(group)) members.Add(new(member.Id, member.Weight + 1));
        return members;
    }

    private static Resilience? Resilient(ReadOnlySpan<byte> attributes)
    {
        var nest = AttributeReader.Find(attributes, ResilientGroup);
        if (nest.IsEmpty) return null;
        return new(MemoryMarshal.Read<ushort>(AttributeReader.Find(nest, 1)), Time(AttributeReader.Find(nest, 2)),
            Time(AttributeReader.Find(nest, 3)));

        static TimeSpan Time(ReadOnlySpan<byte> ticks) => TimeSpan.FromSeconds(AttributeReader.U32(ticks) / (double)TicksOfSecond);
    }
}
