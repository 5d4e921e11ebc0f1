// Extended communities in the words operators type: rt:65000:100, ro:192.0.2.1:7, bandwidth:65000:125000000 (octets per second);
// every other one as its two halves in hexadecimal. The layouts are RFC 4360's section 3 and RFC 5668's.

using System.Globalization;
using Calico.Bgp.Net;

namespace Calico.Bgp.Control.Http;

internal static class ExtendedCommunityText
{
    private const byte TwoOctetAs = 0x00, IPv4Address = 0x01, FourOctetAs = 0x02;
    private const byte RouteTarget = 0x02, RouteOrigin = 0x03;

    public static string Of(ExtendedCommunity community)
    {
        if (community.LinkBandwidth is { } bandwidth) return Text($"bandwidth:{(ushort)(community.Value >> 32)}:{bandwidth:R}");
        var name = community.Subtype switch { RouteTarget => "rt", RouteOrigin => "ro", _ => null };
        return name != null && Numbers(community) is { } numbers ? $"{name}:{numbers}" : Generic(community.Value);
    }

    private static string? Numbers(ExtendedCommunity community) => community.Type switch
    {
        TwoOctetAs => Text($"{(ushort)(community.Value >> 32)}:{(uint)community.Value}"),
        IPv4Address => Text($"{Address.FromIPv4((uint)(community.Value >> 16))}:{(ushort)community.Value}"),
        FourOctetAs => Text($"{(uint)(community.Value >> 16)}:{(ushort)community.Value}"),
        _ => null,
    };

    private static string Generic(ulong value) => Text($"generic:0x{(uint)(value >> 32):x8}:0x{(uint)value:x8}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
