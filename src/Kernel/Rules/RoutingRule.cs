using System.Runtime.InteropServices;
using System.Text;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Rules;

/// <summary>Which packets are routed by which table (RTM_NEWRULE; linux/fib_rules.h). All that is said must be so of the packet.</summary>
public sealed record RoutingRule(IpFamily Family, uint Priority, uint Table) : KernelObject
{
    private const ushort Dst = 1, Src = 2, InName = 3, GotoOf = 4, PriorityOf = 6, FirewallMark = 10, TableOf = 15, FirewallMask = 16,
        OutName = 17, ProtocolOf = 21;
    private const byte ToTable = 1, ToRule = 2; // FR_ACT_TO_TBL, FR_ACT_GOTO

    /// <summary>The bits of the packet's mark that are looked at; none: the mark is not asked.</summary>
    public uint Mask { get; init; }

    public uint Mark { get; init; }
    public Prefix? Source { get; init; }
    public Prefix? Destination { get; init; }

    /// <summary>The interface that the packet came in by.</summary>
    public string? In { get; init; }

    public string? Out { get; init; }

    /// <summary>
    /// It leads to no table, but to the first rule of this priority, which comes later; where there is none, to the rule behind it.
    /// </summary>
    public uint? Goto { get; init; }

    /// <summary>struct fib_rule_hdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Header(
        byte Family, byte DstLength, byte SrcLength, byte Tos, byte Table, byte Pad1, byte Pad2, byte Action, uint Flags);

    /// <summary>Rules are told apart by all that they say.</summary>
    internal override object Key => this;

    internal override int Level => BehindRoutes;

    // ip rule add from SOURCE to DESTINATION fwmark MARK/MASK iif IN oif OUT (lookup TABLE | goto OTHER) priority PRIORITY protocol PROTO
    internal override NetlinkMessage New(byte protocol, bool replace) =>
        Write(MessageType.NewRule, NetlinkFlags.Create | NetlinkFlags.Exclusive, protocol);

    // ip rule del …
    internal override NetlinkMessage Delete(byte protocol) => Write(MessageType.DelRule, NetlinkFlags.None, protocol);

    private NetlinkMessage Write(ushort type, NetlinkFlags flags, byte protocol)
    {
        var message = new NetlinkMessage(type, flags | NetlinkFlags.Request | NetlinkFlags.Ack)
            .Header(new Header(Family.Number(), (byte)(Destination?.Length ?? 0), (byte)(Source?.Length ?? 0), 0, 0, 0, 0,
                Goto == null ? ToTable : ToRule, 0));
        if (Destination is { } destination) message.Attribute(Dst, Octets(destination));
        if (Source is { } source) message.Attribute(Src, Octets(source));
        if (In is { } inwards) message.Text(InName, inwards);
        if (Out is { } outwards) message.Text(OutName, outwards);
        if (Mask != 0) message.Attribute(FirewallMark, Mark).Attribute(FirewallMask, Mask);
        if (Goto is { } rule) message.Attribute(GotoOf, rule);
        return message.Attribute(PriorityOf, Priority).Attribute(TableOf, Table).Attribute(ProtocolOf, [protocol]);
    }

    private static byte[] Octets(Prefix prefix)
    {
        var octets = new byte[prefix.Family.Octets()];
        prefix.Address.Write(octets);
        return octets;
    }

    // ip rule show
    internal static NetlinkMessage Dump(IpFamily family) =>
        new NetlinkMessage(MessageType.GetRule, NetlinkFlags.Request | NetlinkFlags.Dump)
        .Header(new Header(family.Number(), 0, 0, 0, 0, 0, 0, 0, 0));

    /// <summary>False for what leads neither to a table nor to another rule.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> body, out RoutingRule rule, out byte protocol)
    {
        (rule, protocol) = (null!, 0);
        if (!MemoryMarshal.TryRead(body, out Header header) || !AddressFamilies.TryRead(header.Family, out var family)
            || header.Action is not (ToTable or ToRule)) return false;
        var attributes = body[Marshal.SizeOf<Header>()..];
        var table = AttributeReader.Find(attributes, TableOf);
        rule = new(family, AttributeReader.U32(AttributeReader.Find(attributes, PriorityOf)),
            table.IsEmpty ? header.Table : AttributeReader.U32(table))
        {
            Mark = AttributeReader.U32(AttributeReader.Find(attributes, FirewallMark)),
            Mask = AttributeReader.U32(AttributeReader.Find(attributes, FirewallMask)),
            Source = PrefixOf(AttributeReader.Find(attributes, Src), header.SrcLength),
            Destination = PrefixOf(AttributeReader.Find(attributes, Dst), header.DstLength),
            In = NameOf(AttributeReader.Find(attributes, InName)),
            Out = NameOf(AttributeReader.Find(attributes, OutName)),
            Goto = header.Action == ToRule ? AttributeReader.U32(AttributeReader.Find(attributes, GotoOf)) : null,
        };
        var by = AttributeReader.Find(attributes, ProtocolOf);
        protocol = by.IsEmpty ? (byte)0 : by[0];
        return true;
    }

    private static Prefix? PrefixOf(ReadOnlySpan<byte> address, byte length) =>
        address.Length is 4 or 16 ? new(Address.FromOctets(address), length) : null;

    private static string? NameOf(ReadOnlySpan<byte> name) => name.IsEmpty ? null : AttributeReader.Text(name);

    /// <summary>In the words of <c>ip rule</c>.</summary>
    public override string ToString()
    {
        var words = new StringBuilder($"rule {Priority}: from {Source?.ToString() ?? "all"}");
        if (Destination is { } destination) words.Append($" to {destination}");
        if (Mask != 0) words.Append($" fwmark 0x{Mark:x}/0x{Mask:x}");
        if (In is { } inwards) words.Append($" iif {inwards}");
        if (Out is { } outwards) words.Append($" oif {outwards}");
        return words.Append(Goto is { } rule ? $" goto {rule}" : $" lookup {Table}").Append($" ({Family.Word()})").ToString();
    }
}
