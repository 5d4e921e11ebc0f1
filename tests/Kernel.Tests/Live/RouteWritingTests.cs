using Calico.Bgp.Net;
using static Calico.Bgp.Kernel.Tests.Live.Wishes;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>Wishes in, and what <c>ip route</c> shows of them.</summary>
public class RouteWritingTests
{
    private static async Task Shows(Func<NetworkNamespace, RouteTarget> target, string prefix, string expected, string table = "main")
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have(prefix, target(ns));
        Assert.Empty(loop.Status.Refusals);
        Assert.Equal(expected, ns.Own(prefix.Contains(':') ? "-6" : "-4", table));
        await loop.Have(prefix, null);
        Assert.Equal("", ns.Own(prefix.Contains(':') ? "-6" : "-4", table));
    }

    [NeedsFact(Needs.Namespaces)]
    public Task A_route_through_a_gateway() =>
        Shows(_ => Via("10.0.0.2"), "192.0.2.0/24", "192.0.2.0/24 via 10.0.0.2 dev a0");

    [NeedsFact(Needs.Namespaces)]
    public Task The_default_route() =>
        Shows(_ => Via("10.0.0.2"), "0.0.0.0/0", "default via 10.0.0.2 dev a0");

    [NeedsFact(Needs.Namespaces)]
    public Task A_route_straight_onto_a_link() =>
        Shows(ns => Straight(ns.B), "192.0.2.0/24", "192.0.2.0/24 dev b0 scope link");

    [NeedsFact(Needs.Namespaces)]
    public Task A_gateway_that_is_on_link_by_decree() =>
        Shows(ns => Over(Hop("172.16.0.1", ns.A, onLink: true)), "192.0.2.0/24", "192.0.2.0/24 via 172.16.0.1 dev a0 onlink");

    [NeedsFact(Needs.Namespaces)]
    public Task An_IPv6_gateway_of_an_IPv4_route() =>
        Shows(ns => Via("fe80::2", ns.A), "192.0.2.0/24", "192.0.2.0/24 via inet6 fe80::2 dev a0");

    [NeedsFact(Needs.Namespaces)]
    public Task Several_hops_with_weights() =>
        Shows(ns => Over(Hop("10.0.0.2", ns.A, weight: 3), Hop("10.0.1.2")), "192.0.2.0/24",
            "192.0.2.0/24 nexthop via 10.0.0.2 dev a0 weight 3 nexthop via 10.0.1.2 dev b0 weight 1");

    [NeedsFact(Needs.Namespaces)]
    public Task A_metric_and_a_table_beyond_255() =>
        Shows(_ => Via("10.0.0.2") with { Metric = 32, Table = 1000 }, "192.0.2.0/24", "192.0.2.0/24 via 10.0.0.2 dev a0 metric 32",
            "1000");

    [NeedsFact(Needs.Namespaces)]
    public Task A_blackhole() => Shows(_ => Nowhere(), "192.0.2.0/24", "blackhole 192.0.2.0/24");

    [NeedsFact(Needs.Namespaces)]
    public Task Unreachable() => Shows(_ => Nowhere(RouteType.Unreachable), "192.0.2.0/24", "unreachable 192.0.2.0/24");

    [NeedsFact(Needs.Namespaces)]
    public Task Prohibited() => Shows(_ => Nowhere(RouteType.Prohibit), "192.0.2.0/24", "prohibit 192.0.2.0/24");

    [NeedsFact(Needs.Namespaces)]
    public Task An_IPv6_route_through_a_gateway() =>
        Shows(_ => Via("fd00::2"), "2001:db8::/32", "2001:db8::/32 via fd00::2 dev a0 metric 1024");

    [NeedsFact(Needs.Namespaces)]
    public Task An_IPv6_route_through_a_link_local_gateway() =>
        Shows(ns => Via("fe80::2", ns.B), "2001:db8::/32", "2001:db8::/32 via fe80::2 dev b0 metric 1024");

    [NeedsFact(Needs.Namespaces)]
    public Task An_IPv6_route_straight_onto_a_link() =>
        Shows(ns => Straight(ns.B), "2001:db8::/32", "2001:db8::/32 dev b0 metric 1024");

    [NeedsFact(Needs.Namespaces)]
    public Task Several_IPv6_hops_with_weights() =>
        Shows(ns => Over(Hop("fd00::2", ns.A, weight: 3), Hop("fd01::2")) with { Metric = 20 }, "2001:db8::/32",
            "2001:db8::/32 metric 20 nexthop via fd00::2 dev a0 weight 3 nexthop via fd01::2 dev b0 weight 1");

    [NeedsFact(Needs.Namespaces)]
    public Task An_IPv6_blackhole() => Shows(_ => Nowhere(), "2001:db8::/32", "blackhole 2001:db8::/32 dev lo metric 1024");

    [NeedsFact(Needs.Namespaces)]
    public async Task Any_change_of_an_IPv6_route_leaves_nothing_of_the_old_one()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var forms = new Dictionary<string, RouteTarget>
        {
            ["via fd00::2 dev a0 metric 1024"] = Via("fd00::2"),
            ["via fd01::2 dev b0 metric 1024"] = Via("fd01::2"),
            ["via fd00::2 dev a0 metric 20"] = Via("fd00::2") with { Metric = 20 },
            ["dev b0 metric 1024"] = Straight(ns.B),
            ["metric 1024 nexthop via fd00::2 dev a0 weight 1 nexthop via fd01::2 dev b0 weight 1"] = Over(Hop("fd00::2"), Hop("fd01::2")),
            ["metric 1024 nexthop via fd00::3 dev a0 weight 1 nexthop via fd00::4 dev a0 weight 1 nexthop via fd00::5 dev a0 weight 1"] =
                Over(Hop("fd00::3"), Hop("fd00::4"), Hop("fd00::5")),
            ["dev lo metric 1024"] = Nowhere(),
        };
        foreach (var (_, from) in forms)
            foreach (var (words, to) in forms)
            {
                await loop.Have("2001:db8::/32", from);
                await loop.Have("2001:db8::/32", to);
                Assert.Empty(loop.Status.Refusals);
                Assert.Equal((to.Type == RouteType.Blackhole ? "blackhole " : "") + $"2001:db8::/32 {words}", ns.Own("-6"));
            }
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_route_that_changes_its_metric_or_table_moves()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have("192.0.2.0/24", Via("10.0.0.2"));
        await loop.Have("192.0.2.0/24", Via("10.0.0.2") with { Metric = 7 });
        Assert.Equal("192.0.2.0/24 via 10.0.0.2 dev a0 metric 7", ns.Own());
        await loop.Have("192.0.2.0/24", Via("10.0.1.2"));
        Assert.Equal("192.0.2.0/24 via 10.0.1.2 dev b0", ns.Own());
        await loop.Have("192.0.2.0/24", Via("10.0.1.2") with { Table = 100 });
        Assert.Equal(("", "192.0.2.0/24 via 10.0.1.2 dev b0"), (ns.Own(), ns.Own(table: "100")));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Wishes_that_come_true_already_cost_no_write()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have("192.0.2.0/24", Via("10.0.0.2"));
        await loop.Have(Wish("192.0.2.0/24", Via("10.0.0.2")), Wish("198.51.100.0/24", null));
        Assert.Equal((1, 1, 1L), (loop.Status.Wanted, loop.Status.Installed, loop.Status.Writes));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Own_routes_are_listed_with_what_the_kernel_has_of_them()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var batch = Enumerable.Range(0, 3000).Select(i => Wish($"100.{i >> 8}.{i & 255}.0/24", Via("10.0.0.2"))).ToArray();
        await loop.Have([.. batch, Wish("192.0.2.0/24", Via("172.16.0.1"))]);
        var routes = new List<OwnRoute>();
        await foreach (var route in loop.OwnRoutes()) routes.Add(route);
        Assert.Equal(3001, routes.Count);
        var refused = Assert.Single(routes, route => route.Problem != null);
        Assert.Equal((Prefix.Parse("192.0.2.0/24"), Via("172.16.0.1"), null, "Network is unreachable: Nexthop has invalid gateway"),
            (refused.Prefix, refused.Wanted, refused.Installed, refused.Problem));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_flush_removes_own_routes_and_no_others()
    {
        using var ns = new NetworkNamespace();
        ns.Ip("route add 198.51.100.0/24 via 10.0.0.2 proto static");
        await using var loop = await ns.StartAsync();
        await loop.Have(Wish("192.0.2.0/24", Via("10.0.0.2")), Wish("2001:db8::/32", Via("fd00::2")), Wish("192.0.2.0/25", Nowhere()));
        await loop.FlushAsync();
        Assert.Equal(("", "", "198.51.100.0/24 via 10.0.0.2 dev a0"), (ns.Own(), ns.Own("-6"), ns.Own(protocol: 4)));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Routes_stay_when_the_loop_ends()
    {
        using var ns = new NetworkNamespace();
        await using (var loop = await ns.StartAsync()) await loop.Have("192.0.2.0/24", Via("10.0.0.2"));
        Assert.Equal("192.0.2.0/24 via 10.0.0.2 dev a0", ns.Own());
    }
}
