using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

/// <summary>
/// The rules that RFCs impose on every route that comes in, before the operator's filter is asked: loops (RFC 4271 section 9,
/// RFC 4456 section 8), AS_SETs (RFC 9774 section 3; confederation segments have not come this far), graceful shutdown (RFC 8326
/// section 4), what is not to be kept for long (RFC 9494 section 4.3).
/// </summary>
internal static class ImportDoor
{
    /// <summary>The rule that keeps it out; null: it may come in.</summary>
    public static RouteRule? Refuses(RibPeer peer, ReadOnlySpan<byte> attributes, in AttributeSummary summary)
    {
        if (peer.Origin != RouteOrigin.Bgp) return null;
        if (HasBarredSet(peer, summary)) return RouteRule.AsSet;
        var view = new AttributeView(attributes);
        if (summary.AsPathLength > 0 && view.AsPath.CountOf(peer.LocalAs) > peer.AllowLocalAs) return RouteRule.OwnAs;
        if (!peer.Internal) return null;
        if (summary.Has(AttributeMarks.HasOriginatorId) && summary.OriginatorId == peer.LocalId.Value) return RouteRule.OwnOriginator;
        return summary.ClusterListLength > 0 && view.HasCluster(peer.ClusterId) ? RouteRule.OwnCluster : null;
    }

    /// <summary>RFC 9774 section 3: treated as withdrawn. What was received is kept, to be seen, and for a reload to let in.</summary>
    public static bool HasBarredSet(RibPeer peer, in AttributeSummary summary) =>
        peer.RejectAsSets && summary.Has(AttributeMarks.HasAsSet);

    /// <summary>RFC 9494: the route says that it is not to be used once it has been stale for long.</summary>
    public static bool ForbidsLongStale(in AttributeSummary summary) => summary.Has(AttributeMarks.NoLlgr);

    /// <summary>RFC 8326: a route of an external peer that is about to shut down becomes the last choice.</summary>
    public static bool LowersPreference(RibPeer peer, in AttributeSummary summary) =>
        peer.Origin == RouteOrigin.Bgp && !peer.Internal && summary.Has(AttributeMarks.GracefulShutdown);
}
