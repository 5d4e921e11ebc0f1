using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>COMMUNITIES (RFC 1997; RFC 7606 section 7.8): four octets each, at least one. The well-known ones become marks.</summary>
internal sealed class CommunitiesCodec()
    : AttributeCodec(AttributeType.Communities, OptionalTransitive, Penalty.TreatAsWithdraw,
        "COMMUNITIES is one or more times four octets (RFC 7606 section 7.8)")
{
    private const ushort Reserved = 0xffff;

    // +----------------+
    // | Community (32) |  as often as there is room
    // +----------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        if (value.Left == 0) return false;
        while (value.Left >= 4)
        {
            var community = new Community(value.U32());
            if (community.High == Reserved) into.Marks |= MarkOf(community);
        }
        return true;
    }

    private static AttributeMarks MarkOf(Community community)
    {
        if (community == Community.NoExport) return AttributeMarks.NoExport;
        if (community == Community.NoAdvertise) return AttributeMarks.NoAdvertise;
        if (community == Community.NoExportSubconfed) return AttributeMarks.NoExportSubconfed;
        if (community == Community.GracefulShutdown) return AttributeMarks.GracefulShutdown;
        if (community == Community.LlgrStale) return AttributeMarks.LlgrStale;
        if (community == Community.NoLlgr) return AttributeMarks.NoLlgr;
        return community == Community.Blackhole ? AttributeMarks.Blackhole : AttributeMarks.None;
    }
}
