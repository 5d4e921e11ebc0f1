namespace Calico.Bgp.Wire.Attributes;

/// <summary>LOCAL_PREF (RFC 4271 section 5.1.5; RFC 7606 section 7.5: from an external neighbour discarded, whatever is in it).</summary>
internal sealed class LocalPrefCodec()
    : AttributeCodec(AttributeType.LocalPref, WellKnown, Penalty.TreatAsWithdraw,
        "LOCAL_PREF is four octets, from internal neighbours only (RFC 7606 section 7.5)")
{
    public override byte Subcode => UpdateError.AttributeLength;

    public override Reception From(Negotiated session) => session.Internal ? Reception.Take : Reception.Discard;

    // +------------+
    // | Value (32) |
    // +------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        into.LocalPref = value.U32();
        into.Marks |= AttributeMarks.HasLocalPref;
        return true;
    }
}
