namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// ATTR_SET (RFC 6368; RFC 7606 section 7.16). Not used, handed on as it came. The attributes inside must be whole; what they
/// mean is the concern of those who unpack them, so nothing here descends into a set within a set.
/// </summary>
internal sealed class AttrSetCodec()
    : AttributeCodec(AttributeType.AttrSet, OptionalTransitive, Penalty.TreatAsWithdraw,
        "ATTR_SET is an AS number and whole attributes (RFC 7606 section 7.16)")
{
    // +----------------+---------------------------+
    // | AS number (32) | Path attributes (variable)|
    // +----------------+---------------------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        value.U32();
        while (value.Left > 0)
        {
            var flags = (AttributeFlags)value.U8();
            value.U8();
            value.Take((flags & AttributeFlags.ExtendedLength) != 0 ? value.U16() : value.U8());
        }
        return true;
    }
}
