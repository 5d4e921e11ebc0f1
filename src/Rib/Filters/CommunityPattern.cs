using System.Buffers.Binary;
using System.Globalization;
using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

/// <summary>RFC 1997, RFC 8092, RFC 4360.</summary>
public enum CommunityKind : byte { Standard, Large, Extended }

public static class CommunityKindExtensions
{
    public static int Octets(this CommunityKind kind) => kind switch { CommunityKind.Standard => 4, CommunityKind.Large => 12, _ => 8 };

    public static AttributeType Attribute(this CommunityKind kind) => kind switch
    {
        CommunityKind.Standard => AttributeType.Communities,
        CommunityKind.Large => AttributeType.LargeCommunities,
        _ => AttributeType.ExtendedCommunities,
    };

    /// <summary>The octets of one community as a number.</summary>
    public static UInt128 Read(this CommunityKind kind, ReadOnlySpan<byte> item) => kind switch
    {
        CommunityKind.Standard => BinaryPrimitives.ReadUInt32BigEndian(item),
        CommunityKind.Large => new UInt128(BinaryPrimitives.ReadUInt32BigEndian(item), BinaryPrimitives.ReadUInt64BigEndian(item[4..])),
        _ => BinaryPrimitives.ReadUInt64BigEndian(item),
    };
}

/// <summary>
/// A community with parts left open: the bits under <paramref name="Mask"/> must be those of <paramref name="Value"/>. Spelt
/// <c>65001:100</c>, <c>65001:*</c>, <c>no-export</c>; <c>65001:1:*</c>; <c>rt:65001:100</c>, <c>ro:192.0.2.1:*</c>,
/// <c>generic:0x…:0x…</c>.
/// </summary>
public readonly record struct CommunityPattern(CommunityKind Kind, UInt128 Value, UInt128 Mask)
{
    private const uint AnyWord = uint.MaxValue;

    private static readonly Dictionary<string, Community> WellKnown = new(StringComparer.Ordinal)
    {
        ["graceful-shutdown"] = Community.GracefulShutdown,
        ["llgr-stale"] = Community.LlgrStale,
        ["no-llgr"] = Community.NoLlgr,
        ["blackhole"] = Community.Blackhole,
        ["no-export"] = Community.NoExport,
        ["no-advertise"] = Community.NoAdvertise,
        ["no-export-subconfed"] = Community.NoExportSubconfed,
        ["no-peer"] = Community.NoPeer,
    };

    public static IEnumerable<string> WellKnownNames => WellKnown.Keys;

    public bool IsExact => Mask == Whole(Kind);

    public bool Has(UInt128 community) => (community & Mask) == Value;

    private static UInt128 Whole(CommunityKind kind) => (UInt128.One << (8 * kind.Octets())) - 1;

    /// <param name="patterns">One; three for a route target or origin of any form.</param>
    public static bool TryParse(CommunityKind kind, string text, out ListOf<CommunityPattern> patterns)
    {
        patterns = [];
        if (kind == CommunityKind.Standard && WellKnown.TryGetValue(text, out var known))
            patterns = [new(kind, known.Value, Whole(kind))];
        else if (kind == CommunityKind.Extended) patterns = Extended(text.Split(':'));
        else if (Parts(kind, text.Split(':')) is { } pattern) patterns = [pattern];
        return patterns.Count > 0;
    }

    private static CommunityPattern? Parts(CommunityKind kind, string[] parts)
    {
        var (count, bits) = kind == CommunityKind.Standard ? (2, 16) : (3, 32);
        if (parts.Length != count) return null;
        UInt128 value = 0, mask = 0;
        foreach (var part in parts)
        {
            if (!Part(part, bits, out var number, out var under)) return null;
            (value, mask) = (value << bits | number, mask << bits | under);
        }
        return new(kind, value, mask);
    }

    /// <summary>A number of so many bits, decimal or 0x…, or <c>*</c>.</summary>
    private static bool Part(string text, int bits, out uint number, out uint mask)
    {
        (number, mask) = (0, 0);
        if (text == "*") return true;
        mask = AnyWord >> (32 - bits);
        var hex = text.StartsWith("0x", StringComparison.Ordinal);
        return uint.TryParse(
            hex ? text.AsSpan(2) : text, hex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && number <= mask;
    }

    /// <summary>RFC 4360 sections 4 and 5, RFC 5668: the administrator's form chooses the type octet.</summary>
    private static ListOf<CommunityPattern> Extended(string[] parts)
    {
        if (parts is ["generic", var high, var low])
            return Part(high, 32, out var highBits, out var highMask) && Part(low, 32, out var lowBits, out var lowMask)
                ? [Of((ulong)highBits << 32 | lowBits, (ulong)highMask << 32 | lowMask)] : [];
        if (parts is not ["rt" or "ro" or "soo", var administrator, var local]) return [];
        var subtype = parts[0] == "rt" ? 0x02UL << 48 : 0x03UL << 48;
        if (administrator == "*" && local == "*")
            return [.. Enumerable.Range(0, 3).Select(type => Of((ulong)type << 56 | subtype, 0xffffUL << 48))];
        if (Asn.TryParse(administrator, out var asn) && asn.FitsTwoOctets && !administrator.Contains('.'))
            return Part(local, 32, out var wide, out var wideMask)
                ? [Of(subtype | (ulong)asn.Value << 32 | wide, 0xffffffffUL << 32 | wideMask)] : [];
        var isAddress = Address.TryParse(administrator, out var address) && address.IsIPv4;
        if (!isAddress && !Asn.TryParse(administrator, out asn)) return [];
        var type = isAddress ? 0x01UL << 56 : 0x02UL << 56;
        return Part(local, 16, out var narrow, out var narrowMask)
            ? [Of(type | subtype | (ulong)(isAddress ? address.IPv4Bits : asn.Value) << 16 | narrow, ~0xffffUL | narrowMask)] : [];

        static CommunityPattern Of(ulong value, ulong mask) => new(CommunityKind.Extended, value, mask);
    }
}
