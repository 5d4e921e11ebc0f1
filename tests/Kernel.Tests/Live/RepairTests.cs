using Calico.Bgp.Kernel.Routes;
using static Calico.Bgp.Kernel.Tests.Live.Wishes;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>Rows Y01 to Y06 of conformance.md: the kernel's state changes under us.</summary>
public class RepairTests
{
    [NeedsTheory(Needs.Namespaces)]
    [InlineData("-4", "192.0.2.0/24", "10.0.0.2")]
    [InlineData("-6", "2001:db8::/32", "fd00::2")]
    public async Task A_deleted_route_is_put_back(string family, string prefix, string gateway)
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have(prefix, Via(gateway));
        var before = ns.Own(family);
        ns.Ip($"{family} route del {prefix}");
        await Until.EqualAsync(before, () => ns.Own(family));
        Assert.Equal(2, loop.Status.Writes);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_hop_taken_out_of_an_IPv6_route_is_put_back()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have("2001:db8::/32", Over(Hop("fd00::2"), Hop("fd00::3"), Hop("fd01::2")));
        ns.Ip("-6 route del 2001:db8::/32 via fd00::3");
        await Until.EqualAsync(
            "2001:db8::/32 metric 1024 nexthop via fd00::2 dev a0 weight 1 nexthop via fd00::3 dev a0 weight 1 "
                + "nexthop via fd01::2 dev b0 weight 1",
            () => ns.Own("-6"));
    }

    /// <summary>IPv6 makes one route of all that have one key; what is read anew tells the hops apart by what ours are.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task A_strangers_hop_in_our_IPv6_route_is_named_and_stays_and_costs_nothing_of_ours()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have("2001:db8::/32", Over(Hop("fd00::2"), Hop("fd01::2")));
        ns.Ip("-6 route append 2001:db8::/32 via fd00::99 metric 1024 proto static");
        await Until.EqualAsync("2001:db8::/32 via fd00::99 static", () => Beside(loop));
        Assert.Equal(["fd00::2 1", "fd00::99 1", "fd01::2 1"], Hops(ns));

        await loop.Have("2001:db8::/32", Over(Hop("fd00::3"), Hop("fd01::2", weight: 5)));
        Assert.Equal(["fd00::3 1", "fd00::99 1", "fd01::2 5"], Hops(ns));
        Assert.Empty(loop.Status.Refusals);
        await loop.Have("2001:db8::/32", Over(Hop("fd00::4")));
        Assert.Equal(["fd00::4 1", "fd00::99 1"], Hops(ns));
        Assert.Equal("2001:db8::/32 via fd00::99 static", Beside(loop));

        // All is read anew, and what went meanwhile is missed.
        ns.Ip("link set b0 down");
        ns.Ip("link set b0 up");
        await loop.Have("2001:db8::/32", Over(Hop("fd00::5"), Hop("fd00::6")));
        Assert.Equal(["fd00::5 1", "fd00::6 1", "fd00::99 1"], Hops(ns));
        ns.Ip("-6 route del 2001:db8::/32 via fd00::99 metric 1024 proto static");
        await Until.EqualAsync("", () => Beside(loop));
        Assert.Equal(["fd00::5 1", "fd00::6 1"], Hops(ns));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Our_hops_go_out_of_an_IPv6_route_and_a_strangers_is_a_route_of_theirs()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have("2001:db8::/32", Via("fd00::2"));
        ns.Ip("-6 route append 2001:db8::/32 via fd00::99 metric 1024 proto static");
        await Until.EqualAsync("2001:db8::/32 via fd00::99 static", () => Beside(loop));
        await loop.Have("2001:db8::/32", null);
        Assert.Equal(["fd00::99"], ns.Json("-6 route show 2001:db8::/32").Select(route => route.GetProperty("gateway").GetString()));
        Assert.Equal("", Beside(loop));
        await loop.Have("2001:db8::/32", Via("fd00::2"));
        Assert.Equal("File exists: 2001:db8::/32 belongs to protocol static", Assert.Single(loop.Status.Refusals).Words);
    }

    private static string Beside(KernelLoop loop) => string.Join(
        '\n', loop.Status.Beside.Select(
            route => $"{route.Prefix} {string.Join(' ', route.Target.Hops.Select(hop => $"via {hop.Gateway}"))} "
                + RouteProtocol.Name(route.Protocol)));

    private static string[] Hops(NetworkNamespace ns) =>
    [
        .. ns.Json("-6 route show 2001:db8::/32").Single().GetProperty("nexthops").EnumerateArray()
            .Select(hop => $"{hop.GetProperty("gateway").GetString()} {hop.GetProperty("weight").GetInt32()}")
            .Order(StringComparer.Ordinal),
    ];

    [NeedsFact(Needs.Namespaces)]
    public async Task A_route_changed_under_our_protocol_is_changed_back()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have("192.0.2.0/24", Via("10.0.0.2"));
        ns.Ip("route replace 192.0.2.0/24 via 10.0.1.9 proto 12");
        await Until.EqualAsync("192.0.2.0/24 via 10.0.0.2 dev a0", () => ns.Own());
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_stranger_with_our_protocol_goes_once_the_sweep_is_over()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.SweepAsync();
        ns.Ip("route add 192.0.2.0/24 via 10.0.1.9 proto 12");
        await Until.EqualAsync("", () => ns.Own());
    }

    [NeedsTheory(Needs.Namespaces)]
    [InlineData("-4", "192.0.2.0/24", "10.0.0.9", "10.0.0.2")]
    [InlineData("-6", "2001:db8::/32", "fd00::9", "fd00::2")]
    public async Task A_route_that_another_owner_takes_over_is_theirs_until_they_let_go(
        string family, string prefix, string theirs, string ours)
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have(prefix, Via(ours));
        var before = ns.Own(family);
        ns.Ip($"{family} route replace {prefix} via {theirs} proto static");
        await Until.TrueAsync(() => loop.Status.Refusals is [{ Words: var words }] && words.Contains("belongs to protocol static"));
        await loop.Have(prefix, Via(ours) with { Hops = [Hop(theirs)] });
        Assert.Equal("", ns.Own(family));
        Assert.StartsWith($"{prefix} via {theirs} dev a0", ns.Own(family, protocol: 4));
        await loop.Have(prefix, Via(ours));
        ns.Ip($"{family} route del {prefix} proto static");
        await Until.EqualAsync(before, () => ns.Own(family));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Routes_come_back_when_a_link_has_gone_down_and_up()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have(
            Wish("192.0.2.0/24", Via("10.0.0.2", ns.A)), Wish("192.0.3.0/24", Via("10.0.0.2")), Wish("192.0.4.0/24", Via("10.0.1.2")),
            Wish("192.0.5.0/24", Over(Hop("10.0.0.2"), Hop("10.0.1.2"))),
            Wish("2001:db8::/32", Via("fe80::2", ns.A)), Wish("2001:db9::/32", Over(Hop("fe80::2", ns.A), Hop("fd01::2"))));
        var before = (ns.Own(), ns.Own("-6"));
        ns.Ip("link set a0 down");
        await Until.TrueAsync(() => loop.Status.Refusals.Length >= 3);
        Assert.True(loop.Current.Routes.Keys.All(key => key.Prefix.ToString() != "10.0.0.0/24"),
            "a connected route of a link that is down was still shown");
        ns.Ip("link set a0 up");
        await Until.EqualAsync(before, () => (ns.Own(), ns.Own("-6")));
        await Until.TrueAsync(() => loop.Status.Refusals.IsEmpty);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_flap_that_is_over_before_we_look_is_repaired()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have(Enumerable.Range(0, 200).Select(i => Wish($"100.0.{i}.0/24", Via("10.0.0.2", ns.A))).ToArray());
        var before = ns.Own();
        ns.Batch("link set a0 down\nlink set a0 up");
        await Until.EqualAsync(before, () => ns.Own());
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Routes_come_back_when_the_address_of_their_link_does()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have(Wish("192.0.2.0/24", Via("10.0.0.2")), Wish("192.0.3.0/24", Via("10.0.1.2")));
        ns.Ip("address del 10.0.0.1/24 dev a0");
        await Until.TrueAsync(() => loop.Status.Refusals is [{ Errno: 101 }]);
        ns.Ip("address add 10.0.0.1/24 dev a0");
        await Until.EqualAsync("192.0.2.0/24 via 10.0.0.2 dev a0\n192.0.3.0/24 via 10.0.1.2 dev b0", () => ns.Own());
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Foreign_routes_that_die_with_their_link_leave_the_snapshot()
    {
        using var ns = new NetworkNamespace();
        ns.Ip("route add 198.51.100.0/24 via 10.0.1.2 proto static");
        await using var loop = await ns.StartAsync();
        Assert.Contains(loop.Current.Routes.Keys, key => key.Prefix.ToString() == "198.51.100.0/24");
        ns.Ip("link del b0");
        await Until.TrueAsync(() => loop.Current.Routes.Keys.All(key => key.Prefix.ToString() is not ("198.51.100.0/24" or "10.0.1.0/24")));
        Assert.DoesNotContain(loop.Current.Links.Values, link => link.Name == "b0");
        Assert.DoesNotContain(loop.Current.Addresses, address => address.Interface == ns.B);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_refused_route_is_written_once_its_gateway_can_be_reached()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have("192.0.2.0/24", Via("172.16.0.1"));
        Assert.Equal("Network is unreachable: Nexthop has invalid gateway", Assert.Single(loop.Status.Refusals).Words);
        Assert.Equal((1, 0, 1L), (loop.Status.Wanted, loop.Status.Installed, loop.Status.Failures));
        ns.Ip("address add 172.16.0.2/24 dev a0");
        await Until.EqualAsync("192.0.2.0/24 via 172.16.0.1 dev a0", () => ns.Own());
        await Until.TrueAsync(() => loop.Status.Refusals.IsEmpty);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_route_whose_new_way_is_refused_does_not_keep_the_old_one()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have("192.0.2.0/24", Via("10.0.0.2"));
        await loop.Have("192.0.2.0/24", Via("172.16.0.1"));
        Assert.Equal("", ns.Own());
        await loop.Have("192.0.2.0/24", Via("10.0.1.2"));
        Assert.Equal("192.0.2.0/24 via 10.0.1.2 dev b0", ns.Own());
        Assert.Empty(loop.Status.Refusals);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task After_lost_notifications_everything_is_read_anew()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync(new() { WatchBuffer = 4096 });
        await loop.Have(Enumerable.Range(0, 100).Select(i => Wish($"100.0.{i}.0/24", Via("10.0.0.2"))).ToArray());
        var before = ns.Own();
        var storm = Enumerable.Range(0, 20_000).Select(i => $"route add 101.{i >> 8}.{i & 255}.0/24 via 10.0.1.2 proto static");
        var loss = Enumerable.Range(0, 50).Select(i => $"route del 100.0.{i}.0/24");
        ns.Batch(string.Join('\n', [.. storm, .. loss]));
        await Until.EqualAsync(20_000, () => loop.Current.Routes.Values.Count(route => route.Protocol == 4));
        await Until.EqualAsync(before, () => ns.Own());
        Assert.True(loop.Status.Resyncs > 1, "no notification was lost: the storm was too small");
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Notifications_of_our_own_writes_do_not_fill_the_watchers_queue()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync(new() { WatchBuffer = 4096 });
        await loop.Have(Enumerable.Range(0, 20_000).Select(i => Wish($"100.{i >> 8}.{i & 255}.0/24", Via("10.0.0.2"))).ToArray());
        await loop.FlushAsync();
        Assert.Equal((40_000L, 1L), (loop.Status.Writes, loop.Status.Resyncs));
    }
}
