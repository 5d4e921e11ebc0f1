using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using static Calico.Bgp.Kernel.Nftables.Expressions;

namespace Calico.Bgp.Kernel.Nftables;

// What a rule asks of a packet, one record for each question; above each what nft calls it.

/// <summary>Which end of the packet.</summary>
public enum NftEnd : byte { Source, Destination }

/// <summary>IP protocols that have a name here; any other is a number.</summary>
public enum IpProtocol : byte { Icmp = 1, Tcp = 6, Udp = 17, Icmp6 = 58, Sctp = 132 }

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

/// <summary>meta l4proto tcp</summary>
public sealed record MatchProtocol(IpProtocol Protocol) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Meta(MetaKey.Protocol);
        into.Compare(Operator.Equal, [(byte)Protocol]);
    }

    internal override NftAnswer Ask(PassingPacket packet) =>
        packet.Protocol is { } known ? NftAnswer.Of(known == Protocol) : new NftAnswer.Unknown("the protocol", ToString())
        {
            Learn = isSo => packet.Protocol = isSo ? Protocol : null,
        };

    public override string ToString() => $"meta l4proto {Protocol.ToString().ToLowerInvariant()}";
}

/// <summary>Where the addresses stand in the header.</summary>
internal static class AddressField
{
    public static string Word(IpFamily family, NftEnd end) =>
        $"{(family == IpFamily.IPv4 ? "ip" : "ip6")} {(end == NftEnd.Source ? "saddr" : "daddr")}";

    public static void Load(Expressions into, IpFamily family, NftEnd end, int slot = 0)
    {
        const uint networkHeader = 1;
        var length = (uint)family.Octets();
        var first = family == IpFamily.IPv4 ? 12u : 8;
        into.Payload(networkHeader, end == NftEnd.Source ? first : first + length, length, slot);
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

/// <summary>tcp dport 80, udp dport != 100-200; the protocol stands before it.</summary>
public sealed record MatchPort(NftEnd End, PortRange Ports, bool Outside = false) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        const uint transportHeader = 2, length = 2;
        into.Payload(transportHeader, End == NftEnd.Source ? 0u : length, length);
        if (Ports.From == Ports.To) into.Compare(Outside ? Operator.NotEqual : Operator.Equal, NftOctets.Of(Ports.From).Span.ToArray());
        else into.Range(Outside, NftOctets.Of(Ports.From), NftOctets.Of(Ports.To));
    }

    internal override NftAnswer Ask(PassingPacket packet) =>
        packet.HasPort(End, Ports) is { } known ? NftAnswer.Of(known != Outside)
            : new NftAnswer.Unknown(End == NftEnd.Source ? "the source port" : "the destination port",
                End == NftEnd.Source ? packet.SourceNow(Asked(outside: false)) : Asked(outside: false), !Outside)
            {
                Learn = isSo => packet.LearnPort(End, Ports, isSo),
            };

    public override string ToString() => Asked(Outside);

    private string Asked(bool outside) => $"th {(End == NftEnd.Source ? "sport" : "dport")} {(outside ? "!= " : "")}{Ports}";
}

public readonly record struct PortRange(ushort From, ushort To)
{
    public override string ToString() => From == To ? $"{From}" : $"{From}-{To}";
}

/// <summary>
/// fib saddr type local, fib saddr . oif type != local: whether the source is this host's own address, or the outgoing interface's.
/// </summary>
public sealed record MatchLocalSource(bool OfOutgoingInterface, bool Not = false) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        const uint addressType = 3, source = 1, outgoing = 16;
        into.Fib(addressType, OfOutgoingInterface ? source | outgoing : source);
        into.Compare(Not ? Operator.NotEqual : Operator.Equal, BitConverter.GetBytes((uint)RouteType.Local));
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        var isLocal = packet.Source is { } source ? packet.Facts.IsLocal(source) : null;
        if (OfOutgoingInterface && isLocal == true)
            isLocal = packet.Out is not { } link ? true
                : link.Known is { } name ? packet.Facts.IsLocalOn(packet.Source!.Value, name) : null;
        return isLocal is { } known ? NftAnswer.Of(known != Not)
            : new NftAnswer.Unknown("whether the source is an address of this host's", packet.SourceNow(Asked(not: false)), !Not);
    }

    public override string ToString() => Asked(Not);

    private string Asked(bool not) => $"fib saddr{(OfOutgoingInterface ? " . oif" : "")} type {(not ? "!= " : "")}local";
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

/// <summary>ct state established,related</summary>
[Flags]
public enum ConnectionStates : uint { Invalid = 1, Established = 2, Related = 4, New = 8, Untracked = 64 }

public sealed record MatchState(ConnectionStates States) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        const uint state = 0;
        into.Conntrack(state);
        into.Bitwise((uint)States, 0);
        into.Compare(Operator.NotEqual, new byte[sizeof(uint)]);
    }

    internal override NftAnswer Ask(PassingPacket packet) =>
        packet.IsIn(States) is { } known ? NftAnswer.Of(known) : new NftAnswer.Unknown("the state of its connection", ToString())
        {
            Learn = isSo => packet.LearnState(States, isSo),
        };

    public override string ToString() => $"ct state {States.ToString().ToLowerInvariant().Replace(" ", "", StringComparison.Ordinal)}";
}
