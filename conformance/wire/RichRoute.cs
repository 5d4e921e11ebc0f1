// One route with every attribute that this daemon knows and one that nobody knows, to be passed from hand to hand.
namespace Calico.Bgp.Conformance.Wire;

internal static class RichRoute
{
    public const string IPv4 = "203.0.113.0/24", IPv6 = "2001:db8:113::/48";

    /// <summary>As an external neighbour of AS 65010 sends it.</summary>
    public static byte[] External => From(65010);

    /// <summary>As an external neighbour of this AS sends it.</summary>
    public static byte[] From(uint asn) => Together(
    [
        .. Common([2, 2, .. Octets.U32(asn), .. Octets.Hex("fa56ea01" + "0102 0000fcbc fa56ea02")]),
        (0x80, 4, "00000032"),
        (0xc0, 16, "0002fdf200000064" + "0004fdf249742400"),
    ]);

    /// <summary>As an internal neighbour sends it that has it from a reflector.</summary>
    public static byte[] Internal => Together(
    [
        .. Common(Octets.Hex("0202 0000fdf2 fa56ea01" + "0102 0000fcbc fa56ea02")),
        (0x80, 4, "00000032"),
        (0x40, 5, "000000fa"),
        (0x80, 9, "c000024d"),
        (0x80, 10, "c000024e"),
        (0xc0, 16, "0002fdf200000064" + "4004fdf249742400"),
        (0x80, 26, "01000b0000000000001092"),
    ]);

    private static IEnumerable<(byte Flags, byte Type, string Value)> Common(byte[] path) =>
    [
        (0x40, 1, "01"),
        (0x40, 2, Convert.ToHexString(path)),
        (0x40, 6, ""),
        (0xc0, 7, "fa56ea01 c0000209"),
        (0xc0, 8, "fdf20001 fdf20002"),
        (0xc0, 25, IPv6Community),
        (0xc0, 32, "0000fdf2 00000001 00000002"),
        (0xc0, 35, "0000fdf2"),
        (0xc0, 99, "cafe"),
    ];

    private const string IPv6Community = "000220010db80000000000000000000000010064";

    private static byte[] Together(IEnumerable<(byte Flags, byte Type, string Value)> attributes) =>
        [.. attributes.OrderBy(one => one.Type).SelectMany(one => Octets.Attribute(one.Flags, one.Type, Octets.Hex(one.Value)))];

    private static Seen CommonSeen => new()
    {
        [Seen.Origin] = "EGP",
        [Seen.AtomicAggregate] = "yes",
        [Seen.Aggregator] = "4200000001 192.0.2.9",
        [Seen.Communities] = "65010:1 65010:2",
        [Seen.Extended] = "rt:65010:100",
        [Seen.LinkBandwidth] = "65010:1000000",
        [Seen.IPv6Extended] = IPv6Community,
        [Seen.Large] = "65010:1:2",
        [Seen.Otc] = "65010",
        [Seen.Unknown] = "99:cafe partial",
    };

    /// <summary>
    /// What an external neighbour of <paramref name="asn"/> has to see of <see cref="External"/>: one AS more, and no MED, which is not
    /// for the next AS but one (RFC 4271 section 5.1.4).
    /// </summary>
    public static Seen AfterExternal(uint asn, string nextHop) =>
        CommonSeen.With(Seen.AsPath, $"{asn} 65010 4200000001 {{64700 4200000002}}").With(Seen.NextHop, nextHop);

    /// <summary>What a client has to see of <see cref="Internal"/>: all as it was, and the reflector's cluster in front (RFC 4456 section
    /// 8).</summary>
    public static Seen AfterReflection(string cluster, string nextHop) =>
        CommonSeen.With(Seen.AsPath, "65010 4200000001 {64700 4200000002}").With(Seen.NextHop, nextHop).With(Seen.Med, "50")
            .With(Seen.LocalPref, "250")
            .With(Seen.OriginatorId, "192.0.2.77").With(Seen.ClusterList, $"{cluster} 192.0.2.78").With(Seen.Aigp, "4242");
}
