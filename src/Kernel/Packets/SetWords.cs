using System.Buffers.Binary;
using System.Collections.Immutable;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Packets;

/// <summary>An element as nft writes it: addresses, prefixes, ports and names in place of octets.</summary>
internal static class SetWords
{
    public static string Of(NftSet set, NftElement element)
    {
        var (parts, at) = (new List<string>(), 0);
        foreach (var type in set.Key)
        {
            parts.Add(Range(type, element.From.Span.Slice(at, type.Octets()), element.To.Span.Slice(at, type.Octets())));
            at += NetlinkMessage.Align(type.Octets());
        }
        var value = element.Value switch
        {
            NftVerdict verdict => $" : {verdict}",
            NftData data => $" : {Parts(set.Value, data.Octets)}",
            { } other => $" : {other}",
            null => "",
        };
        return string.Join(" . ", parts) + value;
    }

    private static string Parts(ImmutableArray<NftType> types, NftOctets octets)
    {
        var (parts, at) = (new List<string>(), 0);
        foreach (var type in types)
        {
            parts.Add(One(type, octets.Span.Slice(at, type.Octets())));
            at += NetlinkMessage.Align(type.Octets());
        }
        return string.Join(" . ", parts);
    }

    private static string Range(NftType type, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        if (from.SequenceEqual(to)) return One(type, from);
        if (type is not (NftType.Ipv4Address or NftType.Ipv6Address)) return $"{One(type, from)}-{One(type, to)}";
        var (first, last) = (Address.FromOctets(from), Address.FromOctets(to));
        for (var length = 0; length < first.Family.Bits(); length++)
            if (new Prefix(first, length) is var prefix && prefix.Address == first && prefix.Last == last) return prefix.ToString();
        return $"{first}-{last}";
    }

    private static string One(NftType type, ReadOnlySpan<byte> value) => type switch
    {
        NftType.Ipv4Address or NftType.Ipv6Address => Address.FromOctets(value).ToString(),
        NftType.Port => BinaryPrimitives.ReadUInt16BigEndian(value).ToString(),
        NftType.Protocol or NftType.IcmpType or NftType.IcmpCode or NftType.Icmp6Type or NftType.Icmp6Code => value[0].ToString(),
        NftType.Mark => $"0x{AttributeReader.U32(value):x8}",
        _ => $"\"{AttributeReader.Text(value)}\"",
    };
}
