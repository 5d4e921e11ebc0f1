namespace Calico.Bgp.Wire.Attributes;

/// <summary>LARGE_COMMUNITY (RFC 8092; section 6 for damage): three numbers of four octets each.</summary>
internal sealed class LargeCommunitiesCodec()
    : AttributeCodec(AttributeType.LargeCommunities, OptionalTransitive, Penalty.TreatAsWithdraw,
        "LARGE_COMMUNITY is one or more times twelve octets (RFC 8092 section 6)")
{
    // +------------------+-------------+-------------+
    // | Global admin (32)| Data 1 (32) | Data 2 (32) |  as often as there is room
    // +------------------+-------------+-------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        var octets = value.Rest();
        return octets.Length > 0 && octets.Length % 12 == 0;
    }
}
