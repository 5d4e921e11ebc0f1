using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>Routes that other programs of the node have announced for a while.</summary>
public class RouteLeasesTests
{
    private static readonly TimeSpan Ten = TimeSpan.FromSeconds(10);
    private static readonly Prefix First = Prefix.Parse("192.0.2.1/32"), Second = Prefix.Parse("192.0.2.2/32");

    private readonly ManualTimeProvider time = new();
    private int rings;

    private static RouteLease Lease(Prefix prefix, TimeSpan? ttl = null, string producer = "metallb", SaidAttributes? said = null) =>
        new(producer, prefix, ttl, said ?? new());

    [Fact]
    public void A_lease_runs_out_unless_it_is_renewed()
    {
        using var leases = new RouteLeases(time, () => rings++);
        Assert.Null(leases.Grant(Lease(First, Ten), []));
        Assert.Null(leases.Grant(Lease(Second, Ten), []));
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.Null(leases.Grant(Lease(Second, Ten), []));
        Assert.Equal((TimeSpan.FromSeconds(4), Ten), (leases.LeftOf("metallb", First), leases.LeftOf("metallb", Second)));
        Assert.Null(leases.LeftOf("kube-vip", First));
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(1, rings);
        Assert.Equal(("metallb", First), Assert.Single(leases.Expired()));
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(("metallb", Second), Assert.Single(leases.Expired()));
        Assert.False(leases.End("metallb", Second));
    }

    [Fact]
    public void One_without_an_end_ends_when_it_is_withdrawn()
    {
        using var leases = new RouteLeases(time, () => rings++);
        leases.Grant(Lease(First, Ten), []);
        leases.Grant(Lease(First), []);
        Assert.Null(leases.LeftOf("metallb", First));
        time.Advance(TimeSpan.FromDays(1));
        Assert.Empty(leases.Expired());
        Assert.True(leases.End("metallb", First));
    }

    [Fact]
    public void A_quota_says_how_many_and_where_and_others_have_none()
    {
        using var leases = new RouteLeases(time, () => rings++);
        ProducerQuota[] quotas = [new("metallb", 1, [Prefix.Parse("192.0.2.0/24")])];
        Assert.Null(leases.Grant(Lease(First), [.. quotas]));
        Assert.Null(leases.Grant(Lease(First, Ten), [.. quotas]));
        Assert.Equal("metallb announces 1 routes, and may have 1", leases.Grant(Lease(Second), [.. quotas]));
        Assert.Contains("inside of 192.0.2.0/24", leases.Grant(Lease(Prefix.Parse("198.51.100.1/32")), [.. quotas]));
        Assert.Equal(
            "expected one of control.producers (metallb), got kube-vip", leases.Grant(Lease(First, Ten, "kube-vip"), [.. quotas]));
        leases.End("metallb", First);
        Assert.Null(leases.Grant(Lease(Second), [.. quotas]));
    }

    [Fact]
    public void Without_quotas_producers_are_bounded_too()
    {
        using var leases = new RouteLeases(time, () => rings++);
        for (var i = 0; i < 32; i++) Assert.Null(leases.Grant(Lease(First, null, $"p{i}"), []));
        Assert.Equal("there are 32 producers already", leases.Grant(Lease(First, null, "one-more"), []));
        Assert.Null(leases.Grant(Lease(Second, null, "p0"), []));
    }

    [Fact]
    public async Task What_is_said_of_a_route_is_told_to_neighbours_and_goes_when_it_is_withdrawn()
    {
        await using var pair = await new Pair(config => config.Peer(peer => peer with { Export = AcceptAll.Instance })).UpAsync();
        var said = new SaidAttributes
        {
            NextHop = Address.Parse("10.0.0.77"),
            Med = 7,
            LocalPref = 300,
            Communities = [new(65001, 5)],
            LargeCommunities = [new(1, 2, 3)],
        };
        Assert.Null(await pair.A.Loop.AnnounceAsync(Lease(First, null, said: said)));
        RouteView? route = null;
        await Until.TrueAsync(async () => (route = await RouteAsync(pair.B)) != null);
        var view = new AttributeView(route!.Attributes.Span);
        Assert.Equal((Address.Parse("10.0.0.77"), 7u), (route.Summary.NextHop, route.Summary.Med));
        Assert.True(view.HasCommunity(new(65001, 5)));
        Assert.Equal("1:2:3", string.Join(' ', view.LargeCommunities));
        // LOCAL_PREF stays inside.
        Assert.NotEqual(300u, route.Summary.LocalPref);
        Assert.Equal("lease.metallb1", (await RouteAsync(pair.A))!.Protocol);
        Assert.Equal(
            "expected a route that bgpctl announces, got 192.0.2.1/32, which it does not, but metallb (--producer) does",
            await pair.A.Loop.WithdrawAsync("bgpctl", First));
        Assert.Null(await pair.A.Loop.WithdrawAsync("metallb", First));
        await Until.TrueAsync(async () => await RouteAsync(pair.B) == null);
        Assert.EndsWith(
            "which it does not, nor does another producer", await pair.A.Loop.WithdrawAsync("metallb", First), StringComparison.Ordinal);
        Assert.DoesNotContain(First, pair.A.Kernel.Holds.Keys);
    }

    [Fact]
    public async Task One_with_a_next_hop_that_nobody_reaches_is_held_and_not_the_best()
    {
        await using var pair = await new Pair(config => config.Peer(peer => peer with { Export = AcceptAll.Instance })).UpAsync();
        var lease = Lease(First, said: new SaidAttributes { NextHop = Address.Parse("203.0.113.99") });
        Assert.Null(await pair.A.Loop.AnnounceAsync(lease));
        var routes = new List<RouteView>();
        await foreach (var batch in pair.A.View.Routes(new(RouteSelection.All, Prefix: First, Protocol: lease.Source), default))
            routes.AddRange(batch);
        var route = Assert.Single(routes);
        Assert.False(route.Best);
        Assert.StartsWith("next hop is not reachable: ", route.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lease_that_is_not_renewed_is_withdrawn_everywhere()
    {
        await using var pair = await new Pair().UpAsync();
        await pair.A.Loop.AnnounceAsync(Lease(First, TimeSpan.FromMilliseconds(200)));
        await Until.TrueAsync(async () => await RouteAsync(pair.A) == null && await RouteAsync(pair.B) == null);
        Assert.NotNull(await pair.A.Loop.WithdrawAsync("metallb", First));
    }

    private static async Task<RouteView?> RouteAsync(TestSpeaker of)
    {
        await foreach (var batch in of.View.Routes(new(RouteSelection.Primary, Prefix: First), default))
            foreach (var route in batch) return route;
        return null;
    }
}
