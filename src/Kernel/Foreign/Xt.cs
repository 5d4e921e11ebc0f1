using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Foreign;

/// <summary>
/// Matches and targets of iptables, as its own tables and its rules in nf_tables have them alike: a name, a revision, and a structure of
/// linux/netfilter/xt_*.h in the machine's order. Those that kube-proxy uses; of any other one nothing is known.
/// </summary>
internal static class Xt
{
    private const ushort LocalBit = 1 << 2; // RTN_LOCAL among xt_addrtype's bits

    public static bool Matches(string name, uint revision, ReadOnlySpan<byte> info, ForeignPacket packet) => name switch
    {
        "comment" => true,
        "tcp" when info.Length >= 12 => packet.Said.Protocol == IpProtocol.Tcp && Ports(info, info[11], packet)
            // The first packet of a connection has SYN alone.
            && (info[9] == 0 || ((info[9] & 0x02) == info[10]) != ((info[11] & 0x04) != 0)),
        "udp" when info.Length >= 9 => packet.Said.Protocol == IpProtocol.Udp && Ports(info, info[8], packet),
        "multiport" when info.Length >= 48 => Multiport(info, packet),
        "addrtype" when info.Length >= 8 => AddressTypes(revision, info, packet),
        "mark" when info.Length >= 9 => ((packet.Mark & U32(info, 4)) == U32(info, 0)) != (info[8] != 0),
        "conntrack" when info.Length >= 4 => Begins(revision, info, packet),
        "statistic" => packet.Choose(2) == 0,
        _ => packet.Guess($"whether iptables' match \"{name}\" holds"),
    };

    /// <returns>Null: it goes on to the next rule.</returns>
    public static ForeignVerdict? Target(string name, uint revision, ReadOnlySpan<byte> info, ForeignPacket packet)
    {
        switch (name)
        {
            case "DNAT": return Translate(revision, info, packet);
            case "REDIRECT": return ToHere(info, packet);
            case "MARK" when info.Length >= 8: packet.Mark = (packet.Mark & ~U32(info, 4)) ^ U32(info, 0); return null;
            case "REJECT": return ForeignVerdict.Drop;
            case "LOG" or "NFLOG" or "CONNMARK" or "TRACE" or "CLASSIFY" or "SET": return null;
            default: return packet.Guess($"what iptables' target \"{name}\" does") ? ForeignVerdict.Accept : null;
        }
    }

    private static uint U32(ReadOnlySpan<byte> of, int at) => MemoryMarshal.Read<uint>(of[at..]);
    private static ushort U16(ReadOnlySpan<byte> of, int at) => MemoryMarshal.Read<ushort>(of[at..]);

    /// <summary>struct xt_tcp and xt_udp begin alike: the source's ports from and to, and the destination's.</summary>
    private static bool Ports(ReadOnlySpan<byte> info, byte inverted, ForeignPacket packet)
    {
        const byte source = 1, destination = 2;
        return In(packet.Said.SourcePort, U16(info, 0), U16(info, 2), (inverted & source) != 0, packet)
            && In(packet.Said.DestinationPort, U16(info, 4), U16(info, 6), (inverted & destination) != 0, packet);
    }

    private static bool In(ushort? port, ushort first, ushort last, bool inverted, ForeignPacket packet)
    {
        if ((first, last) == (0, ushort.MaxValue)) return !inverted;
        return port is { } one ? (one >= first && one <= last) != inverted : packet.Guess("which port it comes from");
    }

    /// <summary>struct xt_multiport_v1: whose ports, how many; ports, which of them begin a range; whether it is turned round.</summary>
    private static bool Multiport(ReadOnlySpan<byte> info, ForeignPacket packet)
    {
        const byte source = 0, destination = 1;
        var (whose, count, isTurned) = (info[0], Math.Min((int)info[1], 15), info[47] != 0);
        foreach (var port in whose == source ? [packet.Said.SourcePort] : whose == destination ? [packet.Said.DestinationPort]
            : (ushort?[])[packet.Said.SourcePort, packet.Said.DestinationPort])
        {
            if (port is not { } asked)
            {
                if (packet.Guess("which port it comes from")) return !isTurned;
                continue;
            }
            for (var i = 0; i < count; i++)
            {
                var first = U16(info, 2 + 2 * i);
                var last = info[32 + i] != 0 && i + 1 < count ? U16(info, 2 + 2 * ++i) : first;
                if (asked >= first && asked <= last) return !isTurned;
            }
        }
        return isTurned;
    }

    /// <summary>struct xt_addrtype_info_v1 (types of the source and of the destination, flags), or of revision 0 with two words for the
    /// turning round.</summary>
    private static bool AddressTypes(uint revision, ReadOnlySpan<byte> info, ForeignPacket packet)
    {
        var flags = U32(info, 4);
        var destinationIsTurned = revision == 0 ? info.Length >= 12 && U32(info, 8) != 0 : (flags & 2) != 0;
        return IsOf(packet.Said.Source, U16(info, 0), revision == 0 ? flags != 0 : (flags & 1) != 0, packet)
            && IsOf(packet.Said.Destination, U16(info, 2), destinationIsTurned, packet);
    }

    private static bool IsOf(Address address, ushort types, bool inverted, ForeignPacket packet)
    {
        const ushort unicast = 1 << 1; // RTN_UNICAST
        if (types == 0) return true;
        if ((types & ~(LocalBit | unicast)) != 0) return packet.Guess("which kind of address it has");
        return ((types & (packet.IsLocal(address) ? LocalBit : unicast)) != 0) != inverted;
    }

    /// <summary>struct xt_conntrack_mtinfo3, of which the state alone is asked: it stands behind addresses, times and ports.</summary>
    private static bool Begins(uint revision, ReadOnlySpan<byte> info, ForeignPacket packet)
    {
        const int flags = 146, state = 150; // match_flags, state_mask
        const ushort asksState = 1, isNew = 8;
        if (revision != 3 || info.Length < state + 2 || U16(info, flags) != asksState) return packet.Guess("what conntrack says of it");
        return ((U16(info, state) & isNew) != 0) != ((U16(info, flags + 2) & asksState) != 0);
    }

    /// <summary>struct nf_nat_range, and of IPv4's revision 0 nf_nat_ipv4_multi_range_compat.</summary>
    private static ForeignVerdict? Translate(uint revision, ReadOnlySpan<byte> info, ForeignPacket packet)
    {
        const uint hasAddresses = 1, hasPorts = 2; // NF_NAT_RANGE_MAP_IPS, NF_NAT_RANGE_PROTO_SPECIFIED
        var isOld = revision == 0 && packet.Said.Source.IsIPv4;
        if (info.Length < (isOld ? 20 : 40)) return ForeignVerdict.Accept;
        var (at, octets) = isOld ? (4, 4) : (0, 16);
        var flags = U32(info, at);
        ReadOnlySpan<byte> first = info.Slice(at + 4, octets), last = info.Slice(at + 4 + octets, octets);
        var ports = info[(at + 4 + 2 * octets)..];
        var length = packet.Said.Source.Family.Octets();
        var isOne = first.SequenceEqual(last) && ((flags & hasPorts) == 0 || ports[..2].SequenceEqual(ports[2..4]));
        if (!isOne) return packet.Lose("to which of several addresses iptables translates");
        ushort? port = (flags & hasPorts) != 0 ? BinaryPrimitives.ReadUInt16BigEndian(ports) : null;
        return new(ForeignStep.Translate, To: new((flags & hasAddresses) == 0
            ? packet.Said.Destination : Address.FromOctets(first[..length]), port));
    }

    private static ForeignVerdict ToHere(ReadOnlySpan<byte> info, ForeignPacket packet) => !packet.IsOwn || info.Length < 20
        ? packet.Lose("to which address of this host iptables sends it")
        : new(ForeignStep.Translate, To: new(
            Address.From(packet.Said.Source.IsIPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback), null));
}
