namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// AS4_PATH (RFC 6793 section 3). On a session with four-octet numbers it has no place and is discarded (section 4.1); damaged,
/// it there shows a peer that does not know what it sends, and its routes are withdrawn. From old speakers
/// <see cref="OldSpeaker"/> reads it, and damage costs only the attribute (section 6).
/// </summary>
internal sealed class As4PathCodec()
    : AttributeCodec(AttributeType.As4Path, OptionalTransitive, Penalty.TreatAsWithdraw,
        "AS4_PATH comes from old speakers only (RFC 6793 section 4.1)")
{
    public override Reception From(Negotiated session) => session.FourOctetAs ? Reception.CheckAndDiscard : Reception.Later;

    public override bool Decode(ref WireReader value, ref AttributeSummary into) => IsWellFramed(ref value);

    /// <summary>Known segments, none empty, none cut. AS 0 is no reason here to lose the routes (RFC 7607 section 2 leaves it to RFC
    /// 6793).</summary>
    internal static bool IsWellFramed(ref WireReader path)
    {
        while (path.Left > 0)
        {
            var type = (SegmentType)path.U8();
            var numbers = path.Take(4 * path.U8());
            if (numbers.IsEmpty || type is < SegmentType.Set or > SegmentType.ConfederationSet) return false;
        }
        return true;
    }
}

/// <summary>AS4_AGGREGATOR (RFC 6793 section 3); as with AS4_PATH, and its damage never costs more than itself (section 6).</summary>
internal sealed class As4AggregatorCodec()
    : AttributeCodec(AttributeType.As4Aggregator, OptionalTransitive, Penalty.AttributeDiscard,
        "AS4_AGGREGATOR comes from old speakers only (RFC 6793 section 4.1)")
{
    public override Reception From(Negotiated session) => session.FourOctetAs ? Reception.Discard : Reception.Later;

    public override bool Decode(ref WireReader value, ref AttributeSummary into) => true;
}
