namespace Calico.Bgp.Wire.Attributes;

/// <summary>ORIGINATOR_ID (RFC 4456 section 8; RFC 7606 section 7.9: from an external neighbour discarded).</summary>
internal sealed class OriginatorIdCodec()
    : AttributeCodec(AttributeType.OriginatorId, OptionalNonTransitive, Penalty.TreatAsWithdraw,
        "ORIGINATOR_ID is four octets, from internal neighbours only (RFC 7606 section 7.9)")
{
    public override Reception From(Negotiated session) => session.Internal ? Reception.Take : Reception.Discard;

    // +-----------------+
    // | Identifier (32) |
    // +-----------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        into.OriginatorId = value.U32();
        into.Marks |= AttributeMarks.HasOriginatorId;
        return true;
    }
}
