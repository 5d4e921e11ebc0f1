namespace Calico.Bgp.Wire.Attributes;

/// <summary>CLUSTER_LIST (RFC 4456 section 8; RFC 7606 section 7.10: from an external neighbour discarded).</summary>
internal sealed class ClusterListCodec()
    : AttributeCodec(AttributeType.ClusterList, OptionalNonTransitive, Penalty.TreatAsWithdraw,
        "CLUSTER_LIST is one or more times four octets, from internal neighbours only (RFC 7606 section 7.10)")
{
    public override Reception From(Negotiated session) => session.Internal ? Reception.Take : Reception.Discard;

    // +-----------------+
    // | Cluster id (32) |  as often as there is room
    // +-----------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        var octets = value.Rest();
        into.ClusterListLength = (ushort)(octets.Length / 4);
        return octets.Length > 0 && octets.Length % 4 == 0;
    }
}
