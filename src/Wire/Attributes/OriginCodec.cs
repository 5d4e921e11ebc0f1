namespace Calico.Bgp.Wire.Attributes;

/// <summary>ORIGIN (RFC 4271 section 5.1.1; RFC 7606 section 7.1).</summary>
internal sealed class OriginCodec()
    : AttributeCodec(AttributeType.Origin, WellKnown, Penalty.TreatAsWithdraw,
        "ORIGIN is one octet of value 0, 1 or 2 (RFC 7606 section 7.1)")
{
    public override byte Subcode => UpdateError.InvalidOrigin;

    // +-----------+
    // | Value (8) |
    // +-----------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        into.Origin = (Origin)value.U8();
        return into.Origin <= Origin.Incomplete;
    }
}
