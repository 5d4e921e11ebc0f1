namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// MP_REACH_NLRI (RFC 4760 section 3; RFC 2545 for IPv6's next hops, RFC 8950 for IPv6 next hops of IPv4 prefixes). What cannot
/// be split into its fields ends the session: its prefixes are lost, so nothing milder can be done (RFC 7606 sections 3 j, 7.11).
/// </summary>
internal sealed class MpReachCodec()
    : AttributeCodec(AttributeType.MpReachNlri, OptionalNonTransitive, Penalty.SessionReset,
        "MP_REACH_NLRI has a next hop of its family's length and whole prefixes (RFC 7606 sections 5.3 and 7.11)")
{
    public override Reception From(Negotiated session) => Reception.Later;

    public override bool Decode(ref WireReader value, ref AttributeSummary into) => true;

    /// <summary>From the attribute's start to its next hop.</summary>
    internal const int NextHopAt = 4;

    // +----------+----------+----------------------+----------+--------------+------+
    // | AFI (16) | SAFI (8) | Next hop length (8)  | Next hop | Reserved (8) | NLRI |
    // +----------+----------+----------------------+----------+--------------+------+
    internal static bool TrySplit(ReadOnlySpan<byte> value, out Family family, out ReadOnlySpan<byte> nextHop, out ReadOnlySpan<byte> nlri)
    {
        var reader = new WireReader(value);
        family = new(reader.U16(), reader.U8());
        nextHop = reader.Take(reader.U8());
        reader.U8();
        nlri = reader.Rest();
        return !reader.Overrun;
    }
}

/// <summary>MP_UNREACH_NLRI (RFC 4760 section 4; RFC 7606 sections 5.3 and 7.12). Without prefixes and other attributes:
/// End-of-RIB.</summary>
internal sealed class MpUnreachCodec()
    : AttributeCodec(AttributeType.MpUnreachNlri, OptionalNonTransitive, Penalty.SessionReset,
        "MP_UNREACH_NLRI has a family and whole prefixes (RFC 7606 sections 5.3 and 7.12)")
{
    public override Reception From(Negotiated session) => Reception.Later;

    public override bool Decode(ref WireReader value, ref AttributeSummary into) => true;

    // +----------+----------+------+
    // | AFI (16) | SAFI (8) | NLRI |
    // +----------+----------+------+
    internal static bool TrySplit(ReadOnlySpan<byte> value, out Family family, out ReadOnlySpan<byte> nlri)
    {
        var reader = new WireReader(value);
        family = new(reader.U16(), reader.U8());
        nlri = reader.Rest();
        return !reader.Overrun;
    }
}
