using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests;

/// <summary>RFC 4271 section 9.1.2.2 step by step: pairs that differ in one thing only, and orders of arrival that must not
/// matter.</summary>
public class DecisionTests
{
    private static readonly DecisionSettings Usual = new();

    private static readonly AttributeSummary Plain = new()
    {
        Origin = Origin.Igp,
        AsPathLength = 2,
        NeighborAs = 64501,
        Marks = AttributeMarks.HasLocalPref | AttributeMarks.HasMed,
        LocalPref = 100,
        Med = 10,
    };

    private static readonly Candidate Route = new(Plain, 100, Circular: false, External: true, 5)
    {
        PeerId = new(0x0a000002),
        PeerAddress = Address.Parse("10.0.0.2"),
        Age = 50,
    };

    private static Candidate With(Func<AttributeSummary, AttributeSummary> change) => Route with { Attributes = change(Plain) };

    private static AttributeSummary Without(AttributeSummary summary, AttributeMarks mark)
    {
        summary.Marks &= ~mark;
        return summary;
    }

    /// <summary>Name of the row, the better route, the worse one, the settings, and the step that must tell them apart.</summary>
    public static TheoryData<string> Rows => [.. Pairs.Keys];

    private static readonly Dictionary<string, (Candidate Better, Candidate Worse, DecisionSettings By, Reason Step)> Pairs = new()
    {
        ["the protocol with the higher preference"] = (Route with { Preference = 200 }, Route, Usual, Reason.Preference),
        ["a next hop behind the prefix itself is the last resort"] = (
            Route, With(s => s with { LocalPref = 500 }) with { Circular = true }, Usual, Reason.NextHopCircle),
        ["a stale route is the last resort"] = (Route, With(s => s with { Marks = s.Marks | AttributeMarks.LlgrStale }), Usual,
            Reason.LongLivedStale),
        ["stale loses even with the higher LOCAL_PREF"] = (
            Route, With(s => s with { Marks = s.Marks | AttributeMarks.LlgrStale, LocalPref = 500 }), Usual, Reason.LongLivedStale),
        ["the higher LOCAL_PREF"] = (With(s => s with { LocalPref = 101 }), Route, Usual, Reason.LocalPref),
        ["a missing LOCAL_PREF counts as 100"] = (With(s => Without(s, AttributeMarks.HasLocalPref)), With(s => s with { LocalPref = 99 }),
            Usual, Reason.LocalPref),
        ["LOCAL_PREF before the length of the path"] = (
            With(s => s with { LocalPref = 101, AsPathLength = 9 }), Route, Usual, Reason.LocalPref),
        ["the shorter AS path"] = (With(s => s with { AsPathLength = 1 }), Route, Usual, Reason.AsPathLength),
        ["the length of the path before the origin"] = (
            With(s => s with { AsPathLength = 1, Origin = Origin.Incomplete }), Route, Usual, Reason.AsPathLength),
        ["the length of the path may be ignored"] = (
            With(s => s with { AsPathLength = 9 }), With(s => s with { Origin = Origin.Egp }), new() { IgnoreAsPathLength = true },
            Reason.Origin),
        ["origin IGP before EGP"] = (Route, With(s => s with { Origin = Origin.Egp }), Usual, Reason.Origin),
        ["origin EGP before INCOMPLETE"] = (With(s => s with { Origin = Origin.Egp }), With(s => s with { Origin = Origin.Incomplete }),
            Usual, Reason.Origin),
        ["the lower MED of one neighbouring AS"] = (With(s => s with { Med = 9 }), Route, Usual, Reason.Med),
        ["MEDs of two neighbouring ASes are not compared"] = (
            Route, (Route with { PeerId = new(0x0a000003) }) with { Attributes = Plain with { NeighborAs = 64502, Med = 1 } }, Usual,
            Reason.RouterId),
        ["unless all are"] = (With(s => s with { NeighborAs = 64502, Med = 1 }), Route, new() { AlwaysCompareMed = true }, Reason.Med),
        ["a missing MED counts as 0"] = (With(s => Without(s, AttributeMarks.HasMed)), With(s => s with { Med = 1 }), Usual, Reason.Med),
        ["or as the worst"] = (Route, With(s => Without(s, AttributeMarks.HasMed)), new() { MissingMedWorst = true }, Reason.Med),
        ["external before internal"] = (Route, Route with { External = false }, Usual, Reason.ExternalOverInternal),
        ["the nearer next hop"] = (Route with { IgpMetric = 4 }, Route, Usual, Reason.IgpMetric),
        ["the older of two external ones, where that is asked for"] = (
            Route with { Age = 49, PeerId = new(0x0a000009) }, Route, new() { PreferOlder = true }, Reason.Older),
        ["age counts between external routes only"] = (
            Route with { External = false }, Route with { External = false, Age = 49, PeerId = new(0x0a000009) },
            new() { PreferOlder = true }, Reason.RouterId),
        ["the lower router id"] = (Route with { PeerId = new(0x0a000001) }, Route, Usual, Reason.RouterId),
        ["the ORIGINATOR_ID in its place"] = (
            With(s => s with { Marks = s.Marks | AttributeMarks.HasOriginatorId, OriginatorId = 0x0a000001 }), Route, Usual,
            Reason.RouterId),
        ["the shorter CLUSTER_LIST"] = (Route, With(s => s with { ClusterListLength = 1 }), Usual, Reason.ClusterListLength),
        ["the lower address"] = (Route with { PeerAddress = Address.Parse("10.0.0.1") }, Route, Usual, Reason.PeerAddress),
        ["the lower path id of one peer"] = (Route, Route with { PathId = 1 }, Usual, Reason.PathId),
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void One_difference_decides_by_its_step_whichever_route_is_asked_first(string row)
    {
        var (better, worse, by, step) = Pairs[row];
        Assert.True(Decision.Compare(better, worse, by, out var reason) < 0, row);
        Assert.Equal(step, reason);
        Assert.True(Decision.Compare(worse, better, by, out reason) > 0, row);
        Assert.Equal(step, reason);
    }

    [Fact]
    public void Routes_that_only_break_ties_may_be_used_together()
    {
        var tied = Route with { PeerId = new(7), PeerAddress = Address.Parse("10.0.0.7"), Age = 1 };
        Assert.Equal(Sharing.Shares, Decision.Share(Route, tied, Usual));
        Assert.Equal(Sharing.NotEqual, Decision.Share(Route, Route with { IgpMetric = 6 }, Usual));
        var elsewhere = tied with { Attributes = Plain with { NeighborAs = 64502 } };
        Assert.Equal(Sharing.OtherNeighbour, Decision.Share(Route, elsewhere, Usual));
        Assert.Equal(Sharing.Shares, Decision.Share(Route, elsewhere, new() { MultipathRelax = true }));
        Assert.Equal(Sharing.Shares, Decision.Share(Route with { External = false }, elsewhere with { External = false }, Usual));
    }
}
