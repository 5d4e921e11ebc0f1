using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nftables;

// What rules do with packets to services: few rules, whatever the number of services, because each asks maps whose keys begin with the
// address, the protocol and, as a rule, the port that a packet is sent to.

/// <summary>What of a packet chooses among several elements.</summary>
public enum FlowField : byte { Source, Destination, SourcePort, DestinationPort, Protocol, FlowLabel }

/// <summary>ip daddr . meta l4proto . th dport</summary>
internal static class ServiceField
{
    /// <param name="withPort">Else of all ports: the key ends with the protocol.</param>
    public static string Word(IpFamily family, bool withPort) =>
        $"{AddressField.Word(family, NftEnd.Destination)} . meta l4proto{(withPort ? $" . {PortField.Word(NftEnd.Destination)}" : "")}";

    /// <returns>The slot behind it.</returns>
    public static int Load(Expressions into, IpFamily family, bool withPort)
    {
        var slot = family.Octets() / sizeof(uint);
        AddressField.Load(into, family, NftEnd.Destination);
        into.Meta(MetaKey.Protocol, slot++);
        if (withPort) PortField.Load(into, NftEnd.Destination, slot++);
        return slot;
    }

    /// <summary>The same of what the connection was begun to.</summary>
    public static string OriginalWord(IpFamily family, bool withPort) =>
        $"ct original {(family == IpFamily.IPv4 ? "ip" : "ip6")} daddr . meta l4proto{(withPort ? " . ct original proto-dst" : "")}";

    /// <returns>The slot behind it.</returns>
    public static int LoadOriginal(Expressions into, IpFamily family, bool withPort)
    {
        var slot = family.Octets() / sizeof(uint);
        into.Original(family == IpFamily.IPv4 ? ConnectionKey.Destination4 : ConnectionKey.Destination6, 0);
        into.Meta(MetaKey.Protocol, slot++);
        if (withPort) into.Original(ConnectionKey.DestinationPort, slot++);
        return slot;
    }

    /// <param name="more">What stands behind it, as the kernel has it.</param>
    /// <param name="room">Where it is to stand; null: by itself.</param>
    public static NftOctets Key(Address address, byte protocol, ushort? port, ReadOnlySpan<byte> more = default, OctetRoom? room = null)
    {
        var behind = port == null ? sizeof(uint) : 2 * sizeof(uint);
        var key = OctetRoom.Take(room, address.Family.Octets() + behind + NetlinkMessage.Align(more.Length), out var octets);
        var at = address.Write(octets);
        octets[at] = protocol;
        at += sizeof(uint);
        if (port is { } number)
        {
            BinaryPrimitives.WriteUInt16BigEndian(octets[at..], number);
            at += sizeof(uint);
        }
        more.CopyTo(octets[at..]);
        return key;
    }

    /// <summary>An address, or an address and a port.</summary>
    public static (Address To, PortRange? Port) Read(NftData value, IpFamily family)
    {
        var octets = value.Octets.Span;
        var to = Address.FromOctets(octets[..family.Octets()]);
        if (octets.Length == family.Octets()) return (to, null);
        var port = BinaryPrimitives.ReadUInt16BigEndian(octets[family.Octets()..]);
        return (to, new(port, port));
    }
}

/// <summary>ip daddr . meta l4proto . th dport vmap @MAP</summary>
/// <param name="WithPort">Else the key ends with the protocol.</param>
public sealed record ActDecideByService(IpFamily Family, string Map, bool WithPort = true) : NftStatement
{
    /// <summary>Of an address with more services than these nothing is told while the protocol or the port is not known.</summary>
    private const int MostTold = 4;

    internal override string? SetAsked => Map;

    internal override bool Decides => true;

    internal override void Encode(Expressions into)
    {
        ServiceField.Load(into, Family, WithPort);
        into.Lookup(Map, verdict: true);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Family != Family || (WithPort && !packet.HasPorts)) return NftAnswer.Fails;
        var port = packet.Ports(NftEnd.Destination).Known;
        if (packet.Protocol is not { } protocol || (WithPort && port == null)) return AskUnknown(packet);
        var found = packet.Table.Find(Map, ServiceField.Key(packet.Destination, (byte)protocol, WithPort ? (ushort)port!.Value : null));
        return found.Element.Value is NftVerdict verdict ? new NftAnswer.Verdict(verdict, found.Words) : NftAnswer.Fails;
    }

    /// <summary>It may be known that there is no service at all; else each there is has its turn.</summary>
    private NftAnswer AskUnknown(PassingPacket packet)
    {
        var ports = packet.Ports(NftEnd.Destination);
        var behind = Family.Octets();
        var address = NftOctets.Of(packet.Destination);
        var may = (packet.Table.Elements(Map) ?? []).Select(element => element.From)
            .Where(key => key.Span.StartsWith(address.Span)).Select(key => (Protocol: key.Span[behind], Port: PortOf(key, behind)))
            .Where(one => packet.Protocols.Is(NumberRange.One(one.Protocol)) != false
                && (!WithPort || ports.Is(NumberRange.One(one.Port)) != false))
            .Take(MostTold + 1).ToArray();
        if (may.Length == 0) return NftAnswer.Fails;
        if (may.Length > MostTold) return new NftAnswer.Open("the protocol and the port, of which many are services'");
        var (asked, at) = (NumberRange.One(may[0].Protocol), NumberRange.One(may[0].Port));
        if (packet.Protocol == null)
            return new NftAnswer.Unknown("the protocol", new MatchProtocols((IpProtocol)may[0].Protocol).ToString())
            {
                Learn = isSo => packet.Protocols.Learn(asked, isSo),
            };
        return new NftAnswer.Unknown(PortField.Fact(NftEnd.Destination),
            packet.PortNow(NftEnd.Destination, new MatchPorts(NftEnd.Destination, may[0].Port).ToString()))
        {
            Learn = isSo => ports.Learn(at, isSo),
        };
    }

    private ushort PortOf(NftOctets key, int behind) =>
        WithPort ? BinaryPrimitives.ReadUInt16BigEndian(key.Span[(behind + sizeof(uint))..]) : (ushort)0;

    public override string ToString() => $"{ServiceField.Word(Family, WithPort)} vmap @{Map}";
}

/// <summary>
/// dnat ip to ip daddr . meta l4proto . th dport . jhash ip saddr . th sport mod SIDES seed 0x0 map @MAP: of a service's elements, which
/// are numbered from 0, the one that the flow's hash falls upon, over restarts and on all nodes the same. Without fields by symhash, the
/// kernel's own of both directions alike, whose seed is another at each boot.
/// </summary>
/// <param name="WithPort">The map's key has the port, and its value one; else neither has.</param>
public sealed record ActSpread(IpFamily Family, ListOf<FlowField> Fields, uint Sides, string Map, bool WithPort = true) : NftStatement
{
    internal override string? SetAsked => Map;

    internal override bool Decides => true;

    /// <summary>The hash is computed before the key is loaded in its place: both at once have no room.</summary>
    internal override void Encode(Expressions into)
    {
        var behind = (Family.Octets() / sizeof(uint)) + (WithPort ? 2 : 1);
        var slot = 0;
        foreach (var field in Fields) slot = Load(into, field, slot);
        if (Fields.Count == 0) into.SymmetricHash(Sides, behind);
        else into.Hash(0, (uint)(slot * sizeof(uint)), Sides, behind);
        ServiceField.Load(into, Family, WithPort);
        into.Lookup(Map, into: 0);
        into.Nat(source: false, Family.Number(), NatFlags.Addresses | (WithPort ? NatFlags.Ports : 0), 0, null,
            WithPort ? Family.Octets() / sizeof(uint) : null, null);
    }

    /// <summary>A flow label's lower 16 bits, which can be loaded by themselves.</summary>
    private int Load(Expressions into, FlowField field, int slot)
    {
        switch (field)
        {
            case FlowField.Source: AddressField.Load(into, Family, NftEnd.Source, slot); return slot + (Family.Octets() / sizeof(uint));
            case FlowField.Destination:
                AddressField.Load(into, Family, NftEnd.Destination, slot);
                return slot + (Family.Octets() / sizeof(uint));
            case FlowField.SourcePort: PortField.Load(into, NftEnd.Source, slot); return slot + 1;
            case FlowField.DestinationPort: PortField.Load(into, NftEnd.Destination, slot); return slot + 1;
            case FlowField.Protocol: into.Meta(MetaKey.Protocol, slot); return slot + 1;
            default: into.Payload(Expressions.Header.Network, 2, 2, slot); return slot + 1;
        }
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Family != Family || (WithPort && !packet.HasPorts)) return NftAnswer.Fails;
        if (packet.Protocol is not { } protocol) return new NftAnswer.Open("the protocol");
        if (Port(packet, NftEnd.Destination) is not { } port && WithPort) return new NftAnswer.Open(PortField.Fact(NftEnd.Destination));
        if (Side(packet, out var missing) is { } side)
            return At(packet, protocol, side) is { } only ? new NftAnswer.Translation(only) : NftAnswer.Fails;
        if (!SidesOf(packet, protocol).Any()) return NftAnswer.Fails;
        if (packet.Side is not { } said) return new NftAnswer.Open(missing) { Sides = SidesOf(packet, protocol) };
        return At(packet, protocol, said) is { } to
            ? new NftAnswer.Translation(to) { Said = new(missing, Words(to), true) } : NftAnswer.Fails;
    }

    /// <summary>A backend of weight has several elements.</summary>
    private IEnumerable<(uint Side, Address To)> SidesOf(PassingPacket packet, IpProtocol protocol)
    {
        var seen = new HashSet<PacketTranslation>();
        for (var side = 0u; side < Sides; side++)
            if (At(packet, protocol, side) is { First: { } to } one && seen.Add(one)) yield return (side, to);
    }

    private static string Words(PacketTranslation to) => $"dnat to {to.First}{(to.Ports is { } ports ? $" port {ports.From}" : "")}";

    private PacketTranslation? At(PassingPacket packet, IpProtocol protocol, uint side)
    {
        var key = Key(packet.Destination, (byte)protocol, WithPort ? Port(packet, NftEnd.Destination) : null, side);
        if (packet.Table.Find(Map, key).Element.Value is not NftData data) return null;
        var (to, ports) = ServiceField.Read(data, Family);
        return new(NftEnd.Destination, to, to, ports);
    }

    private uint? Side(PassingPacket packet, out string missing)
    {
        missing = "";
        if (Sides == 1) return 0;
        if (Fields.Count == 0) missing = "the kernel's symmetric hash, whose seed nobody knows";
        var parts = new List<NftOctets>();
        foreach (var field in Fields)
            if (Value(packet, field) is { } value) parts.Add(value);
            else missing = field switch
            {
                FlowField.SourcePort => $"{PortField.Fact(NftEnd.Source)}, which chooses one of {Sides}",
                FlowField.FlowLabel => "the flow label, which nobody says",
                _ => "the source that the packet has got",
            };
        return missing.Length > 0 ? null : JenkinsHash.Mod(NftOctets.Of([.. parts]).Span, Sides);
    }

    private static NftOctets? Value(PassingPacket packet, FlowField field) => field switch
    {
        FlowField.Source => packet.Source is { } source ? NftOctets.Of(source) : null,
        FlowField.Destination => NftOctets.Of(packet.Destination),
        FlowField.SourcePort => Port(packet, NftEnd.Source) is { } port ? NftOctets.Of(port) : null,
        FlowField.DestinationPort => Port(packet, NftEnd.Destination) is { } port ? NftOctets.Of(port) : null,
        FlowField.Protocol => packet.Protocol is { } protocol ? new NftOctets([(byte)protocol]) : null,
        _ => null,
    };

    private static ushort? Port(PassingPacket packet, NftEnd end) => (ushort?)packet.Ports(end).Known;

    /// <summary>The key of an element.</summary>
    /// <param name="port">Null: of all.</param>
    /// <param name="room">Where it is to stand; null: by itself.</param>
    public static NftOctets Key(Address address, byte protocol, ushort? port, uint side, OctetRoom? room = null) =>
        ServiceField.Key(address, protocol, port, MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in side)), room);

    public override string ToString()
    {
        var hash = Fields.Count == 0 ? $"symhash mod {Sides}"
            : $"jhash {string.Join(" . ", Fields.Select(Word))} mod {Sides} seed 0x0";
        return $"dnat {(Family == IpFamily.IPv4 ? "ip" : "ip6")} to {ServiceField.Word(Family, WithPort)} . {hash} map @{Map}";
    }

    private string Word(FlowField field) => field switch
    {
        FlowField.Source => AddressField.Word(Family, NftEnd.Source),
        FlowField.Destination => AddressField.Word(Family, NftEnd.Destination),
        FlowField.SourcePort => PortField.Word(NftEnd.Source),
        FlowField.DestinationPort => PortField.Word(NftEnd.Destination),
        FlowField.Protocol => "meta l4proto",
        _ => "@nh,16,16",
    };
}

/// <summary>ct original ip daddr . meta l4proto . ct original proto-dst @SET: whether a connection was begun to one of these.</summary>
public sealed record MatchBegunTo(IpFamily Family, string Set) : NftStatement
{
    internal override string? SetAsked => Set;

    internal override void Encode(Expressions into)
    {
        ServiceField.LoadOriginal(into, Family, withPort: true);
        into.Lookup(Set);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Family != Family || !packet.HasPorts) return NftAnswer.Fails;
        if (packet.Protocol is not { } protocol) return new NftAnswer.Unknown("the protocol", ToString());
        return packet.OriginalPorts.Known is { } port
            ? Membership.Of(packet, Set, MatchAddressPort.Key(packet.OriginalDestination, (byte)protocol, (ushort)port), outside: false)
            : new NftAnswer.Unknown(PortField.Fact(NftEnd.Destination), ToString());
    }

    public override string ToString() => $"{ServiceField.OriginalWord(Family, withPort: true)} @{Set}";
}

/// <summary>
/// snat ip to ct original ip daddr . meta l4proto . ct original proto-dst . ip daddr . th dport map @MAP fully-random: by the service that
/// a connection was begun to, and the backend that it has got.
/// </summary>
/// <param name="WithPort">Else the key has no ports.</param>
/// <param name="GivesPort">The map's value has a port, which the source gets; else the kernel takes a free one.</param>
public sealed record ActSourceNatByService(IpFamily Family, string Map, bool WithPort = true, bool GivesPort = false) : NftStatement
{
    internal override string? SetAsked => Map;

    internal override void Encode(Expressions into)
    {
        var wide = Family.Octets() / sizeof(uint);
        var slot = ServiceField.LoadOriginal(into, Family, WithPort);
        AddressField.Load(into, Family, NftEnd.Destination, slot);
        if (WithPort) PortField.Load(into, NftEnd.Destination, slot + wide);
        into.Lookup(Map, into: 0);
        into.Nat(source: true, Family.Number(), NatFlags.Addresses | (GivesPort ? NatFlags.Ports : NatFlags.FullyRandom), 0, null,
            GivesPort ? wide : null, null);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Family != Family || (WithPort && !packet.HasPorts)) return NftAnswer.Fails;
        if (packet.Protocol is not { } protocol) return new NftAnswer.Open("the protocol");
        ushort? asked = (ushort?)packet.OriginalPorts.Known, now = (ushort?)packet.Ports(NftEnd.Destination).Known;
        if (WithPort && (asked == null || now == null)) return new NftAnswer.Open(PortField.Fact(NftEnd.Destination));
        var found = packet.Table.Find(Map, WithPort
            ? Key(packet.OriginalDestination, (byte)protocol, asked, packet.Destination, now)
            : Key(packet.OriginalDestination, (byte)protocol, null, packet.Destination, null));
        if (found.Element.Value is not NftData data) return NftAnswer.Fails;
        var (from, port) = ServiceField.Read(data, Family);
        return new NftAnswer.Translation(new(NftEnd.Source, from, from, packet.HasPorts ? port : null));
    }

    /// <summary>The key of an element.</summary>
    /// <param name="port">The service's; null: of all ports.</param>
    /// <param name="backendPort">Null where <paramref name="port"/> is.</param>
    /// <param name="room">Where it is to stand; null: by itself.</param>
    public static NftOctets Key(
        Address address, byte protocol, ushort? port, Address backend, ushort? backendPort, OctetRoom? room = null)
    {
        var behind = backendPort is { } number ? NftOctets.OfPort(backend, number) : NftOctets.Of(backend);
        return ServiceField.Key(address, protocol, port, behind.Span, room);
    }

    public override string ToString()
    {
        var word = Family == IpFamily.IPv4 ? "ip" : "ip6";
        var key = $"{ServiceField.OriginalWord(Family, WithPort)} . {word} daddr{(WithPort ? " . th dport" : "")}";
        return $"snat {word} to {key} map @{Map}{(GivesPort ? "" : " fully-random")}";
    }
}
