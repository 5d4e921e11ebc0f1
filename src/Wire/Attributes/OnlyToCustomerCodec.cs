namespace Calico.Bgp.Wire.Attributes;

/// <summary>ONLY_TO_CUSTOMER (RFC 9234 section 5; section 6 for its length, RFC 7607's reason for refusing AS 0).</summary>
internal sealed class OnlyToCustomerCodec()
    : AttributeCodec(AttributeType.OnlyToCustomer, OptionalTransitive, Penalty.TreatAsWithdraw,
        "ONLY_TO_CUSTOMER is an AS number other than 0 (RFC 9234 section 6)")
{
    // +----------------+
    // | AS number (32) |
    // +----------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        into.Marks |= AttributeMarks.HasOtc;
        return value.U32() != 0;
    }
}
