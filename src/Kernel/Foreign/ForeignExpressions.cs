using System.Buffers.Binary;
using System.Net;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Foreign;

/// <summary>
/// One rule of nf_tables as the kernel tells it, a list of expressions that load registers, compare them and act by them
/// (linux/netfilter/nf_tables.h; the numbers' names stand beside them). An expression that is not known here may have loaded any register
/// and may have ended the rule.
/// </summary>
/// <param name="words">Whose rule it is.</param>
/// <param name="sets">By name; null: it could not be read.</param>
internal sealed class ForeignExpressions(string words, Func<string, ToldSet?> sets, ForeignPacket packet)
{
    private const ushort Name = 1, Data = 2, Value = 1;

    /// <summary>The bit of a connection that begins, among ct state's (NF_CT_STATE_BIT).</summary>
    private const uint NewConnection = 8;

    private const uint IsLocal = 2, IsUnicast = 1; // RTN_LOCAL, RTN_UNICAST

    private readonly ForeignRegisters registers = new();
    private ForeignVerdict verdict = ForeignVerdict.Next;

    public ForeignVerdict Run(ReadOnlySpan<byte> rule)
    {
        var list = new AttributeReader(rule);
        while (list.Next(out _, out var expression))
        {
            var name = AttributeReader.Text(AttributeReader.Find(expression, Name));
            if (!Do(name, AttributeReader.Find(expression, Data)) || verdict != ForeignVerdict.Next) break;
        }
        return verdict;
    }

    private static uint Number(ReadOnlySpan<byte> of, ushort type) => AttributeReader.BigEndian(AttributeReader.Find(of, type));

    private static ReadOnlySpan<byte> Octets(ReadOnlySpan<byte> of, ushort type) =>
        AttributeReader.Find(AttributeReader.Find(of, type), Value);

    /// <returns>False: the rule ends here.</returns>
    private bool Do(string name, ReadOnlySpan<byte> of)
    {
        switch (name)
        {
            case "payload": Payload(of); return true;
            case "meta": Meta(of); return true;
            case "bitwise": Bitwise(of); return true;
            case "cmp": return Compare(of);
            case "range": return Range(of);
            case "lookup": return Lookup(of);
            case "immediate": Immediate(of); return true;
            case "fib": Fib(of); return true;
            case "ct": Connection(of); return true;
            case "numgen" or "hash": registers.Forget(Number(of, name == "hash" ? (ushort)2 : (ushort)1), 4); return true; // DREG
            case "nat": Translate(of); return true;
            case "redir" or "tproxy": ToHere(name == "redir" ? Port(Number(of, 1)) : null); return true; // REG_PROTO_MIN
            case "reject": verdict = ForeignVerdict.Drop; return true;
            case "match": return Xt.Matches(XtName(of), XtRevision(of), AttributeReader.Find(of, 3), packet);
            case "target":
                verdict = Xt.Target(XtName(of), XtRevision(of), AttributeReader.Find(of, 3), packet) ?? ForeignVerdict.Next;
                return true;
            case "counter" or "log" or "dynset" or "objref" or "last" or "quota" or "notrack": return true;
            default:
                registers.ForgetAll();
                return packet.Guess($"what \"{name}\" in {words} does");
        }
    }

    private static string XtName(ReadOnlySpan<byte> of) => AttributeReader.Text(AttributeReader.Find(of, 1));
    private static uint XtRevision(ReadOnlySpan<byte> of) => Number(of, 2);

    private void Payload(ReadOnlySpan<byte> of)
    {
        const uint network = 1, transport = 2;
        var (register, place, at, length) = (Number(of, 1), Number(of, 2), (int)Number(of, 3), (int)Number(of, 4));
        var header = place switch { network => NetworkHeader(), transport => TransportHeader(), _ => [] };
        registers.Forget(register, length);
        if (at >= 0 && length >= 0 && at <= header.Length - length && !header.AsSpan(at, length).Contains(null))
            registers.Put(register, [.. header[at..(at + length)].Select(octet => octet!.Value)]);
    }

    private byte?[] NetworkHeader()
    {
        var said = packet.Said;
        var header = new byte?[said.Source.IsIPv4 ? 20 : 40];
        var (protocol, from, to) = said.Source.IsIPv4 ? (9, 12, 16) : (6, 8, 24);
        header[protocol] = (byte?)said.Protocol;
        Put(header, from, NftOctets.Of(said.Source).Span);
        Put(header, to, NftOctets.Of(said.Destination).Span);
        return header;
    }

    private byte?[] TransportHeader()
    {
        var (said, header) = (packet.Said, new byte?[4]);
        if (said.Protocol is IpProtocol.Icmp or IpProtocol.Icmp6) return [said.IcmpType, said.IcmpCode, null, null];
        if (said.SourcePort is { } from) Put(header, 0, NftOctets.Of(from).Span);
        if (said.DestinationPort is { } to) Put(header, 2, NftOctets.Of(to).Span);
        return header;
    }

    private static void Put(byte?[] header, int at, ReadOnlySpan<byte> value)
    {
        foreach (var octet in value) header[at++] = octet;
    }

    private void Meta(ReadOnlySpan<byte> of)
    {
        const ushort destination = 1, key = 2, source = 3;
        var (what, register) = (Number(of, key), Number(of, destination));
        if (AttributeReader.Find(of, source) is { IsEmpty: false } from)
        {
            if (what == MetaKey.Mark && registers.Of(AttributeReader.BigEndian(from), 4) is { } mark)
                packet.Mark = BitConverter.ToUInt32(mark);
            return;
        }
        var said = packet.Said;
        switch (what)
        {
            case MetaKey.Mark: registers.Put(register, BitConverter.GetBytes(packet.Mark)); break;
            case MetaKey.Family: registers.Put(register, [said.Source.Family.Number()]); break;
            case MetaKey.Protocol when said.Protocol is { } protocol: registers.Put(register, [(byte)protocol]); break;
            case MetaKey.InName when said.In is { } link: registers.Put(register, NftOctets.OfInterface(link).Span); break;
            default: registers.Forget(register, what is MetaKey.InName or MetaKey.OutName ? 16 : 4); break;
        }
    }

    private void Bitwise(ReadOnlySpan<byte> of)
    {
        var (from, into, length) = (Number(of, 1), Number(of, 2), (int)Number(of, 3));
        ReadOnlySpan<byte> mask = Octets(of, 4), turn = Octets(of, 5);
        if (Number(of, 6) != 0 || mask.Length != length || turn.Length != length || registers.Of(from, length) is not { } value)
        {
            registers.Forget(into, length);
            return;
        }
        for (var i = 0; i < length; i++) value[i] = (byte)(value[i] & mask[i] ^ turn[i]);
        registers.Put(into, value);
    }

    private bool Compare(ReadOnlySpan<byte> of)
    {
        const uint equal = 0, unequal = 1, less = 2, atMost = 3, greater = 4;
        var (register, how) = (Number(of, 1), Number(of, 2));
        var with = Octets(of, 3);
        if (registers.Of(register, with.Length) is not { } value)
            return how is equal or unequal && !registers.MayBe(register, with) ? how == unequal : Unknown("cmp");
        var order = value.AsSpan().SequenceCompareTo(with);
        return how switch
        {
            equal => order == 0,
            unequal => order != 0,
            less => order < 0,
            atMost => order <= 0,
            greater => order > 0,
            _ => order >= 0,
        };
    }

    /// <summary>Something that a rule compares, and nobody has said of the packet.</summary>
    private bool Unknown(string how) => packet.Guess($"whether a rule of {words} holds ({how})");

    private bool Range(ReadOnlySpan<byte> of)
    {
        const uint outside = 1;
        ReadOnlySpan<byte> first = Octets(of, 3), last = Octets(of, 4);
        if (registers.Of(Number(of, 1), first.Length) is not { } value) return Unknown("range");
        var isIn = value.AsSpan().SequenceCompareTo(first) >= 0 && value.AsSpan().SequenceCompareTo(last) <= 0;
        return isIn != (Number(of, 2) == outside);
    }

    private bool Lookup(ReadOnlySpan<byte> of)
    {
        var register = Number(of, 2);                // SREG
        var into = AttributeReader.Find(of, 3);      // DREG
        var isOutside = (Number(of, 5) & 1) != 0;    // FLAGS, NFT_LOOKUP_F_INV
        if (sets(AttributeReader.Text(AttributeReader.Find(of, 1))) is not { } set)
        {
            registers.ForgetAll();
            return Unknown("a set that could not be read");
        }
        // What others put in and take out as packets come is read as it is now.
        var (shape, elements) = (set.Shape, set.Elements);
        var length = elements.Count == 0 ? 0 : elements[0].From.Span.Length;
        if (shape.Intervals && shape.Key.Length > 1 && NftTypes.Length(shape.Key) != length && length > 0)
            return Unknown("a set of types that are not known");
        if (length > 0 && registers.Of(register, length) is { } key)
        {
            var found = elements.FindIndex(element => Has(shape, element, new(key)));
            return found < 0 ? isOutside : !isOutside && Take(elements[found], into);
        }
        NftElement[] possible = [.. elements.Where(element => shape.Intervals || registers.MayBe(register, element.From.Span))];
        if (possible.Length == 0) return isOutside;
        // A die has all of its numbers in the map; of what is not known there may be more than in the set.
        if (!into.IsEmpty) return Take(possible[packet.Choose(possible.Length)], into);
        return Unknown("lookup");
    }

    private static bool Has(NftSet set, in NftElement element, NftOctets key) =>
        set.Intervals && set.Key.Length == 1 ? element.From <= key && key <= element.To : set.Covers(element, key);

    /// <summary>Of a map: its value goes into the register, or is done.</summary>
    private bool Take(in NftElement element, ReadOnlySpan<byte> into)
    {
        if (into.IsEmpty) return true;
        if (element.Value is NftVerdict to) verdict = Of(to);
        else if (element.Value is NftData(var value)) registers.Put(AttributeReader.BigEndian(into), value.Span);
        return true;
    }

    private static ForeignVerdict Of(NftVerdict to) => to.Code switch
    {
        NftVerdictCode.Jump => new(ForeignStep.Jump, to.Chain),
        NftVerdictCode.Goto => new(ForeignStep.Goto, to.Chain),
        NftVerdictCode.Return => ForeignVerdict.Return,
        NftVerdictCode.Drop => ForeignVerdict.Drop,
        NftVerdictCode.Accept => ForeignVerdict.Accept,
        _ => ForeignVerdict.Next, // NFT_CONTINUE, NFT_BREAK
    };

    private void Immediate(ReadOnlySpan<byte> of)
    {
        const ushort isVerdict = 2, code = 1, chain = 2;
        var data = AttributeReader.Find(of, 2); // DATA
        var decision = AttributeReader.Find(data, isVerdict);
        if (!decision.IsEmpty)
            verdict = Of(new((NftVerdictCode)(int)Number(decision, code), AttributeReader.Text(AttributeReader.Find(decision, chain))));
        else registers.Put(Number(of, 1), AttributeReader.Find(data, Value));
    }

    private void Fib(ReadOnlySpan<byte> of)
    {
        const uint type = 3, ofSource = 1, ofDestination = 2; // NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_SADDR, NFTA_FIB_F_DADDR
        var (register, flags) = (Number(of, 1), Number(of, 3));
        if (Number(of, 2) != type || flags is not (ofSource or ofDestination)) { registers.Forget(register, 4); return; }
        var address = flags == ofSource ? packet.Said.Source : packet.Said.Destination;
        registers.Put(register, BitConverter.GetBytes(packet.IsLocal(address) ? IsLocal : IsUnicast));
    }

    private void Connection(ReadOnlySpan<byte> of)
    {
        const uint state = 0;
        if (AttributeReader.Find(of, 1) is not { IsEmpty: false } into) return; // it is set
        if (Number(of, 2) == state) registers.Put(AttributeReader.BigEndian(into), BitConverter.GetBytes(NewConnection));
        else registers.Forget(AttributeReader.BigEndian(into), 16);
    }

    private void Translate(ReadOnlySpan<byte> of)
    {
        const uint toDestination = 1;
        if (Number(of, 1) != toDestination) { verdict = ForeignVerdict.Accept; return; } // TYPE
        var length = packet.Said.Source.Family.Octets();
        var (from, to) = (Number(of, 3), Number(of, 4)); // REG_ADDR_MIN, REG_ADDR_MAX
        if (from == 0) { verdict = new(ForeignStep.Translate, To: new(packet.Said.Destination, Port(Number(of, 5)))); return; }
        var (first, last) = (registers.Of(from, length), registers.Of(to == 0 ? from : to, length));
        if (first == null || last == null || !first.AsSpan().SequenceEqual(last))
        {
            verdict = packet.Lose($"to which of several addresses {words} translates");
            return;
        }
        verdict = new(ForeignStep.Translate, To: new(Address.FromOctets(first), Port(Number(of, 5))));
    }

    private ushort? Port(uint register) => register != 0 && registers.Of(register, 2) is { } port
        ? BinaryPrimitives.ReadUInt16BigEndian(port) : null;

    /// <summary>To an address of the interface that it comes in by, and of a packet of this host's own to the loopback's.</summary>
    private void ToHere(ushort? port) => verdict = packet.IsOwn
        ? new(ForeignStep.Translate, To: new(Address.From(packet.Said.Source.IsIPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback), port))
        : packet.Lose($"to which address of this host {words} sends it");
}
