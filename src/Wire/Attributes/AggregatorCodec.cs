namespace Calico.Bgp.Wire.Attributes;

/// <summary>AGGREGATOR with a four-octet number (RFC 4271 section 5.1.7; RFC 7606 section 7.7; RFC 7607 for AS 0).</summary>
internal sealed class AggregatorCodec()
    : AttributeCodec(AttributeType.Aggregator, OptionalTransitive, Penalty.AttributeDiscard,
        "AGGREGATOR is an AS number other than 0 and an identifier (RFC 7606 section 7.7, RFC 7607)")
{
    public override Reception From(Negotiated session) => session.FourOctetAs ? Reception.Take : Reception.Later;

    // +----------------+-----------------+
    // | AS number (32) | Identifier (32) |
    // +----------------+-----------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        var asn = value.U32();
        value.U32();
        return asn != 0;
    }
}
