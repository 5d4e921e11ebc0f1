namespace Calico.Bgp.Wire.Attributes;

/// <summary>MULTI_EXIT_DISC (RFC 4271 section 5.1.4; RFC 7606 section 7.4).</summary>
internal sealed class MultiExitDiscCodec()
    : AttributeCodec(AttributeType.MultiExitDisc, OptionalNonTransitive, Penalty.TreatAsWithdraw,
        "MULTI_EXIT_DISC is four octets (RFC 7606 section 7.4)")
{
    // +------------+
    // | Value (32) |
    // +------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        into.Med = value.U32();
        into.Marks |= AttributeMarks.HasMed;
        return true;
    }
}
