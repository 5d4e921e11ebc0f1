using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;
using Calico.Bgp.Wire.Capabilities;

namespace Calico.Bgp.Rib.Filters;

/// <summary>
/// The rules that RFCs impose on every route that goes out: who may hear of it (before the operator's filter), and what its
/// attributes must become (after it). RFC 4271 sections 5 and 9.2, RFC 1997, RFC 4456, RFC 4360, RFC 8326, RFC 9234, RFC 9494 (of whose two
/// ways with neighbours that do not know it we take the plain one: they are not told).
/// </summary>
internal static class ExportDoor
{
    /// <summary>The rule that keeps a route from <paramref name="source"/> from this group; null: it may go.</summary>
    public static RouteRule? Refuses(ExportTreatment to, RibPeer source, in AttributeSummary summary)
    {
        const AttributeMarks keptInside = AttributeMarks.NoExport | AttributeMarks.NoExportSubconfed;
        if (summary.Has(AttributeMarks.NoAdvertise)) return RouteRule.NoAdvertise;
        if (summary.Has(AttributeMarks.LlgrStale) && !to.LongLived) return RouteRule.LongStale;
        if (!to.Internal)
        {
            if (summary.Has(keptInside)) return summary.Has(AttributeMarks.NoExport) ? RouteRule.NoExport : RouteRule.NoExportSubconfed;
            return summary.Has(AttributeMarks.HasOtc) && IsNoCustomer(to) ? RouteRule.OnlyToCustomer : null;
        }
        // RFC 4271 9.2: nothing learned inside goes inside again, except through a reflector (RFC 4456 section 6).
        var learnedInside = source.Origin == RouteOrigin.Bgp && source.Internal;
        return !learnedInside || source.ReflectorClient || to.ReflectorClient ? null : RouteRule.NotReflected;
    }

    /// <summary>Our role says what the other side is: a provider, a peer, a route server.</summary>
    private static bool IsNoCustomer(ExportTreatment to) => to.Role is Role.Customer or Role.Peer or Role.RouteServerClient;

    /// <summary>Where the next hop that a dressed route has cannot be told; null: it can.</summary>
    public static RouteRule? Refuses(ExportTreatment to, IpFamily family, Address? nextHop)
    {
        if (nextHop is not { IsUnspecified: false } told) return RouteRule.NoNextHop;
        return to.Encode.Carries(family, told.Family) ? null : RouteRule.NextHopFamily;
    }

    /// <param name="editor">Loaded with the route as the filter left it.</param>
    /// <param name="now">The summary of what the editor holds.</param>
    /// <param name="said">What the filter said.</param>
    public static void Dress(
        AttributeEditor editor, ExportTreatment to, RibPeer source, IpFamily family, in AttributeSummary now, in FilterResult said)
    {
        NextHop(editor, to, source, family, now, said.NextHop);
        if (to.Internal) DressInternal(editor, source, to, now);
        else DressExternal(editor, to, source, now, said.MedSet);
        if (!to.Drains) return;
        // RFC 8326 section 4.2: outside, the community asks for what is said inside by the preference itself.
        editor.AddCommunity(Community.GracefulShutdown);
        if (to.Internal) editor.SetLocalPref(0);
    }

    private static void DressExternal(AttributeEditor editor, ExportTreatment to, RibPeer source, in AttributeSummary after, bool medSet)
    {
        editor.Prepend(to.LocalAs);
        // RFC 9234 section 5: a customer, peer or route server's client learns that it is for its customers only.
        if (to.Role is Role.Provider or Role.Peer or Role.RouteServer && !after.Has(AttributeMarks.HasOtc)) editor.SetOtc(to.LocalAs.Value);
        if (after.Has(AttributeMarks.HasLocalPref)) editor.SetLocalPref(null);
        // RFC 4271 5.1.4: a MED that came from a neighbouring AS is not for another one; one that the filter set is.
        if (after.Has(AttributeMarks.HasMed) && !medSet && source.Origin == RouteOrigin.Bgp) editor.SetMed(null);
        if (after.Has(AttributeMarks.HasOriginatorId)) editor.SetOriginatorId(null);
        if (after.ClusterListLength > 0) editor.Remove(AttributeType.ClusterList);
        if (after.Has(AttributeMarks.HasAigp)) editor.Remove(AttributeType.Aigp);
        editor.RemoveExtendedCommunities(static community => !community.IsTransitive);
    }

    private static void DressInternal(AttributeEditor editor, RibPeer source, ExportTreatment to, in AttributeSummary after)
    {
        if (!after.Has(AttributeMarks.HasLocalPref)) editor.SetLocalPref(Decision.DefaultLocalPref);
        if (source.Origin != RouteOrigin.Bgp || !source.Internal) return;
        if (!after.Has(AttributeMarks.HasOriginatorId)) editor.SetOriginatorId(source.PeerId);
        editor.PrependClusterId(to.ClusterId);
    }

    private static void NextHop(
        AttributeEditor editor, ExportTreatment to, RibPeer source, IpFamily family, in AttributeSummary after, NextHopChoice choice)
    {
        if (choice == NextHopChoice.Set || (choice == NextHopChoice.Keep && after.NextHopLength > 0)) return;
        if (after.NextHopLength > 0 && choice != NextHopChoice.Self && Keeps(to, source, family, after.NextHop))
        {
            // RFC 2545 section 3: the link-local address is only for neighbours on that very link.
            if (after.NextHopLength == 32 && (to.Interface == 0 || to.Interface != source.Interface)) editor.SetNextHop(after.NextHop);
            return;
        }
        var self = to.Self(family);
        if (self.IsUnspecified && family == IpFamily.IPv4 && to.Encode.ExtendedNextHop) self = to.SelfIPv6;
        editor.SetNextHop(self, self.IsIPv4 || to.Internal ? null : to.SelfLinkLocal);
    }

    private static bool Keeps(ExportTreatment to, RibPeer source, IpFamily family, Address nextHop) => to.NextHop switch
    {
        NextHopMode.Keep => true,
        NextHopMode.Self => false,
        // It means nothing to them: on another link, or of a family that the session cannot say (RFC 8950 is not agreed on).
        _ when nextHop.IsLinkLocal && !AreOnOneLink(to, source) => false,
        _ when !to.Encode.Carries(family, nextHop.Family) => false,
        // A producer's word: own routes have none but where somebody asked for it.
        _ when source.Origin != RouteOrigin.Bgp => true,
        // Third party (RFC 4271 5.1.3): both neighbours are on one link, so the one can send to the other directly.
        _ => to.Internal || (source.Direct && AreOnOneLink(to, source)),
    };

    private static bool AreOnOneLink(ExportTreatment to, RibPeer source) => to.Interface != 0 && source.Interface == to.Interface;
}
