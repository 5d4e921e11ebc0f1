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
    /// <summary>
    /// Its next hop lies behind the very prefix, and is reached by a shorter one only: the last resort, as a way to where it leads from.
    /// </summary>
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

/// <summary>Whether a path is used together with the best one, and by which rule.</summary>
public enum Sharing : byte
{
    /// <summary>Multipath is off, it is the best one itself, or one that is not used at all.</summary>
    NotAsked,
    Shares,
    /// <summary>A step that says how good a route is tells them apart, not one that only breaks ties.</summary>
    NotEqual,
    /// <summary>From another neighbouring AS, and <see cref="DecisionSettings.MultipathRelax"/> is off.</summary>
    OtherNeighbour,
    /// <summary>An own route has no next hop to share packets with.</summary>
    NoNextHop,
    /// <summary><see cref="DecisionSettings.MultipathLimit"/> others stand before it.</summary>
    OverLimit,
}

/// <summary>A route as the decision sees it.</summary>
/// <param name="Preference">Between protocols: direct 240, static 200, BGP 100, kernel 10 (BIRD's numbers).</param>
/// <param name="Circular">See <see cref="NextHopState.Circular"/>.</param>
internal readonly record struct Candidate(AttributeSummary Attributes, uint Preference, bool Circular, bool External, uint IgpMetric)
{
    public RouterId PeerId { get; init; }
    public Address PeerAddress { get; init; }
    /// <summary>Seconds-like number of its arrival: smaller is older.</summary>
    public uint Age { get; init; }
    public uint PathId { get; init; }
}

/// <summary>
/// Which of two routes to one prefix is better, and by which step. Lower steps are only asked when all higher ones tie.
/// A missing LOCAL_PREF counts as 100 (what external routes have); a missing MED as 0 (RFC 4271 9.1.2.2 c), or as the worst where
/// the settings say so.
/// <para>
/// MED. Only routes of one neighbouring AS are compared by it, unless all are to be. Then "better" is not transitive (RFC 3345): a may
/// lose to b by MED, b to c by router id, c to a by router id. So that the order of arrival does not matter, each neighbour's best is found
/// first, and the best of these wins (deterministic MED): a route that <see cref="Overshadows">another of its neighbour overshadows</see>
/// is out, even where it would beat the winner.
/// </para>
/// <para>
/// Multipath. Routes that tie in every step down to the metric of the next hop differ only in what breaks ties (age, identifiers,
/// addresses): packets may be shared out among them, external ones only where they come from one neighbouring AS, or where that is relaxed.
/// </para>
/// </summary>
internal static class Decision
{
    public const uint DefaultLocalPref = 100;

    /// <returns>Negative: <paramref name="a"/> is better. Never 0 for two different paths.</returns>
    public static int Compare(in Candidate a, in Candidate b, DecisionSettings by, out Reason reason)
    {
        int order;
        if ((order = b.Preference.CompareTo(a.Preference)) != 0) return Because(Reason.Preference, out reason);
        if ((order = a.Circular.CompareTo(b.Circular)) != 0) return Because(Reason.NextHopCircle, out reason);
        if ((order = Stale(a).CompareTo(Stale(b))) != 0) return Because(Reason.LongLivedStale, out reason);
        if ((order = LocalPref(b).CompareTo(LocalPref(a))) != 0) return Because(Reason.LocalPref, out reason);
        if (!by.IgnoreAsPathLength && (order = a.Attributes.AsPathLength.CompareTo(b.Attributes.AsPathLength)) != 0)
            return Because(Reason.AsPathLength, out reason);
        if ((order = ((byte)a.Attributes.Origin).CompareTo((byte)b.Attributes.Origin)) != 0) return Because(Reason.Origin, out reason);
        if ((by.AlwaysCompareMed || SameNeighbour(a, b)) && (order = Med(a, by).CompareTo(Med(b, by))) != 0)
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

    /// <summary>Deterministic MED: each neighbour's best is found before the best of all.</summary>
    public static bool GroupsByNeighbour(DecisionSettings by) => by is { DeterministicMed: true, AlwaysCompareMed: false };

    /// <summary>
    /// Where <see cref="GroupsByNeighbour"/> holds: <paramref name="other"/> keeps <paramref name="own"/> from being chosen, whatever else
    /// there is.
    /// </summary>
    /// <param name="reason">The step by which, the MED or one of those before and after it.</param>
    public static bool Overshadows(in Candidate other, in Candidate own, DecisionSettings by, out Reason reason)
    {
        reason = default;
        return SameNeighbour(other, own) && Compare(other, own, by, out reason) < 0;
    }

    /// <summary>Whether a route is used together with the best one, places left aside.</summary>
    public static Sharing Share(in Candidate best, in Candidate other, DecisionSettings by)
    {
        Compare(best, other, by, out var reason);
        if (reason < Reason.Older) return Sharing.NotEqual;
        return best.External && !by.MultipathRelax && !SameNeighbour(best, other) ? Sharing.OtherNeighbour : Sharing.Shares;
    }

    private static bool SameNeighbour(in Candidate a, in Candidate b) => a.Attributes.NeighborAs == b.Attributes.NeighborAs;

    private static bool Stale(in Candidate c) => c.Attributes.Has(AttributeMarks.LlgrStale);
    private static uint LocalPref(in Candidate c) =>
        c.Attributes.Has(AttributeMarks.HasLocalPref) ? c.Attributes.LocalPref : DefaultLocalPref;
    private static uint Med(in Candidate c, DecisionSettings by) => Med(c.Attributes, by);
    public static uint Med(in AttributeSummary of, DecisionSettings by) =>
        of.Has(AttributeMarks.HasMed) ? of.Med : by.MissingMedWorst ? uint.MaxValue : 0;
    private static RouterId Id(in Candidate c) =>
        c.Attributes.Has(AttributeMarks.HasOriginatorId) ? new(c.Attributes.OriginatorId) : c.PeerId;
}
