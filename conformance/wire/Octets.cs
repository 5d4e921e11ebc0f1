// BGP messages put together by hand (RFC 4271 section 4), so that what we throw at a daemon owes nothing to its own encoder.
using System.Buffers.Binary;
using System.Net;

namespace Calico.Bgp.Conformance.Wire;

internal static class Octets
{
    public const byte Open = 1, Update = 2, Notification = 3, Keepalive = 4, RouteRefresh = 5;

    public static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));

    public static byte[] U16(int value) => [(byte)(value >> 8), (byte)value];

    public static byte[] U32(uint value)
    {
        var octets = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(octets, value);
        return octets;
    }

    public static byte[] Message(byte type, params byte[] body) =>
        [.. Enumerable.Repeat((byte)0xff, 16), .. U16(19 + body.Length), type, .. body];

    /// <summary>An OPEN with IPv4 and IPv6 unicast, route refresh, and four-octet AS numbers.</summary>
    public static byte[] OpenMessage(uint asn, string identifier, int hold)
    {
        byte[] capabilities = [.. Hex("010400010001 010400020001 0200 4104"), .. U32(asn)];
        return Message(Open,
            [4, .. U16(asn > 65535 ? 23456 : (int)asn), .. U16(hold), .. Address(identifier), (byte)(2 + capabilities.Length), 2,
                (byte)capabilities.Length, .. capabilities]);
    }

    public static byte[] Address(string text) => IPAddress.Parse(text).GetAddressBytes();

    /// <summary>Length octet and as many octets as it takes (RFC 4271 section 4.3, NLRI).</summary>
    public static byte[] Prefix(string text)
    {
        var (address, length) = (text.Split('/')[0], int.Parse(text.Split('/')[1]));
        return [(byte)length, .. Address(address).Take((length + 7) / 8)];
    }

    public static byte[] Attribute(byte flags, byte type, params byte[] value) =>
        value.Length > 255 ? [(byte)(flags | 0x10), type, .. U16(value.Length), .. value] : [flags, type, (byte)value.Length, .. value];

    /// <summary>An UPDATE that announces one prefix; the next hop goes where the family wants it.</summary>
    public static byte[] Announce(string prefix, string nextHop, byte[] attributes)
    {
        var ipv6 = prefix.Contains(':');
        byte[] all = ipv6
            ? [.. attributes, .. Attribute(0x80, 14, [0, 2, 1, 16, .. Address(nextHop), 0, .. Prefix(prefix)])]
            : [.. attributes, .. Attribute(0x40, 3, Address(nextHop))];
        return Message(Update, [0, 0, .. U16(all.Length), .. all, .. ipv6 ? [] : Prefix(prefix)]);
    }

    public static byte[] Withdraw(string prefix)
    {
        var nlri = Prefix(prefix);
        if (!prefix.Contains(':')) return Message(Update, [.. U16(nlri.Length), .. nlri, 0, 0]);
        var unreach = Attribute(0x80, 15, [0, 2, 1, .. nlri]);
        return Message(Update, [0, 0, .. U16(unreach.Length), .. unreach]);
    }
}
