using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using static Calico.Bgp.Kernel.Nftables.Expressions;

namespace Calico.Bgp.Kernel.Nftables;

// What a rule does with a packet, one record for each; above each what nft calls it.

/// <summary>NF_NAT_RANGE_…</summary>
internal static class NatFlags
{
    public const uint Addresses = 1, Ports = 2, Persistent = 8, FullyRandom = 16, Prefix = 64;
}

/// <summary>masquerade [to :LO-HI] fully-random: the source becomes the address of the outgoing interface.</summary>
/// <param name="Ports">Needs a protocol with ports in the same rule.</param>
public sealed record ActMasquerade(PortRange? Ports = null) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        if (Ports is not { } ports) { into.Masquerade(NatFlags.FullyRandom, null, null); return; }
        into.Immediate(NftOctets.Of(ports.From).Span.ToArray(), slot: 0);
        into.Immediate(NftOctets.Of(ports.To).Span.ToArray(), slot: SlotsOfAddress);
        into.Masquerade(NatFlags.FullyRandom | NatFlags.Ports, 0, SlotsOfAddress);
    }

    internal override NftAnswer Ask(PassingPacket packet) =>
        new NftAnswer.Translation(new(NftEnd.Source, null, null, packet.HasPorts ? Ports : null));

    public override string ToString() => $"masquerade {(Ports is { } ports ? $"to :{ports} " : "")}fully-random";
}

/// <summary>snat ip to FROM-TO[:LO-HI] fully-random [persistent]</summary>
/// <param name="Persistent">All connections of a source get the same address.</param>
public sealed record ActSourceNat(Address From, Address To, PortRange? Ports = null, bool Persistent = false) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        var flags = NatFlags.Addresses | NatFlags.FullyRandom | (Persistent ? NatFlags.Persistent : 0)
            | (Ports != null ? NatFlags.Ports : 0);
        into.Immediate(NftOctets.Of(From).Span.ToArray(), slot: 0);
        if (To != From) into.Immediate(NftOctets.Of(To).Span.ToArray(), slot: SlotsOfAddress);
        if (Ports is { } ports)
        {
            into.Immediate(NftOctets.Of(ports.From).Span.ToArray(), slot: 2 * SlotsOfAddress);
            into.Immediate(NftOctets.Of(ports.To).Span.ToArray(), slot: 3 * SlotsOfAddress);
        }
        into.Nat(source: true, From.Family.Number(), flags, 0, To != From ? SlotsOfAddress : null,
            Ports != null ? 2 * SlotsOfAddress : null, Ports != null ? 3 * SlotsOfAddress : null);
    }

    internal override NftAnswer Ask(PassingPacket packet) =>
        new NftAnswer.Translation(new(NftEnd.Source, From, To, packet.HasPorts ? Ports : null));

    public override string ToString()
    {
        var addresses = From == To ? $"{From}" : $"{From}-{To}";
        return $"snat {(From.IsIPv4 ? "ip" : "ip6")} to {addresses}{(Ports is { } ports ? $":{ports}" : "")} fully-random"
            + (Persistent ? ",persistent" : "");
    }
}

/// <summary>
/// update @SET { ip saddr }: the source is in the set from now on, and for as long as the set says; where that is full the rule ends here.
/// </summary>
public sealed record ActRemember(IpFamily Family, string Set) : NftStatement
{
    internal override string? SetAsked => Set;

    internal override void Encode(Expressions into)
    {
        AddressField.Load(into, Family, NftEnd.Source);
        into.Update(Set);
    }

    internal override NftAnswer Ask(PassingPacket packet) => NftAnswer.Of(packet.Family == Family);

    public override string ToString() => $"update @{Set} {{ {AddressField.Word(Family, NftEnd.Source)} }}";
}

/// <summary>dnat ip to ADDRESS[:PORT]</summary>
/// <param name="Port">Needs a protocol with ports in the same rule, or in front of it.</param>
public sealed record ActRedirect(Address To, ushort? Port = null) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Immediate(NftOctets.Of(To).Span.ToArray(), slot: 0);
        if (Port is { } port) into.Immediate(NftOctets.Of(port).Span.ToArray(), slot: SlotsOfAddress);
        into.Nat(source: false, To.Family.Number(), NatFlags.Addresses | (Port != null ? NatFlags.Ports : 0), 0, null,
            Port != null ? SlotsOfAddress : null, null);
    }

    internal override NftAnswer Ask(PassingPacket packet) => packet.Family != To.Family ? NftAnswer.Fails
        : new NftAnswer.Translation(new(NftEnd.Destination, To, To, Port is { } port && packet.HasPorts ? new(port, port) : null));

    public override string ToString() => (To.IsIPv4, Port) switch
    {
        (true, null) => $"dnat ip to {To}",
        (false, null) => $"dnat ip6 to {To}",
        (true, { } port) => $"dnat ip to {To}:{port}",
        (false, { } port) => $"dnat ip6 to [{To}]:{port}",
    };
}

/// <summary>snat ip prefix to PREFIX, dnat ip prefix to PREFIX: the address gets another prefix, and keeps the rest.</summary>
public sealed record ActPrefixNat(NftEnd End, Prefix To) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Immediate(NftOctets.Of(To.Address).Span.ToArray(), slot: 0);
        into.Immediate(NftOctets.Of(To.Last).Span.ToArray(), slot: SlotsOfAddress);
        into.Nat(End == NftEnd.Source, To.Family.Number(), NatFlags.Addresses | NatFlags.Prefix, 0, SlotsOfAddress, null, null);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Family != To.Family) return NftAnswer.Fails;
        if ((End == NftEnd.Source ? packet.Source : packet.Destination) is not { } before)
            return new NftAnswer.Translation(new(End, To.Address, To.Last, null));
        var now = Map(before);
        return new NftAnswer.Translation(new(End, now, now, null));
    }

    private Address Map(Address from)
    {
        byte[] octets = [.. NftOctets.Of(from).Span];
        NftOctets first = NftOctets.Of(To.Address), last = NftOctets.Of(To.Last);
        for (var i = 0; i < octets.Length; i++) octets[i] = (byte)(first.Span[i] | (octets[i] & (first.Span[i] ^ last.Span[i])));
        return Address.FromOctets(octets);
    }

    public override string ToString() =>
        $"{(End == NftEnd.Source ? "snat" : "dnat")} {(To.Family == IpFamily.IPv4 ? "ip" : "ip6")} prefix to {To}";
}

/// <summary>accept, drop, return, jump CHAIN, goto CHAIN</summary>
public sealed record ActDecide(NftVerdict Verdict) : NftStatement
{
    public static readonly ActDecide Accept = new(new NftVerdict(NftVerdictCode.Accept));
    public static readonly ActDecide Drop = new(new NftVerdict(NftVerdictCode.Drop));
    public static readonly ActDecide Return = new(new NftVerdict(NftVerdictCode.Return));

    public static ActDecide Jump(string chain) => new(new NftVerdict(NftVerdictCode.Jump, chain));

    internal override string? ChainMeant => Verdict.Chain;

    internal override void Encode(Expressions into) => into.Decide(Verdict);

    internal override NftAnswer Ask(PassingPacket packet) => new NftAnswer.Verdict(Verdict);

    public override string ToString() => Verdict.ToString();
}

/// <summary>iifname vmap @MAP</summary>
/// <param name="Numbers">
/// Not null: a map from interfaces to numbers (<see cref="Value"/>), by which the map is asked (<see cref="Key"/>). An element of it leads
/// to no chain, so the kernel does not look at all chains again when one comes (nft_table_validate), as it does for one that leads
/// somewhere. nft 1.0.6 fails to list a map that is asked by what another leads to, so the number takes the name's place, behind the first
/// four octets of the value: what is listed is the last map alone. It is written as a name, so that nft reads its own listing back.
/// </param>
public sealed record ActDecideByInterface(bool Leaving, string Map, string? Numbers = null) : NftStatement
{
    public static readonly ImmutableArray<NftType> ValueType = [NftType.Mark, NftType.InterfaceName], KeyType = [NftType.InterfaceName];

    private static readonly NftOctets Before = new(new byte[sizeof(uint)]);

    public static NftOctets Key(uint number) => NftOctets.OfInterface(number.ToString("x8", CultureInfo.InvariantCulture));

    public static NftData Value(uint number) => new(NftOctets.Of(Before, Key(number)));

    /// <summary>Where the interface may be more of the map's than these, each by itself is not told apart.</summary>
    private const int MostTold = 4;

    private string ByName => Numbers ?? Map;

    internal override string? SetAsked => Map;

    internal override IEnumerable<string> SetsAsked => Numbers == null ? [Map] : [Numbers, Map];

    internal override bool Decides => true;

    internal override void Encode(Expressions into)
    {
        var slot = Numbers == null ? 0 : SlotsOfAddress;
        into.Meta(Leaving ? MetaKey.OutName : MetaKey.InName, slot);
        if (Numbers != null) into.Lookup(Numbers, slot: slot, into: slot - 1);
        into.Lookup(Map, slot: slot, verdict: true);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Link(Leaving) is not { } link) return NftAnswer.Fails;
        if (link.Known is not { } name) return AskUnknown(packet, link);
        var found = packet.Table.Find(ByName, NftOctets.OfInterface(name));
        if (found.IsThere == null) return NotKnown(ByName);
        var words = found.Words;
        if (found.Element.Value is NftData number) found = packet.Table.Find(Map, new(number.Octets.Span[sizeof(uint)..].ToArray()));
        if (found.IsThere == null) return NotKnown(Map);
        return found.Element.Value is NftVerdict verdict ? new NftAnswer.Verdict(verdict, words) : NftAnswer.Fails;
    }

    private static NftAnswer.Open NotKnown(string map) => new($"what is in the map {map} at the moment");

    /// <summary>Its name is not known, but it may be known to be none of the map's; else it is taken to be one after the other.</summary>
    private NftAnswer AskUnknown(PassingPacket packet, LinkName link)
    {
        if (packet.Table.Elements(ByName) is not { } elements) return NotKnown(ByName);
        var may = elements.Select(element => AttributeReader.Text(element.From.Span)).Where(name => link.Is(name) != false)
            .Take(MostTold + 1).ToArray();
        if (may.Length == 0) return NftAnswer.Fails;
        if (may.Length > MostTold) return new NftAnswer.Open(LinkField.Fact(Leaving));
        return new NftAnswer.Unknown(LinkField.Fact(Leaving), new MatchInterface(Leaving, may[0]).ToString())
        {
            Learn = isSo => link.Learn(may[0], isSo),
        };
    }

    public override string ToString() => $"{(Leaving ? "oifname" : "iifname")}{(Numbers == null ? "" : $" map @{Numbers}")} vmap @{Map}";
}

/// <summary>ip saddr vmap @MAP</summary>
public sealed record ActDecideByAddress(IpFamily Family, NftEnd End, string Map) : NftStatement
{
    internal override string? SetAsked => Map;

    internal override bool Decides => true;

    internal override void Encode(Expressions into)
    {
        AddressField.Load(into, Family, End);
        into.Lookup(Map, verdict: true);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Family != Family) return NftAnswer.Fails;
        if (packet.At(End) is not { } address) return new NftAnswer.Open("the source that the packet has got");
        var found = packet.Table.Find(Map, NftOctets.Of(address));
        return found.Element.Value is NftVerdict verdict ? new NftAnswer.Verdict(verdict, found.Words) : NftAnswer.Fails;
    }

    public override string ToString() => $"{AddressField.Word(Family, End)} vmap @{Map}";
}

/// <summary>meta mark set meta mark &amp; KEEP ^ TURN</summary>
public sealed record ActMark(uint Keep, uint Turn) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Meta(MetaKey.Mark);
        into.Bitwise(Keep, Turn);
        into.SetMeta(MetaKey.Mark);
    }

    internal override NftAnswer Ask(PassingPacket packet) => new NftAnswer.Marking(Keep, Turn);

    public override string ToString() => $"meta mark set meta mark & 0x{Keep:x8} ^ 0x{Turn:x8}";
}

/// <summary>counter</summary>
public sealed record ActCount : NftStatement
{
    internal override void Encode(Expressions into) => into.Counter();

    internal override NftAnswer Ask(PassingPacket packet) => NftAnswer.Holds;

    public override string ToString() => "counter";
}

/// <summary>notrack</summary>
public sealed record ActNoTrack : NftStatement
{
    internal override void Encode(Expressions into) => into.NoTrack();

    internal override NftAnswer Ask(PassingPacket packet) => new NftAnswer.Untracking();

    public override string ToString() => "notrack";
}

/// <summary>counter name "NAME": counts what gets here in an object of the table's, which outlives the rule.</summary>
public sealed record ActCountBy(string Counter) : NftStatement
{
    internal override void Encode(Expressions into) => into.CountBy(Counter);

    internal override NftAnswer Ask(PassingPacket packet) => NftAnswer.Holds;

    public override string ToString() => $"counter name \"{Counter}\"";
}

/// <summary>ct timeout set "NAME": of a connection of the object's protocol that begins here; of another nothing is set.</summary>
public sealed record ActTimeout(string Timeout) : NftStatement
{
    internal override void Encode(Expressions into) => into.TimeBy(Timeout);

    internal override NftAnswer Ask(PassingPacket packet) => NftAnswer.Holds;

    public override string ToString() => $"ct timeout set \"{Timeout}\"";
}

/// <summary>log prefix "PREFIX" group GROUP: tells whoever listens to the group (NFLOG), with the packet.</summary>
/// <param name="Prefix">At most 127 octets (NF_LOG_PREFIXLEN).</param>
public sealed record ActLog(ushort Group, string Prefix) : NftStatement
{
    private const int MostOctets = 127;

    internal override void Encode(Expressions into) => into.Log(Group, Encoding.UTF8.GetByteCount(Prefix) <= MostOctets ? Prefix
        : throw new ArgumentException($"expected a prefix of at most {MostOctets} octets, got \"{Prefix}\"", nameof(into)));

    internal override NftAnswer Ask(PassingPacket packet) => NftAnswer.Holds;

    public override string ToString() => $"log prefix \"{Prefix}\" group {Group}";
}

/// <summary>
/// reject: drops it, and says so to its source by ICMP (port unreachable). In chains of input, forward, output and prerouting; the kernel
/// takes it nowhere else, nor in chains that are reached from elsewhere.
/// </summary>
/// <param name="Resets">reject with tcp reset: by RST instead, and the kernel takes the connection for closed; of TCP alone.</param>
public sealed record ActReject(bool Resets = false) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        if (Resets) into.Reset();
        else into.Reject();
    }

    internal override NftAnswer Ask(PassingPacket packet) => new NftAnswer.Verdict(new NftVerdict(NftVerdictCode.Drop));

    public override string ToString() => Resets ? "reject with tcp reset" : "reject";
}
