using static Calico.Bgp.Kernel.Tests.Live.Wishes;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>What an earlier run left, and what belongs to others.</summary>
public class AdoptionTests
{
    private static void LeaveBehind(NetworkNamespace ns) => ns.Batch("""
        route add 192.0.2.0/24 via 10.0.0.2 proto 12
        route add 198.51.100.0/24 via 10.0.0.2 proto 12
        route add 198.51.100.0/24 via 10.0.0.3 metric 9 proto 12
        route add 203.0.113.0/24 proto 12 nexthop via 10.0.0.2 nexthop via 10.0.1.2
        route add 2001:db8::/32 proto 12 nexthop via fd00::2 nexthop via fd01::2
        route add blackhole 2001:db9::/32 proto 12
        """);

    [NeedsFact(Needs.Namespaces)]
    public async Task Old_routes_that_are_wished_for_again_cost_no_write()
    {
        using var ns = new NetworkNamespace();
        LeaveBehind(ns);
        await using var loop = await ns.StartAsync();
        await loop.Have(
            Wish("192.0.2.0/24", Via("10.0.0.2")), Wish("203.0.113.0/24", Over(Hop("10.0.1.2"), Hop("10.0.0.2", ns.A))),
            Wish("2001:db8::/32", Over(Hop("fd00::2"), Hop("fd01::2"))), Wish("2001:db9::/32", Nowhere()));
        Assert.Equal((0L, 4, 5), (loop.Status.Writes, loop.Status.Wanted, loop.Status.Installed));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Old_routes_stay_until_the_sweep()
    {
        using var ns = new NetworkNamespace();
        LeaveBehind(ns);
        await using var loop = await ns.StartAsync();
        await loop.Have("192.0.2.0/24", Via("10.0.0.2"));
        Assert.Equal(4, ns.Own().Split('\n').Length);
        await loop.SweepAsync();
        Assert.Equal(("192.0.2.0/24 via 10.0.0.2 dev a0", ""), (ns.Own(), ns.Own("-6")));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task An_old_route_that_leads_elsewhere_is_replaced()
    {
        using var ns = new NetworkNamespace();
        LeaveBehind(ns);
        await using var loop = await ns.StartAsync();
        await loop.Have(Wish("192.0.2.0/24", Via("10.0.1.2")), Wish("198.51.100.0/24", Via("10.0.0.3") with { Metric = 9 }));
        await loop.SweepAsync();
        Assert.Equal("192.0.2.0/24 via 10.0.1.2 dev b0\n198.51.100.0/24 via 10.0.0.3 dev a0 metric 9", ns.Own());
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Own_routes_in_another_table_are_adopted_once_that_table_is_used()
    {
        using var ns = new NetworkNamespace();
        ns.Batch("""
            route add 192.0.2.0/24 via 10.0.0.2 table 100 proto 12
            route add 192.0.3.0/24 via 10.0.0.2 table 100 proto 12
            route add 192.0.3.0/24 via 10.0.0.2 table 200 proto 12
            """);
        await using var loop = await ns.StartAsync();
        await loop.Have("192.0.2.0/24", Via("10.0.0.2") with { Table = 100 });
        await loop.SweepAsync();
        Assert.Equal(("192.0.2.0/24 via 10.0.0.2 dev a0", "192.0.3.0/24 via 10.0.0.2 dev a0"),
            (ns.Own(table: "100"), ns.Own(table: "200")));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Without_installation_nothing_is_written_or_swept()
    {
        using var ns = new NetworkNamespace();
        LeaveBehind(ns);
        var before = ns.Own() + ns.Own("-6");
        await using var loop = await ns.StartAsync(new() { InstallRoutes = false });
        await loop.Have("192.0.2.128/25", Via("10.0.0.2"));
        await loop.SweepAsync();
        Assert.Equal(before, ns.Own() + ns.Own("-6"));
        await loop.FlushAsync();
        Assert.Equal("", ns.Own() + ns.Own("-6"));
    }

    [NeedsTheory(Needs.Namespaces)]
    [InlineData("192.0.2.0/24", "10.0.0.9", "10.0.0.2")]
    [InlineData("2001:db8::/32", "fd00::9", "fd00::2")]
    public async Task A_foreign_route_is_not_replaced_but_reported(string prefix, string theirs, string ours)
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        ns.Ip($"route add {prefix} via {theirs} proto static");
        await Until.TrueAsync(() => loop.Current.Routes.Keys.Any(key => key.Prefix.ToString() == prefix));
        await loop.Have(prefix, Via(ours));
        var refusal = Assert.Single(loop.Status.Refusals);
        Assert.Equal((17, $"File exists: {prefix} belongs to protocol static"), (refusal.Errno, refusal.Words));
        Assert.Contains($"{prefix} via {theirs} dev a0", ns.Own(prefix.Contains(':') ? "-6" : "-4", protocol: 4), StringComparison.Ordinal);
        Assert.Equal("", ns.Own(prefix.Contains(':') ? "-6" : "-4"));

        ns.Ip($"route del {prefix} via {theirs} proto static");
        await Until.TrueAsync(() => ns.Own(prefix.Contains(':') ? "-6" : "-4")
            .StartsWith($"{prefix} via {ours} dev a0", StringComparison.Ordinal));
        await Until.TrueAsync(() => loop.Status.Refusals.IsEmpty);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_foreign_route_with_another_metric_is_no_obstacle()
    {
        using var ns = new NetworkNamespace();
        ns.Ip("route add 192.0.2.0/24 via 10.0.0.9 metric 5 proto static");
        await using var loop = await ns.StartAsync();
        await loop.Have("192.0.2.0/24", Via("10.0.0.2"));
        await loop.Have("192.0.2.0/24", null);
        Assert.Equal("192.0.2.0/24 via 10.0.0.9 dev a0 metric 5", ns.Own(protocol: 4));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_foreign_hop_appended_to_our_IPv6_route_outlives_it()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have("2001:db8::/32", Over(Hop("fd00::2"), Hop("fd00::3")));
        ns.Ip("-6 route append 2001:db8::/32 via fd00::9 proto static");
        await Until.TrueAsync(() => loop.Status.Beside.Any(route => route.Prefix.ToString() == "2001:db8::/32"));
        await loop.Have("2001:db8::/32", null);
        Assert.Equal(("", "2001:db8::/32 via fd00::9 dev a0 metric 1024"), (ns.Own("-6"), ns.Own("-6", protocol: 4)));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_foreign_route_beside_ours_under_the_same_key_outlives_any_change()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have("192.0.2.0/24", Via("10.0.0.2"));
        ns.Ip("route prepend 192.0.2.0/24 via 10.0.0.9 proto static");
        await Until.TrueAsync(() => loop.Current.Routes.Keys.Any(key => key.Prefix.ToString() == "192.0.2.0/24"));
        await loop.Have("192.0.2.0/24", Via("10.0.0.3"));
        await loop.Have("192.0.2.0/24", null);
        Assert.Equal(("", "192.0.2.0/24 via 10.0.0.9 dev a0"), (ns.Own(), ns.Own(protocol: 4)));
    }
}
