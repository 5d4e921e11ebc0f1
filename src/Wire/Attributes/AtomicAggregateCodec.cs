namespace Calico.Bgp.Wire.Attributes;

/// <summary>ATOMIC_AGGREGATE (RFC 4271 section 5.1.6; RFC 7606 section 7.6): it says all by being there.</summary>
internal sealed class AtomicAggregateCodec()
    : AttributeCodec(AttributeType.AtomicAggregate, WellKnown, Penalty.AttributeDiscard, "ATOMIC_AGGREGATE is empty (RFC 7606 section 7.6)")
{
    public override byte Subcode => UpdateError.AttributeLength;

    public override bool Decode(ref WireReader value, ref AttributeSummary into) => true;
}
