using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Rib.Tests;

/// <summary>A lost peer's routes: those that are kept (RFC 4724 section 4.2), and those that go in slices while it is back.</summary>
public sealed class KeptPeerTests : IDisposable
{
    private static readonly Prefix One = Prefix.Parse("192.0.2.0/24"), Two = Prefix.Parse("198.51.100.0/24");
    private static readonly Prefix Six = Prefix.Parse("2001:db8::/32");
    private readonly RibRig rig = new(slice: 1);
    private readonly ReceivingPeer other;

    public KeptPeerTests()
    {
        rig.Up(RibRig.Peer(1));
        other = rig.Up(RibRig.Peer(2));
    }

    public void Dispose() => rig.Dispose();

    private byte[] Path(params uint[] path) => rig.Attributes(editor =>
    {
        foreach (var asn in path.Reverse()) editor.Prepend(new(asn));
    });

    private byte[] Path6() => rig.Attributes(editor =>
    {
        editor.SetNextHop(Address.Parse("fd00::200"));
        editor.Prepend(new(64501));
    });

    private async Task<string> PathsAsync(IpFamily family = IpFamily.IPv4)
    {
        await rig.Rib.IdleAsync();
        var routes = await rig.ReadAsync(new(RouteSide.Accepted, family));
        return string.Join("; ", routes.OrderBy(route => route.Prefix).Select(route => $"{route.Prefix} {route.State}"));
    }

    [Fact]
    public async Task The_routes_of_a_kept_peer_stay_in_use_and_are_marked_stale()
    {
        await rig.AnnounceAsync(1, Path(64501), One);
        await rig.AnnounceAsync(1, Path6(), Six);
        rig.Down(1, FamilySet.IPv4);
        Assert.Equal("192.0.2.0/24 Preferred, Stale", await PathsAsync());
        Assert.Equal("", await PathsAsync(IpFamily.IPv6));
        Assert.Equal([One], other.Holds.Keys);
        Assert.Equal((1, 0), (rig.Rib.CountsOf(1, IpFamily.IPv4).Imported, rig.Rib.CountsOf(1, IpFamily.IPv6).Imported));
    }

    [Fact]
    public async Task What_is_said_again_is_not_told_again_and_the_rest_goes_with_End_of_RIB()
    {
        await rig.AnnounceAsync(1, Path(64501), One, Two);
        await rig.Rib.IdleAsync();
        rig.Down(1, FamilySet.Both);
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(64501), Two);
        Assert.Equal("192.0.2.0/24 Preferred, Stale; 198.51.100.0/24 Preferred", await PathsAsync());
        await rig.EndOfRibAsync(1, IpFamily.IPv6);
        Assert.Equal("192.0.2.0/24 Preferred, Stale; 198.51.100.0/24 Preferred", await PathsAsync());
        await rig.EndOfRibAsync(1, IpFamily.IPv4);
        Assert.Equal("198.51.100.0/24 Preferred", await PathsAsync());
        Assert.Equal([Two], other.Holds.Keys);
        Assert.Equal(2, other.Announcements);
    }

    [Fact]
    public async Task A_second_loss_takes_what_was_stale_and_keeps_what_was_said_since()
    {
        await rig.AnnounceAsync(1, Path(64501), One, Two);
        rig.Down(1, FamilySet.Both);
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(64501), Two);
        rig.Down(1, FamilySet.Both);
        Assert.Equal("198.51.100.0/24 Preferred, Stale", await PathsAsync());
    }

    [Fact]
    public async Task What_is_stale_when_the_time_is_up_goes()
    {
        await rig.AnnounceAsync(1, Path(64501), One);
        await rig.AnnounceAsync(1, Path6(), Six);
        rig.Down(1, FamilySet.Both);
        rig.Rib.EndStale(1, FamilySet.IPv6);
        Assert.Equal(("192.0.2.0/24 Preferred, Stale", ""), (await PathsAsync(), await PathsAsync(IpFamily.IPv6)));
        rig.Rib.EndStale(1, FamilySet.Both);
        await rig.Rib.IdleAsync();
        Assert.Equal((0, 0, 0), rig.Rib.Sizes);
        Assert.Empty(other.Holds);
    }

    [Fact]
    public async Task A_refresh_takes_what_is_stale_along()
    {
        await rig.AnnounceAsync(1, Path(64501), One, Two);
        rig.Down(1, FamilySet.Both);
        rig.Up(RibRig.Peer(1));
        await rig.RefreshAsync(1, IpFamily.IPv4, begins: true);
        await rig.AnnounceAsync(1, Path(64501), Two);
        await rig.RefreshAsync(1, IpFamily.IPv4, begins: false);
        Assert.Equal("198.51.100.0/24 Preferred", await PathsAsync());
    }

    [Fact]
    public async Task A_kept_route_that_is_better_stays_chosen_over_one_that_comes_meanwhile()
    {
        await rig.AnnounceAsync(1, Path(64501), One);
        rig.Down(1, FamilySet.Both);
        rig.Up(RibRig.Peer(3));
        await rig.AnnounceAsync(3, Path(64503, 7), One);
        await rig.Rib.IdleAsync();
        Assert.Equal(1, (await rig.ReadAsync(new(RouteSide.Best, IpFamily.IPv4)))[0].Peer);
        rig.Rib.EndStale(1, FamilySet.Both);
        await rig.Rib.IdleAsync();
        Assert.Equal(3, (await rig.ReadAsync(new(RouteSide.Best, IpFamily.IPv4)))[0].Peer);
    }

    [Fact]
    public async Task A_peer_that_comes_back_with_another_filter_has_what_was_kept_judged_by_it()
    {
        await rig.AnnounceAsync(1, Path(64501), One);
        rig.Down(1, FamilySet.Both);
        rig.Up(RibRig.Peer(1, import: RejectAll.Instance));
        Assert.Equal("", await PathsAsync());
        Assert.Empty(other.Holds);
        Assert.Equal(PathState.Stale, Assert.Single(await rig.ReadAsync(new(RouteSide.Refused, IpFamily.IPv4))).State);
    }

    [Fact]
    public async Task What_a_lost_session_left_does_not_count_against_the_limit_of_the_next()
    {
        await rig.AnnounceAsync(1, Path(64501), One);
        rig.Down(1, FamilySet.Both);
        rig.Up(RibRig.Peer(1) with { PrefixLimit = 1 });
        await rig.AnnounceAsync(1, Path(64501), Two);
        await rig.Rib.IdleAsync();
        Assert.Empty(rig.Listener.Exceeded);
        await rig.AnnounceAsync(1, Path(64501), One);
        await rig.Rib.IdleAsync();
        Assert.NotEmpty(rig.Listener.Exceeded);
    }

    [Fact]
    public async Task A_refresh_does_not_raise_the_limit()
    {
        rig.Up(RibRig.Peer(3) with { PrefixLimit = 1 });
        await rig.AnnounceAsync(3, Path(64503), One);
        await rig.RefreshAsync(3, IpFamily.IPv4, begins: true);
        await rig.Rib.IdleAsync();
        Assert.Empty(rig.Listener.Exceeded);
        await rig.AnnounceAsync(3, Path(64503), Two);
        await rig.Rib.IdleAsync();
        Assert.NotEmpty(rig.Listener.Exceeded);
    }

    [Fact]
    public async Task What_a_peer_says_when_it_is_back_outlives_the_walk_that_removes_what_it_said_before()
    {
        var many = Enumerable.Range(0, 2000).Select(i => new Prefix(Address.FromIPv4(0x0b000000u + ((uint)i << 8)), 24)).ToArray();
        for (var round = 0; round < 5; round++)
        {
            await rig.AnnounceAsync(1, Path(64501), many);
            await rig.Rib.IdleAsync();
            rig.Down(1);
            rig.Up(RibRig.Peer(1));
            await rig.AnnounceAsync(1, Path(64501), many[^1], many[7]);
            Assert.Equal($"{many[7]} Preferred; {many[^1]} Preferred", await PathsAsync());
            Assert.Equal([many[7], many[^1]], other.Holds.Keys);
        }
        Assert.Empty(other.Complaints);
    }

    [Fact]
    public async Task A_peer_that_begins_more_refreshes_than_can_be_told_apart_loses_what_it_had_not_confirmed_since_and_nothing_else()
    {
        await rig.AnnounceAsync(1, Path(64501), One);
        for (var i = 0; i < 700; i++) await rig.RefreshAsync(1, IpFamily.IPv4, begins: true);
        await rig.AnnounceAsync(1, Path(64501), Two);
        Assert.Equal("192.0.2.0/24 Preferred, Unconfirmed; 198.51.100.0/24 Preferred", await PathsAsync());
        await rig.RefreshAsync(1, IpFamily.IPv4, begins: false);
        Assert.Equal("198.51.100.0/24 Preferred", await PathsAsync());
    }

    [Theory]
    [InlineData(FamilySet.None)]
    [InlineData(FamilySet.Both)]
    public async Task And_when_it_is_lost_then_all_of_it_is_gone_before_it_says_anything_more(FamilySet kept)
    {
        await rig.AnnounceAsync(1, Path(64501), One);
        for (var i = 0; i < 700; i++) await rig.RefreshAsync(1, IpFamily.IPv4, begins: true);
        rig.Down(1, kept);
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(64501), Two);
        Assert.Equal("198.51.100.0/24 Preferred", await PathsAsync());
        await rig.WithdrawAsync(1, Two);
        await rig.Rib.IdleAsync();
        Assert.Equal((0, 0, 0), rig.Rib.Sizes);
    }

    [Fact]
    public async Task Three_hundred_losses_in_a_row_mix_nothing_up()
    {
        for (var i = 0; i < 300; i++)
        {
            await rig.AnnounceAsync(1, Path(64501), i % 2 == 0 ? [One, Two] : [Two]);
            rig.Down(1, (FamilySet)(i % 3));
            rig.Up(RibRig.Peer(1));
        }
        await rig.EndOfRibAsync(1, IpFamily.IPv4);
        await rig.Rib.IdleAsync();
        Assert.Equal((0, 0, 0), rig.Rib.Sizes);
        Assert.Empty(other.Complaints);
    }

    /// <summary>RFC 9494 section 4.3 (conformance G05).</summary>
    [Fact]
    public async Task What_has_been_stale_for_long_is_marked_the_last_resort_and_told_to_those_alone_who_know_what_that_is()
    {
        var knows = rig.Up(RibRig.Peer(3) with { LongLived = true });
        await rig.AnnounceAsync(1, Path(64501), One);
        await rig.AnnounceAsync(2, Path(64502, 7, 8), One);
        await rig.AnnounceAsync(1, Path(64501), Two);
        rig.Down(1, FamilySet.Both);
        rig.Rib.BeginLongStale(1, FamilySet.IPv4);
        await rig.Rib.IdleAsync();
        Assert.Equal(2, (await rig.ReadAsync(new(RouteSide.Best, IpFamily.IPv4, ReadScope.Exact, One)))[0].Peer);
        var last = (await rig.ReadAsync(new(RouteSide.Best, IpFamily.IPv4, ReadScope.Exact, Two)))[0];
        Assert.Equal((1, true), (last.Peer, last.Summary.Has(Wire.Attributes.AttributeMarks.LlgrStale)));
        Assert.Equal([One, Two], knows.Holds.Keys);
        Assert.Empty(other.Holds);
        Assert.Contains("ffff0006", knows.Holds[Two], StringComparison.Ordinal);
        var verdict = (await rig.Rib.ExplainAsync(Two, default)).Exports.Single(export => export.Peer == 2).Verdict;
        Assert.Equal(RouteRule.LongStale, verdict.Rule);

        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(64501), One, Two);
        await rig.EndOfRibAsync(1, IpFamily.IPv4);
        await rig.Rib.IdleAsync();
        Assert.Equal([One, Two], other.Holds.Keys);
        Assert.DoesNotContain("ffff0006", knows.Holds[Two], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_route_that_says_no_llgr_is_not_used_once_it_has_been_stale_for_long()
    {
        await rig.AnnounceAsync(1, rig.Attributes(editor =>
        {
            editor.Prepend(new(64501));
            editor.AddCommunity(Community.NoLlgr);
        }), One);
        rig.Down(1, FamilySet.Both);
        Assert.Equal("192.0.2.0/24 Preferred, Stale", await PathsAsync());
        rig.Rib.BeginLongStale(1, FamilySet.Both);
        Assert.Equal("", await PathsAsync());
        Assert.Empty(other.Holds);
        Assert.Equal(RouteRule.NoLongStale, (await rig.Rib.ExplainAsync(One, default)).Paths[0].Route.Verdict!.Value.Rule);
    }

    [Fact]
    public async Task Where_routes_may_stay_for_long_a_second_loss_takes_none_of_them()
    {
        await rig.AnnounceAsync(1, Path(64501), One, Two);
        rig.Down(1, FamilySet.Both, FamilySet.Both);
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(64501), Two);
        rig.Down(1, FamilySet.Both, FamilySet.Both);
        Assert.Equal("192.0.2.0/24 Preferred, Stale; 198.51.100.0/24 Preferred, Stale", await PathsAsync());
    }
}
