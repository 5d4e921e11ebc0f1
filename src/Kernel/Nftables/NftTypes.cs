using System.Collections.Immutable;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// What a set's key or a map's value is. nft knows them by number and names them in listings, so ours bear its numbers (datatype.h).
/// </summary>
public enum NftType : uint
{
    Verdict = 0xffffff00,
    Ipv4Address = 7,
    Ipv6Address = 8,
    Protocol = 12,
    Port = 13,
    IcmpType = 14,
    Mark = 19,
    Icmp6Type = 29,
    IcmpCode = 32,
    Icmp6Code = 33,
    InterfaceName = 41,
}

internal static class NftTypes
{
    private const int BitsOfOneType = 6;

    public static int Octets(this NftType type) => type switch
    {
        NftType.Ipv4Address or NftType.Mark => 4,
        NftType.Protocol or NftType.IcmpType or NftType.IcmpCode or NftType.Icmp6Type or NftType.Icmp6Code => 1,
        NftType.Port => 2,
        NftType.Verdict => 0,
        _ => 16,
    };

    /// <summary>Marks and names are kept in the machine's order: nft wants to be told, or it prints them turned round.</summary>
    public static bool IsBigEndian(this NftType type) => type is not (NftType.Mark or NftType.InterfaceName or NftType.Verdict);

    /// <summary>The number of a concatenation: six bits for each part.</summary>
    public static uint Number(ImmutableArray<NftType> parts) => parts.Aggregate(0u, (all, part) => all << BitsOfOneType | (uint)part);

    /// <summary>The length of a concatenation's value: each part is filled up to four octets; a single one is as long as it is.</summary>
    public static int Length(ImmutableArray<NftType> parts) =>
        parts.Length == 1 ? parts[0].Octets() : parts.Sum(part => Netlink.NetlinkMessage.Align(part.Octets()));
}
