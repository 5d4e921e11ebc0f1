using System.Globalization;
using Calico.Bgp.Net;

namespace Calico.Bgp.Control.Bird.Rendering;

/// <summary>Communities as BIRD writes them, in its own constants' syntax.</summary>
internal static class CommunityText
{
    public static string Of(uint community) => string.Create(CultureInfo.InvariantCulture, $"({community >> 16},{community & 0xffff})");

    public static string Of(LargeCommunity community) =>
        string.Create(CultureInfo.InvariantCulture, $"({community.Global}, {community.Data1}, {community.Data2})");

    /// <summary>
    /// By the type's high octet (RFC 4360 section 3, RFC 5668): two-octet AS, IPv4 address or four-octet AS specific; the rest is
    /// shown as two numbers. Bit 6 only says that it stays inside the AS.
    /// </summary>
    public static string OfExtended(ulong community) => (byte)(community >> 56) switch
    {
        0x00 or 0x40 => string.Create(CultureInfo.InvariantCulture, $"({Kind(community)}, {(ushort)(community >> 32)}, {(uint)community})"),
        0x01 or 0x41 => string.Create(CultureInfo.InvariantCulture,
            $"({Kind(community)}, {Address.FromIPv4((uint)(community >> 16))}, {(ushort)community})"),
        0x02 or 0x42 => string.Create(CultureInfo.InvariantCulture, $"({Kind(community)}, {(uint)(community >> 16)}, {(ushort)community})"),
        _ => string.Create(CultureInfo.InvariantCulture, $"(generic, 0x{community >> 32:x}, 0x{(uint)community:x})"),
    };

    private static string Kind(ulong community) => ((ushort)(community >> 48) & 0xf0ff) switch
    {
        0x0002 => "rt",
        0x0003 => "ro",
        _ => string.Create(CultureInfo.InvariantCulture, $"unknown 0x{(ushort)(community >> 48):x}"),
    };
}
