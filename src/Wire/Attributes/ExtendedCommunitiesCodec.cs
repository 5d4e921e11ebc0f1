using System.Buffers.Binary;
using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>EXTENDED COMMUNITIES (RFC 4360; RFC 7606 section 7.14): eight octets each, link bandwidth among them.</summary>
internal sealed class ExtendedCommunitiesCodec()
    : AttributeCodec(AttributeType.ExtendedCommunities, OptionalTransitive, Penalty.TreatAsWithdraw,
        "EXTENDED COMMUNITIES is one or more times eight octets (RFC 7606 section 7.14)")
{
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        var octets = value.Rest();
        if (octets.Length == 0 || octets.Length % 8 != 0) return false;
        if (LinkBandwidth(octets) > 0) into.Marks |= AttributeMarks.HasLinkBandwidth;
        return true;
    }

    /// <summary>The first that packets can be shared out by; none at all, 0 and what is no number are one case, as for FRR: 0.</summary>
    public static float LinkBandwidth(ReadOnlySpan<byte> communities)
    {
        for (; communities.Length >= 8; communities = communities[8..])
            if (new ExtendedCommunity(BinaryPrimitives.ReadUInt64BigEndian(communities)).LinkBandwidth is > 0 and < float.PositiveInfinity
                and var bandwidth) return bandwidth;
        return 0;
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
