using Calico.Bgp.Wire.Attributes;
using Calico.Bgp.Wire.Capabilities;

namespace Calico.Bgp.Rib.Filters;

/// <summary>
/// The rules that RFCs impose on every route that comes in, before the operator's filter is asked: loops (RFC 4271 section 9,
/// RFC 4456 section 8), AS_SETs (RFC 9774 section 3; confederation segments have not come this far), route leaks (RFC 9234 section 5),
/// graceful shutdown (RFC 8326 section 4), what is not to be kept for long (RFC 9494 section 4.3).
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
        if (!peer.Internal) return Leaks(peer, view, summary) ? RouteRule.RouteLeak : null;
        if (summary.Has(AttributeMarks.HasOriginatorId) && summary.OriginatorId == peer.LocalId.Value) return RouteRule.OwnOriginator;
        return summary.ClusterListLength > 0 && view.HasCluster(peer.ClusterId) ? RouteRule.OwnCluster : null;
    }

    /// <summary>RFC 9774 section 3: treated as withdrawn. What was received is kept, to be seen, and for a reload to let in.</summary>
    public static bool HasBarredSet(RibPeer peer, in AttributeSummary summary) =>
        peer.RejectAsSets && summary.Has(AttributeMarks.HasAsSet);

    /// <summary>RFC 9494: the route says that it is not to be used once it has been stale for long.</summary>
    public static bool ForbidsLongStale(in AttributeSummary summary) => summary.Has(AttributeMarks.NoLlgr);

    /// <summary>
    /// RFC 9234 section 5, on the way in: what is for customers only comes from no customer, and from another peer only as his own mark.
    /// </summary>
    private static bool Leaks(RibPeer from, AttributeView attributes, in AttributeSummary summary) =>
        summary.Has(AttributeMarks.HasOtc) && from.Role switch
        {
            Role.Provider or Role.RouteServer => true,
            Role.Peer => attributes.Otc != from.PeerAs.Value,
            _ => false,
        };

    /// <summary>The route comes in as another than it was received, whatever the filter will make of that.</summary>
    public static bool Dresses(RibPeer peer, in AttributeSummary summary) =>
        peer.Origin == RouteOrigin.Bgp && (LowersPreference(peer, summary) || (!peer.Internal && MarksForCustomers(peer, summary)));

    /// <summary>What <see cref="Dresses"/> asks for, before the filter is run.</summary>
    public static void Dress(AttributeEditor editor, RibPeer peer, in AttributeSummary summary)
    {
        if (LowersPreference(peer, summary)) editor.SetLocalPref(0);
        if (!peer.Internal && MarksForCustomers(peer, summary)) editor.SetOtc(peer.PeerAs.Value);
    }

    /// <summary>
    /// RFC 8326: a route of an external peer that is about to shut down becomes the last choice; so does any of a peer that we are about to
    /// shut down.
    /// </summary>
    public static bool LowersPreference(RibPeer peer, in AttributeSummary summary) => peer.Origin == RouteOrigin.Bgp
        && (peer.Drains || (!peer.Internal && summary.Has(AttributeMarks.GracefulShutdown)));

    /// <summary>RFC 9234 section 5: what a provider, peer or route server tells is for customers only, whether or not he says so.</summary>
    private static bool MarksForCustomers(RibPeer from, in AttributeSummary summary) =>
        from.Role is Role.Customer or Role.Peer or Role.RouteServerClient && !summary.Has(AttributeMarks.HasOtc);
}
