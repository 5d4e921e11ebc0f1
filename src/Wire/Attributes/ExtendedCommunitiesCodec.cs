namespace Calico.Bgp.Wire.Attributes;

/// <summary>EXTENDED COMMUNITIES (RFC 4360; RFC 7606 section 7.14): eight octets each, link bandwidth among them.</summary>
internal sealed class ExtendedCommunitiesCodec()
    : AttributeCodec(AttributeType.ExtendedCommunities, OptionalTransitive, Penalty.TreatAsWithdraw,
        "EXTENDED COMMUNITIES is one or more times eight octets (RFC 7606 section 7.14)")
{
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        var octets = value.Rest();
        return octets.Length > 0 && octets.Length % 8 == 0;
    }
}

/// <summary>IPv6 address specific extended communities (RFC 5701; RFC 7606 section 7.15): twenty octets each.</summary>
internal sealed class IPv6ExtendedCommunitiesCodec()
    : AttributeCodec(AttributeType.IPv6ExtendedCommunities, OptionalTransitive, Penalty.TreatAsWithdraw,
        "IPv6 extended communities are one or more times twenty octets (RFC 7606 section 7.15)")
{
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        var octets = value.Rest();
        return octets.Length > 0 && octets.Length % 20 == 0;
    }
}
