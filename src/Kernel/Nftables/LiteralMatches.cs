using System.Collections.Immutable;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using static Calico.Bgp.Kernel.Nftables.Expressions;

namespace Calico.Bgp.Kernel.Nftables;

// What a rule asks of a packet by values that stand in the rule itself. Of one value it is a comparison, of several the rule gets a set of
// its own that has no name (nft: an anonymous set), comes with the rule and goes with it. A list must have something in it: none of nothing
// is true of every packet, and one of nothing of none, and either may be meant by mistake.

internal static class Literal
{
    /// <summary>The kernel puts a number in place of %d.</summary>
    public const string Name = "__set%d";

    /// <exception cref="ArgumentException">There is nothing in the list.</exception>
    public static void Need(int count, string what)
    {
        if (count == 0) throw new ArgumentException($"expected {what}, at least one, got none", nameof(count));
    }

    public static NftSet Set(ImmutableArray<NftType> key, bool intervals, ImmutableArray<NftElement> elements) =>
        new(Name, key, intervals, elements) { Anonymous = true };

    public static string Words<T>(ReadOnlySpan<T> values, Func<T, string> word)
    {
        var words = new List<string>();
        foreach (var value in values) words.Add(word(value));
        return words.Count == 1 ? words[0] : $"{{ {string.Join(", ", words)} }}";
    }
}

/// <summary>meta l4proto tcp, meta l4proto != { tcp, 47 }</summary>
public sealed record MatchProtocols(ListOf<byte> Protocols, bool Outside = false) : NftStatement
{
    public MatchProtocols(IpProtocol protocol) : this([(byte)protocol]) { }

    internal override void Encode(Expressions into)
    {
        Literal.Need(Protocols.Count, "protocols");
        into.Meta(MetaKey.Protocol);
        byte[] distinct = [.. Protocols.Distinct()];
        if (distinct.Length == 1) into.Compare(Outside ? Operator.NotEqual : Operator.Equal, distinct);
        else into.LookupAmong(
            Literal.Set([NftType.Protocol], false, [.. distinct.Select(one => NftElement.Of(new NftOctets([one])))]), Outside);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        NumberRange[] asked = [.. Protocols.Select(one => NumberRange.One(one))];
        return packet.Protocols.Is(asked) is { } known ? NftAnswer.Of(known != Outside)
            : new NftAnswer.Unknown("the protocol", Asked(outside: false), !Outside)
            {
                Learn = isSo => packet.Protocols.Learn(asked, isSo),
            };
    }

    public override string ToString() => Asked(Outside);

    private string Asked(bool outside) =>
        $"meta l4proto {(outside ? "!= " : "")}{Literal.Words(Protocols.Items, one => ((IpProtocol)one).ToString().ToLowerInvariant())}";
}

/// <summary>ip saddr { 10.0.0.0/8, 192.168.1.1 }, ip6 daddr != fd00::/8</summary>
public sealed record MatchNets(IpFamily Family, NftEnd End, ListOf<Prefix> Nets, bool Outside = false) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        Literal.Need(Nets.Count, "prefixes");
        foreach (var net in Nets)
            if (net.Family != Family) throw new ArgumentException($"expected prefixes of {Family.Word()}, got {net}", nameof(into));
        var joined = Joined(Nets.Items);
        if (joined is [var only]) Compare(into, only);
        else
        {
            AddressField.Load(into, Family, End);
            var type = Family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address;
            into.LookupAmong(Literal.Set([type], true, [.. joined.Select(NftElement.Of)]), Outside);
        }
    }

    /// <summary>In order, without those that lie in others, which a set of ranges does not take.</summary>
    private static ImmutableArray<Prefix> Joined(ReadOnlySpan<Prefix> nets)
    {
        Prefix[] sorted = [.. nets];
        Array.Sort(sorted);
        var joined = ImmutableArray.CreateBuilder<Prefix>(sorted.Length);
        foreach (var net in sorted)
            if (joined.Count == 0 || !joined[^1].Contains(net.Address)) joined.Add(net);
        return joined.DrainToImmutable();
    }

    /// <summary>As nft does it: of a prefix that ends with an octet only its octets are looked at.</summary>
    private void Compare(Expressions into, Prefix net)
    {
        var how = Outside ? Operator.NotEqual : Operator.Equal;
        var octets = NftOctets.Of(net.Address).Span;
        if (net.Length % 8 == 0 && net.Length > 0)
        {
            AddressField.Load(into, Family, End, octets: net.Length / 8);
            into.Compare(how, octets[..(net.Length / 8)].ToArray());
            return;
        }
        var mask = new byte[octets.Length];
        for (var bit = 0; bit < net.Length; bit++) mask[bit / 8] |= (byte)(0x80 >> (bit % 8));
        AddressField.Load(into, Family, End);
        into.Bitwise(mask);
        into.Compare(how, octets.ToArray());
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        if (packet.Family != Family) return NftAnswer.Fails; // of the other family the kernel would read something else
        if (packet.At(End) is not { } address) return Membership.OfUnknown(Asked(outside: false), Outside);
        foreach (var net in Nets)
            if (net.Contains(address)) return new NftAnswer.Match(!Outside, net.ToString());
        return NftAnswer.Of(Outside);
    }

    public override string ToString() => Asked(Outside);

    private string Asked(bool outside) =>
        $"{AddressField.Word(Family, End)} {(outside ? "!= " : "")}{Literal.Words(Nets.Items, net => net.ToString())}";
}

/// <summary>tcp dport 80, udp dport != { 53, 100-200 }; the protocol stands before it.</summary>
public sealed record MatchPorts(NftEnd End, ListOf<PortRange> Ports, bool Outside = false) : NftStatement
{
    public MatchPorts(NftEnd end, ushort port) : this(end, [new(port, port)]) { }

    internal override void Encode(Expressions into)
    {
        Literal.Need(Ports.Count, "ports");
        var joined = PortRange.Joined(Ports.Items);
        PortField.Load(into, End);
        if (joined is not [var only])
            into.LookupAmong(Literal.Set([NftType.Port], joined.Any(range => range.From != range.To),
                [.. joined.Select(range => new NftElement(NftOctets.Of(range.From), NftOctets.Of(range.To)))]), Outside);
        else if (only.From == only.To) into.Compare(Outside ? Operator.NotEqual : Operator.Equal, NftOctets.Of(only.From).Span.ToArray());
        else into.Within(Outside, NftOctets.Of(only.From), NftOctets.Of(only.To));
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        NumberRange[] asked = [.. Ports.Select(range => new NumberRange(range.From, range.To))];
        var ports = packet.Ports(End);
        return ports.Is(asked) is { } known ? NftAnswer.Of(known != Outside)
            : new NftAnswer.Unknown(PortField.Fact(End), packet.PortNow(End, Asked(outside: false)), !Outside)
            {
                Learn = isSo => ports.Learn(asked, isSo),
            };
    }

    public override string ToString() => Asked(Outside);

    private string Asked(bool outside) =>
        $"{PortField.Word(End)} {(outside ? "!= " : "")}{Literal.Words(Ports.Items, range => range.ToString())}";
}

/// <summary>Where the ports stand in the transport's header.</summary>
internal static class PortField
{
    public static string Word(NftEnd end) => $"th {(end == NftEnd.Source ? "sport" : "dport")}";

    public static string Fact(NftEnd end) => end == NftEnd.Source ? "the source port" : "the destination port";

    public static void Load(Expressions into, NftEnd end, int slot = 0)
    {
        const uint length = 2;
        into.Payload(Header.Transport, end == NftEnd.Source ? 0u : length, length, slot);
    }
}

/// <summary>icmp type echo-request icmp code 0, icmp type . icmp code != { 8 . 0 }; the protocol stands before it.</summary>
/// <param name="Code">Null: whichever.</param>
/// <param name="Not">Not both of them.</param>
public sealed record MatchIcmp(IpFamily Family, byte Type, byte? Code = null, bool Not = false) : NftStatement
{
    /// <summary>With it <see cref="Type"/> is the first of several: icmpv6 type 133-136, which no code goes with.</summary>
    public byte LastType { get; init; } = Type;

    internal override void Encode(Expressions into)
    {
        var how = Not ? Operator.NotEqual : Operator.Equal;
        if (Code is not { } code)
        {
            into.Payload(Header.Transport, 0, 1);
            if (Type == LastType) into.Compare(how, [Type]);
            else into.Within(Not, new([Type]), new([LastType]));
        }
        else if (!Not)
        {
            into.Payload(Header.Transport, 0, 2);
            into.Compare(how, [Type, code]);
        }
        else
        {
            // Two octets that are not these: nft would list that as a type that is not and a code that is not.
            into.Payload(Header.Transport, 0, 1);
            into.Payload(Header.Transport, 1, 1, slot: 1);
            ImmutableArray<NftType> key = Family == IpFamily.IPv4
                ? [NftType.IcmpType, NftType.IcmpCode] : [NftType.Icmp6Type, NftType.Icmp6Code];
            into.LookupAmong(Literal.Set(key, false, [NftElement.Of(NftOctets.Of([new([Type]), new([code])]))]), outside: true);
        }
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        NumberRange types = new(Type, LastType);
        var isType = packet.IcmpTypes.Is(types);
        var isCode = Code is { } code ? packet.IcmpCodes.Is(NumberRange.One(code)) : true;
        if (isType == false || isCode == false) return NftAnswer.Of(Not);
        if (isType == true && isCode == true) return NftAnswer.Of(!Not);
        return new NftAnswer.Unknown("the type of the ICMP message", Asked(not: false), !Not)
        {
            Learn = isSo =>
            {
                if (isSo || Code == null) packet.IcmpTypes.Learn(types, isSo);
                if (Code is { } asked && (isSo || isType == true)) packet.IcmpCodes.Learn(NumberRange.One(asked), isSo);
            },
        };
    }

    public override string ToString() => Asked(Not);

    private string Asked(bool not)
    {
        var word = Family == IpFamily.IPv4 ? "icmp" : "icmpv6";
        var types = Type == LastType ? $"{Type}" : $"{Type}-{LastType}";
        return Code is not { } code ? $"{word} type {(not ? "!= " : "")}{types}"
            : not ? $"{word} type . {word} code != {{ {types} . {code} }}" : $"{word} type {types} {word} code {code}";
    }
}
