using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>The step that told two routes apart, in the order of the decision (RFC 4271 section 9.1.2.2 and what came after it).</summary>
public enum Reason : byte
{
    /// <summary>There was nothing to compare with.</summary>
    OnlyRoute,
    /// <summary>Rejected by the import filter or by a rule of the way in.</summary>
    Rejected,
    /// <summary>Its next hop cannot be reached (9.1.2.1).</summary>
    NextHopUnresolvable,
    Preference,
    /// <summary>Its next hop lies behind the very prefix, and is reached by a shorter one only: the last resort, as a way to where it leads from.</summary>
    NextHopCircle,
    /// <summary>RFC 9494: a stale route is the last resort.</summary>
    LongLivedStale,
    LocalPref,
    AsPathLength,
    Origin,
    Med,
    ExternalOverInternal,
    IgpMetric,
    /// <summary>RFC 5004: the route that was there first stays.</summary>
    Older,
    /// <summary>The BGP identifier, or the ORIGINATOR_ID in its place (RFC 4456 section 9).</summary>
    RouterId,
    /// <summary>RFC 4456 section 9: the shorter CLUSTER_LIST.</summary>
    ClusterListLength,
    PeerAddress,
    /// <summary>RFC 7911: two paths of one peer.</summary>
    PathId,
}

/// <summary>A route as the decision sees it.</summary>
/// <param name="Preference">Between protocols: direct 240, static 200, BGP 100, kernel 10 (BIRD's numbers).</param>
/// <param name="Circular">See <see cref="NextHopState.Circular"/>.</param>
/// <param name="Age">Seconds-like number of its arrival: smaller is older.</param>
internal readonly record struct Candidate(
    AttributeSummary Attributes, uint Preference, bool Circular, bool External, uint IgpMetric, RouterId PeerId, Address PeerAddress, uint Age, uint PathId);

/// <summary>
/// Which of two routes to one prefix is better, and by which step. Lower steps are only asked when all higher ones tie.
/// A missing LOCAL_PREF counts as 100 (what external routes have); a missing MED as 0 (RFC 4271 9.1.2.2 c), or as the worst where
/// the settings say so.
/// </summary>
internal static class Decision
{
    public const uint DefaultLocalPref = 100;

    /// <param name="withMed">False leaves the MED step out: between the winners of different neighbouring ASes (deterministic MED).</param>
    /// <returns>Negative: <paramref name="a"/> is better. Never 0 for two different paths.</returns>
    public static int Compare(in Candidate a, in Candidate b, DecisionSettings by, bool withMed, out Reason reason)
    {
        int order;
        if ((order = b.Preference.CompareTo(a.Preference)) != 0) return Because(Reason.Preference, out reason);
        if ((order = a.Circular.CompareTo(b.Circular)) != 0) return Because(Reason.NextHopCircle, out reason);
        if ((order = Stale(a).CompareTo(Stale(b))) != 0) return Because(Reason.LongLivedStale, out reason);
        if ((order = LocalPref(b).CompareTo(LocalPref(a))) != 0) return Because(Reason.LocalPref, out reason);
        if (!by.IgnoreAsPathLength && (order = a.Attributes.AsPathLength.CompareTo(b.Attributes.AsPathLength)) != 0)
            return Because(Reason.AsPathLength, out reason);
        if ((order = ((byte)a.Attributes.Origin).CompareTo((byte)b.Attributes.Origin)) != 0) return Because(Reason.Origin, out reason);
        if (withMed && (by.AlwaysCompareMed || SameNeighbour(a, b)) && (order = Med(a, by).CompareTo(Med(b, by))) != 0)
            return Because(Reason.Med, out reason);
        if ((order = b.External.CompareTo(a.External)) != 0) return Because(Reason.ExternalOverInternal, out reason);
        if ((order = a.IgpMetric.CompareTo(b.IgpMetric)) != 0) return Because(Reason.IgpMetric, out reason);
        if (by.PreferOlder && a.External && b.External && (order = a.Age.CompareTo(b.Age)) != 0) return Because(Reason.Older, out reason);
        if ((order = Id(a).CompareTo(Id(b))) != 0) return Because(Reason.RouterId, out reason);
        if ((order = a.Attributes.ClusterListLength.CompareTo(b.Attributes.ClusterListLength)) != 0)
            return Because(Reason.ClusterListLength, out reason);
        if ((order = a.PeerAddress.CompareTo(b.PeerAddress)) != 0) return Because(Reason.PeerAddress, out reason);
        order = a.PathId.CompareTo(b.PathId);
        return Because(Reason.PathId, out reason);

        int Because(Reason step, out Reason why)
        {
            why = step;
            return order;
        }
    }

    /// <summary>Equal in every step that says how good the route is: such routes may be used together (the later steps only break ties).</summary>
    public static bool MayShare(in Candidate a, in Candidate b, DecisionSettings by)
    {
        Compare(a, b, by, withMed: true, out var reason);
        return reason >= Reason.Older;
    }

    public static bool SameNeighbour(in Candidate a, in Candidate b) => a.Attributes.NeighborAs == b.Attributes.NeighborAs;

    private static bool Stale(in Candidate c) => c.Attributes.Has(AttributeMarks.LlgrStale);
    private static uint LocalPref(in Candidate c) => c.Attributes.Has(AttributeMarks.HasLocalPref) ? c.Attributes.LocalPref : DefaultLocalPref;
    private static uint Med(in Candidate c, DecisionSettings by) =>
        c.Attributes.Has(AttributeMarks.HasMed) ? c.Attributes.Med : by.MissingMedWorst ? uint.MaxValue : 0;
    private static RouterId Id(in Candidate c) =>
        c.Attributes.Has(AttributeMarks.HasOriginatorId) ? new(c.Attributes.OriginatorId) : c.PeerId;
}
