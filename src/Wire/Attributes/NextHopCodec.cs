namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// NEXT_HOP (RFC 4271 section 5.1.3; RFC 7606 section 7.3). It speaks of the NLRI field alone: without prefixes there it is
/// ignored (RFC 4760 section 3), so it is read after the walk. Here too: which addresses can be nobody's next hop, in
/// NEXT_HOP and in MP_REACH_NLRI.
/// </summary>
internal sealed class NextHopCodec()
    : AttributeCodec(AttributeType.NextHop, WellKnown, Penalty.TreatAsWithdraw,
        "NEXT_HOP is the four octets of a unicast address (RFC 7606 section 7.3)")
{
    public override byte Subcode => UpdateError.InvalidNextHop;

    public override Reception From(Negotiated session) => Reception.Later;

    // +--------------+
    // | Address (32) |
    // +--------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        var octets = value.Rest();
        Note(octets, ref into);
        return octets.Length == 4 && IsUnicast(octets);
    }

    /// <summary>Puts 4, 16 or 32 octets into the summary; other lengths leave it without a next hop.</summary>
    internal static void Note(ReadOnlySpan<byte> octets, ref AttributeSummary into)
    {
        var value = new WireReader(octets);
        into.NextHopHigh = octets.Length == 4 ? (ulong)value.U32() << 32 : value.U64();
        into.NextHopLow = octets.Length == 4 ? 0 : value.U64();
        into.NextHopLength = octets.Length is 4 or 16 or 32 ? (byte)octets.Length : (byte)0;
    }

    /// <summary>Not unspecified, loopback, multicast, nor (IPv4) class E and broadcast.</summary>
    internal static bool IsUnicast(ReadOnlySpan<byte> address)
    {
        if (address.Length == 4) return address[0] is not (0 or 127 or >= 224);
        var value = new WireReader(address);
        var (high, low) = (value.U64(), value.U64());
        return high >> 56 != 0xff && (high != 0 || low > 1);
    }

    /// <summary>fe80::/10.</summary>
    internal static bool IsLinkLocal(ReadOnlySpan<byte> address) => address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}
