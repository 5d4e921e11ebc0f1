using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Routes;

/// <summary>
/// A route as the kernel tells it, read without an object: a dump holds a million. <see cref="ToTarget"/> makes the value where one is
/// kept.
/// </summary>
internal ref struct RouteView
{
    private const uint Cloned = 0x200; // RTM_F_CLONED: a cached decision, no route

    public Prefix Prefix;
    public RouteType Type;
    public byte Protocol;
    public byte Scope;
    public uint Table;
    public uint Metric;
    public Address? PreferredSource;
    private uint nextHop;
    private Address? gateway;
    private int through;
    private bool onLink;
    private ReadOnlySpan<byte> multipath;

    public readonly IpFamily Family => Prefix.Family;
    public readonly RouteKey Key => new(Prefix, Metric, Table);

    /// <summary>
    /// False for what this daemon neither writes nor needs: routes by TOS or by source, the local table, cached ones, multicast.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out RouteView route)
    {
        route = default;
        if (!MemoryMarshal.TryRead(body, out RouteHeader header) || !AddressFamilies.TryRead(header.Family, out var family)) return false;
        if (header.SrcLength != 0 || header.Tos != 0 || (header.Flags & Cloned) != 0 || header.DstLength > family.Bits()) return false;
        if ((RouteType)header.Type is not (RouteType.Unicast or RouteType.Blackhole or RouteType.Unreachable or RouteType.Prohibit))
            return false;
        route.Type = (RouteType)header.Type;
        route.Protocol = header.Protocol;
        route.Scope = header.Scope;
        route.Table = header.Table;
        route.onLink = (header.Flags & RouteMessage.OnLink) != 0;
        route.Prefix = new(new Address(0, family), header.DstLength);
        var attributes = new AttributeReader(body[Marshal.SizeOf<RouteHeader>()..]);
        while (attributes.Next(out var type, out var value)) route.ReadAttribute(type, value);
        return route.Table != RouteMessage.LocalTable;
    }

    private void ReadAttribute(ushort type, ReadOnlySpan<byte> value)
    {
        switch (type)
        {
            case RouteAttribute.Dst when IsAddress(value): Prefix = new(Address.FromOctets(value), Prefix.Length); break;
            case RouteAttribute.Gateway when IsAddress(value): gateway = Address.FromOctets(value); break;
            case RouteAttribute.Via: gateway = Via(value) ?? gateway; break;
            case RouteAttribute.PreferredSource when IsAddress(value): PreferredSource = Address.FromOctets(value); break;
            case RouteAttribute.Oif: through = (int)AttributeReader.U32(value); break;
            case RouteAttribute.Priority: Metric = AttributeReader.U32(value); break;
            case RouteAttribute.Table: Table = AttributeReader.U32(value); break;
            case RouteAttribute.Multipath: multipath = value; break;
            case RouteAttribute.NextHop: nextHop = AttributeReader.U32(value); break;
        }
    }

    private readonly bool IsAddress(ReadOnlySpan<byte> value) => value.Length == Family.Octets();

    private static Address? Via(ReadOnlySpan<byte> value) =>
        value.Length > 2 && AddressFamilies.TryRead(MemoryMarshal.Read<ushort>(value), out var family)
            && value.Length == 2 + family.Octets()
            ? Address.FromOctets(value[2..]) : null;

    /// <summary>
    /// Whether the kernel holds what was asked for: an interface that was left open may be any, the order of hops is the kernel's.
    /// </summary>
    public readonly bool Satisfies(RouteTarget asked)
    {
        if ((nextHop | asked.NextHop) != 0)
            return nextHop == asked.NextHop && (Type, Metric, Table) == (asked.Type, asked.Metric, asked.Table);
        if (multipath.IsEmpty && asked is { Type: RouteType.Unicast, Hops.Length: 1 })
            return Type == asked.Type && Metric == asked.Metric && Table == asked.Table && Hop().Satisfies(asked.Hops[0]);
        return ToTarget().Satisfies(asked);
    }

    /// <summary>Equality with a target as it was read before.</summary>
    public readonly bool Is(RouteTarget target) =>
        (nextHop | target.NextHop) == 0 && multipath.IsEmpty && target is { Type: RouteType.Unicast, Hops.Length: 1 }
            ? Type == target.Type && Metric == target.Metric && Table == target.Table && Hop() == target.Hops[0]
            : ToTarget().Equals(target);

    private readonly RouteHop Hop() => new(gateway, through, 1, onLink);

    public readonly int HopHash => HashCode.Combine(gateway, through, Metric, Table, nextHop);

    /// <summary>
    /// Blackholes and their kind have no way out, though IPv6 shows them on the loopback. Where a next hop is named, the kernel shows where
    /// that leads as well.
    /// </summary>
    public readonly RouteTarget ToTarget() => new(Type, Type == RouteType.Unicast ? Hops() : [], Metric, Table) { NextHop = nextHop };

    private readonly ImmutableArray<RouteHop> Hops()
    {
        if (multipath.IsEmpty) return gateway == null && through == 0 ? [] : [Hop()];
        var hops = ImmutableArray.CreateBuilder<RouteHop>();
        for (var left = multipath; MemoryMarshal.TryRead(left, out HopHeader head);)
        {
            if (head.Length < Marshal.SizeOf<HopHeader>() || head.Length > left.Length) break;
            hops.Add(Hop(head, left[Marshal.SizeOf<HopHeader>()..head.Length]));
            left = left[Math.Min(NetlinkMessage.Align(head.Length), left.Length)..];
        }
        return hops.ToImmutable();
    }

    private readonly RouteHop Hop(HopHeader head, ReadOnlySpan<byte> body)
    {
        Address? by = null;
        var attributes = new AttributeReader(body);
        while (attributes.Next(out var type, out var value))
        {
            if (type == RouteAttribute.Gateway && IsAddress(value)) by = Address.FromOctets(value);
            else if (type == RouteAttribute.Via) by = Via(value) ?? by;
        }
        return new(by, head.Interface, head.Hops + 1, (head.Flags & RouteMessage.OnLink) != 0);
    }
}

/// <summary>What the kernel tells routes apart by: two owners cannot both have the same.</summary>
internal readonly record struct RouteKey(Prefix Prefix, uint Metric, uint Table);
