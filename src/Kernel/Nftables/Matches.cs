using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using static Calico.Bgp.Kernel.Nftables.Expressions;

namespace Calico.Bgp.Kernel.Nftables;

// What a rule asks of a packet, one record for each question; above each what nft calls it.

/// <summary>Which end of the packet.</summary>
public enum NftEnd : byte { Source, Destination }

/// <summary>IP protocols that have a name here; any other is a number.</summary>
public enum IpProtocol : byte { Icmp = 1, IpEncap = 4, Tcp = 6, Udp = 17, Icmp6 = 58, Sctp = 132, UdpLite = 136 }

internal static class MetaKey
{
    public const uint Mark = 3, InName = 6, OutName = 7, Family = 15, Protocol = 16;
}

/// <summary>meta nfproto ipv4: stands before anything that reads an address, because the table has both families.</summary>
public sealed record MatchFamily(IpFamily Family) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Meta(MetaKey.Family);
        into.Compare(Operator.Equal, [Family.Number()]);
    }

    internal override NftAnswer Ask(PassingPacket packet) => NftAnswer.Of(packet.Family == Family);

    public override string ToString() => $"meta nfproto {Family.Word()}";
}

/// <summary>Where the addresses stand in the header.</summary>
internal static class AddressField
{
    public static string Word(IpFamily family, NftEnd end) =>
        $"{(family == IpFamily.IPv4 ? "ip" : "ip6")} {(end == NftEnd.Source ? "saddr" : "daddr")}";

    /// <param name="octets">Only so many of them; 0: all.</param>
    public static void Load(Expressions into, IpFamily family, NftEnd end, int slot = 0, int octets = 0)
    {
        var length = (uint)family.Octets();
        var first = family == IpFamily.IPv4 ? 12u : 8;
        into.Payload(Header.Network, end == NftEnd.Source ? first : first + length, octets == 0 ? length : (uint)octets, slot);
    }
}

/// <summary>Whether a set has a packet's address.</summary>
internal static class Membership
{
    public static NftAnswer Of(PassingPacket packet, string set, NftOctets key, bool outside)
    {
        var found = packet.Table.Find(set, key);
        return found.IsThere is { } known ? new NftAnswer.Match(known != outside, found.Words)
            : new NftAnswer.Unknown($"what is in the set {set} at the moment", $"{key} @{set}", !outside);
    }

    public static NftAnswer OfUnknown(string question, bool outside) =>
        new NftAnswer.Unknown("the source that the packet has got", question, !outside);
}

/// <summary>ip saddr @SET, ip daddr != @SET</summary>
public sealed record MatchAddress(IpFamily Family, NftEnd End, string Set, bool Outside = false) : NftStatement
{
    internal override string? SetAsked => Set;

    internal override void Encode(Expressions into)
    {
        AddressField.Load(into, Family, End);
        into.Lookup(Set, Outside);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Family != Family) return NftAnswer.Fails; // of the other family the kernel would read something else
        return packet.At(End) is { } address ? Membership.Of(packet, Set, NftOctets.Of(address), Outside)
            : Membership.OfUnknown($"{AddressField.Word(Family, End)} @{Set}", Outside);
    }

    public override string ToString() => $"{AddressField.Word(Family, End)} {(Outside ? "!= " : "")}@{Set}";
}

/// <summary>ip saddr . ip daddr @SET</summary>
public sealed record MatchAddressPair(IpFamily Family, string Set, bool Outside = false) : NftStatement
{
    internal override string? SetAsked => Set;

    internal override void Encode(Expressions into)
    {
        AddressField.Load(into, Family, NftEnd.Source);
        AddressField.Load(into, Family, NftEnd.Destination, Family.Octets() / sizeof(uint));
        into.Lookup(Set, Outside);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Family != Family) return NftAnswer.Fails;
        return packet.Source is { } source
            ? Membership.Of(packet, Set, NftOctets.Of(NftOctets.Of(source), NftOctets.Of(packet.Destination)), Outside)
            : Membership.OfUnknown($"{AddressField.Word(Family, NftEnd.Source)} . … @{Set}", Outside);
    }

    public override string ToString() =>
        $"{AddressField.Word(Family, NftEnd.Source)} . {AddressField.Word(Family, NftEnd.Destination)} {(Outside ? "!= " : "")}@{Set}";
}

/// <summary>ip daddr . meta l4proto . th dport @SET</summary>
public sealed record MatchAddressPort(IpFamily Family, NftEnd End, string Set, bool Outside = false) : NftStatement
{
    internal override string? SetAsked => Set;

    internal override void Encode(Expressions into)
    {
        var behind = Family.Octets() / sizeof(uint);
        AddressField.Load(into, Family, End);
        into.Meta(MetaKey.Protocol, behind);
        PortField.Load(into, End, behind + 1);
        into.Lookup(Set, Outside);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Family != Family) return NftAnswer.Fails;
        if (packet.At(End) is not { } address) return Membership.OfUnknown(Asked(outside: false), Outside);
        if (packet.Protocol is not { } protocol)
            return new NftAnswer.Unknown("the protocol", packet.PortNow(End, Asked(outside: false)), !Outside);
        if (!packet.HasPorts) return NftAnswer.Of(Outside);
        if (packet.Ports(End).Known is not { } port)
            return new NftAnswer.Unknown(PortField.Fact(End), packet.PortNow(End, Asked(outside: false)), !Outside);
        return Membership.Of(packet, Set, Key(address, (byte)protocol, (ushort)port), Outside);
    }

    /// <summary>The key of an element.</summary>
    /// <param name="room">Where it is to stand; null: by itself.</param>
    public static NftOctets Key(Address address, byte protocol, ushort port, OctetRoom? room = null) =>
        ServiceField.Key(address, protocol, port, room: room);

    public override string ToString() => Asked(Outside);

    private string Asked(bool outside) =>
        $"{AddressField.Word(Family, End)} . meta l4proto . {PortField.Word(End)} {(outside ? "!= " : "")}@{Set}";
}

/// <summary>Of an interface that a packet comes in by or leaves by.</summary>
internal static class LinkField
{
    public static string Fact(bool leaving) => leaving ? PacketFact.Out : PacketFact.In;
}

/// <summary>oifname "eth*": a name, or the beginning of one.</summary>
/// <param name="Leaving">The interface that the packet leaves by, instead of the one it came in by.</param>
public sealed record MatchInterface(bool Leaving, string Name) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Meta(Leaving ? MetaKey.OutName : MetaKey.InName);
        var octets = Name.EndsWith('*') ? NftOctets.OfInterfaceStart(Name[..^1]) : NftOctets.OfInterface(Name).Span.ToArray();
        into.Compare(Operator.Equal, octets);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Link(Leaving) is not { } link) return NftAnswer.Fails;
        return link.Is(Name) is { } known ? NftAnswer.Of(known) : new NftAnswer.Unknown(LinkField.Fact(Leaving), ToString())
        {
            Learn = isSo => link.Learn(Name, isSo),
        };
    }

    public override string ToString() => $"{(Leaving ? "oifname" : "iifname")} \"{Name}\"";
}

/// <summary>oifname @SET</summary>
public sealed record MatchInterfaceIn(bool Leaving, string Set) : NftStatement
{
    internal override string? SetAsked => Set;

    internal override void Encode(Expressions into)
    {
        into.Meta(Leaving ? MetaKey.OutName : MetaKey.InName);
        into.Lookup(Set);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Link(Leaving) is not { } link) return NftAnswer.Fails;
        return link.Known is { } name ? Membership.Of(packet, Set, NftOctets.OfInterface(name), outside: false)
            : new NftAnswer.Unknown(LinkField.Fact(Leaving), ToString());
    }

    public override string ToString() => $"{(Leaving ? "oifname" : "iifname")} @{Set}";
}

/// <summary>
/// iifname . ip daddr @SET: by whom an address is asked for. Of what this host sends itself the name is empty
/// (nft_meta_store_ifname).
/// </summary>
public sealed record MatchInterfaceAddress(IpFamily Family, string Set) : NftStatement
{
    internal override string? SetAsked => Set;

    internal override void Encode(Expressions into)
    {
        into.Meta(MetaKey.InName);
        AddressField.Load(into, Family, NftEnd.Destination, SlotsOfAddress);
        into.Lookup(Set);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Family != Family) return NftAnswer.Fails;
        var link = packet.Link(leaving: false);
        return link != null && link.Known == null ? new NftAnswer.Unknown(LinkField.Fact(leaving: false), ToString())
            : Membership.Of(packet, Set, Key(link?.Known, packet.Destination), outside: false);
    }

    /// <param name="link">Null: of this host's own.</param>
    public static NftOctets Key(string? link, Address address) =>
        NftOctets.Of(link == null ? new(new byte[NftType.InterfaceName.Octets()]) : NftOctets.OfInterface(link), NftOctets.Of(address));

    public override string ToString() => $"iifname . {AddressField.Word(Family, NftEnd.Destination)} @{Set}";
}

/// <summary>meta mark &amp; MASK == VALUE</summary>
public sealed record MatchMark(uint Mask, uint Value) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Meta(MetaKey.Mark);
        into.Bitwise(Mask, 0);
        into.Compare(Operator.Equal, BitConverter.GetBytes(Value));
    }

    internal override NftAnswer Ask(PassingPacket packet) =>
        packet.HasMark(Mask, Value) is { } known ? NftAnswer.Of(known) : new NftAnswer.Unknown("the mark", packet.MarkNow(ToString()))
        {
            Learn = isSo => packet.LearnMark(Mask, Value, isSo),
        };

    public override string ToString() => $"meta mark & 0x{Mask:x8} == 0x{Value:x8}";
}

/// <summary>numgen random mod SIDES &lt; BELOW: a die thrown anew for each connection.</summary>
public sealed record MatchChance(uint Sides, uint Below) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Random(Sides);
        Chance.Below(into, Below);
    }

    internal override NftAnswer Ask(PassingPacket packet) =>
        Below >= Sides || Below == 0 ? NftAnswer.Of(Below != 0) : new NftAnswer.Unknown("chance", null);

    public override string ToString() => $"numgen random mod {Sides} < {Below}";
}

/// <summary>jhash ip saddr mod SIDES seed 0x0 &lt; BELOW: the same for all connections of a source, over restarts too.</summary>
public sealed record MatchSourceShare(IpFamily Family, uint Sides, uint Below) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        AddressField.Load(into, Family, NftEnd.Source, SlotsOfAddress);
        into.Hash(SlotsOfAddress, (uint)Family.Octets(), Sides);
        Chance.Below(into, Below);
    }

    internal override NftAnswer Ask(PassingPacket packet) =>
        packet.Family != Family ? NftAnswer.Fails
        : packet.Source is { } source ? NftAnswer.Of(JenkinsHash.Mod(NftOctets.Of(source).Span, Sides) < Below)
        : new NftAnswer.Unknown("the source that the packet has got", ToString());

    public override string ToString() => $"jhash {AddressField.Word(Family, NftEnd.Source)} mod {Sides} seed 0x0 < {Below}";
}

internal static class Chance
{
    public static void Below(Expressions into, uint limit)
    {
        into.ToNetworkOrder();
        var octets = new byte[sizeof(uint)];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(octets, limit);
        into.Compare(Operator.Less, octets);
    }
}
