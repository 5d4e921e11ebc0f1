using Calico.Bgp.Kernel.NextHops;
using Calico.Bgp.Kernel.Rules;
using Calico.Bgp.Net;
using static Calico.Bgp.Kernel.Tests.Live.Wishes;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>Rules and next hops are wanted state, as routes are: they come, are put back, and go.</summary>
public class KernelObjectTests
{
    private static readonly RoutingRule Marked = new(IpFamily.IPv4, 900, 100) { Mark = 0x100, Mask = 0xff00 };
    private static readonly RoutingRule Sourced = new(IpFamily.IPv6, 901, 1000)
    {
        Source = Prefix.Parse("fd00:10::/64"),
        Destination = Prefix.Parse("2001:db8::/32"),
        In = "a0",
        Out = "b0",
    };

    private static string Rules(NetworkNamespace ns) =>
        Lines(string.Join('\n', (ns.Ip("-d rule show") + ns.Ip("-6 -d rule show")).Split('\n')
            .Where(line => line.Contains("proto bird", StringComparison.Ordinal))));
    private static string Hops(NetworkNamespace ns) => Lines(ns.Ip("nexthop show"));
    private static string Lines(string text) => string.Join('\n', text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => string.Join(' ', line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
            .Replace(" proto bird", "", StringComparison.Ordinal)));

    [NeedsFact(Needs.Namespaces)]
    public async Task Rules_come_are_put_back_and_go()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var claim = await loop.ClaimObjectsAsync("egress");
        await claim.WantAsync([Marked, Sourced]);
        const string both =
            "900: from all fwmark 0x100/0xff00 lookup 100\n901: from fd00:10::/64 to 2001:db8::/32 iif a0 oif b0 lookup 1000";
        Assert.Equal(both, Rules(ns));
        ns.Ip("rule del priority 900");
        ns.Ip("-6 rule del priority 901");
        await Until.EqualAsync(both, () => Rules(ns));
        await claim.WantAsync([Sourced]);
        Assert.Equal("901: from fd00:10::/64 to 2001:db8::/32 iif a0 oif b0 lookup 1000", Rules(ns));
        await claim.WantAsync([]);
        Assert.Equal("", Rules(ns));
        Assert.Empty(loop.Status.RefusedObjects);
    }

    /// <summary>Whichever of the two is there first.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task A_rule_that_leads_to_another_comes_is_put_back_and_goes()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var claim = await loop.ClaimObjectsAsync("egress");
        var leading = new RoutingRule(IpFamily.IPv4, 900, 0) { Mark = 0x100, Mask = 0x100, Goto = 40_000 };
        var led = new RoutingRule(IpFamily.IPv4, 40_000, 100) { Mark = 0x300, Mask = 0xff00 };
        const string both = "900: from all fwmark 0x100/0x100 goto 40000\n40000: from all fwmark 0x300/0xff00 lookup 100";
        foreach (RoutingRule[] wanted in (RoutingRule[][])[[leading, led], [], [led, leading]])
        {
            await claim.WantAsync(wanted);
            Assert.Equal(wanted.Length == 0 ? "" : both, Rules(ns));
        }
        ns.Ip("rule del priority 900");
        await Until.EqualAsync(both, () => Rules(ns));
        ns.Ip("rule del priority 40000");
        await Until.EqualAsync(both, () => Rules(ns));
        await using var later = await ns.StartAsync();
        await (await later.ClaimObjectsAsync("egress")).WantAsync([leading, led]);
        Assert.Equal((both, 0L), (Rules(ns), later.Status.Writes));
        Assert.Empty(loop.Status.RefusedObjects);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_group_of_next_hops_comes_changes_under_its_routes_and_goes_behind_them()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var (objects, routes) = (await loop.ClaimObjectsAsync("egress"), await loop.ClaimAsync("egress", 100));
        NextHop one = new(11, IpFamily.IPv4, Address.Parse("10.0.0.2"), ns.A),
            two = new(12, IpFamily.IPv4, Address.Parse("10.0.1.2"), ns.B);
        var keeps = new Resilience(64, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(120));
        await objects.WantAsync([new NextHopGroup(10, [new(11), new(12, 3)], keeps), one, two]);
        await routes.WishAsync(new[] { Wish("0.0.0.0/0", new RouteTarget(RouteType.Unicast, []) { NextHop = 10 }) });
        await loop.SettledAsync();
        Assert.StartsWith("default nhid 10", ns.Own(table: "100"), StringComparison.Ordinal);
        Assert.Contains(
            "id 10 group 11/12,3 type resilient buckets 64 idle_timer 60 unbalanced_timer 120", Hops(ns), StringComparison.Ordinal);
        var writes = loop.Status.Writes;
        await objects.WantAsync([new NextHopGroup(10, [new(11)], keeps), one, two]);
        Assert.Contains("id 10 group 11 type resilient", Hops(ns), StringComparison.Ordinal);
        Assert.Equal(writes, loop.Status.Writes);
        await routes.FlushAsync();
        await objects.WantAsync([]);
        Assert.Equal(("", ""), (Hops(ns), ns.Own(table: "100")));
        Assert.Empty(loop.Status.RefusedObjects);
    }

    /// <summary>The routes over a next hop go with it, and the kernel says nothing of that.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task A_group_that_a_stranger_deletes_comes_back_with_its_routes()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var (objects, routes) = (await loop.ClaimObjectsAsync("egress"), await loop.ClaimAsync("egress", 100));
        await objects.WantAsync([new NextHopGroup(10, [new(11)]), new NextHop(11, IpFamily.IPv4, Address.Parse("10.0.0.2"), ns.A)]);
        await routes.WishAsync(new[] { Wish("192.0.2.0/24", new RouteTarget(RouteType.Unicast, []) { NextHop = 10 }) });
        await loop.SettledAsync();
        var (hops, own) = (Hops(ns), ns.Own(table: "100"));
        ns.Ip("nexthop flush");
        await Until.EqualAsync(hops, () => Hops(ns));
        await Until.EqualAsync(own, () => ns.Own(table: "100"));
    }

    /// <summary>As where egress was off for one run, or had no gateway: its next hops go, and the kernel drops the routes over
    /// them.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Routes_that_went_with_an_earlier_runs_next_hops_come_again()
    {
        using var ns = new NetworkNamespace();
        Leave(ns);
        var before = (Hops(ns), ns.Own(table: "100"), ns.Own("-6", "100"));
        await using var loop = await ns.StartAsync();
        var objects = await loop.ClaimObjectsAsync("egress");
        await objects.WantAsync([]);
        var (routes, closed) = (await loop.ClaimAsync("egress", 100), await loop.ClaimAsync("egress-closed", 100));
        Assert.Equal("unreachable default metric 1000", ns.Own(table: "100"));
        await objects.WantAsync(Left(ns));
        await WishAsync(loop, routes, closed);
        Assert.Empty(loop.Status.Refusals);
        Assert.Equal(before, (Hops(ns), ns.Own(table: "100"), ns.Own("-6", "100")));
    }

    /// <summary>The picture of a table that is nobody's yet can only be old: nobody tells of what IPv4 drops.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Routes_that_a_stranger_took_with_their_next_hops_are_not_in_the_way_of_a_claim()
    {
        using var ns = new NetworkNamespace();
        Leave(ns);
        var before = (Hops(ns), ns.Own(table: "100"), ns.Own("-6", "100"));
        await using var loop = await ns.StartAsync();
        ns.Ip("nexthop flush");
        var (routes, closed) = (await loop.ClaimAsync("egress", 100), await loop.ClaimAsync("egress-closed", 100));
        await (await loop.ClaimObjectsAsync("egress")).WantAsync(Left(ns));
        await WishAsync(loop, routes, closed);
        Assert.Empty(loop.Status.Refusals);
        Assert.Equal(before, (Hops(ns), ns.Own(table: "100"), ns.Own("-6", "100")));
    }

    /// <summary>A group goes with the last next hop that is in it, and its routes with the group.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Routes_come_again_whose_group_lost_its_last_next_hop()
    {
        using var ns = new NetworkNamespace();
        Leave(ns);
        await using var loop = await ns.StartAsync();
        var objects = await loop.ClaimObjectsAsync("egress");
        var (routes, closed) = (await loop.ClaimAsync("egress", 100), await loop.ClaimAsync("egress-closed", 100));
        await objects.WantAsync([
            new NextHopGroup(10, [new(21)]), new NextHop(21, IpFamily.IPv4, Address.Parse("10.0.1.2"), ns.B),
            new NextHopGroup(20, [new(22)]), new NextHop(22, IpFamily.IPv6, Address.Parse("fd01::2"), ns.B),
        ]);
        await WishAsync(loop, routes, closed);
        Assert.Equal("default nhid 10 via 10.0.1.2 dev b0\nunreachable default metric 1000", ns.Own(table: "100"));
        Assert.Contains("default nhid 20 ", ns.Own("-6", "100"), StringComparison.Ordinal);
        Assert.Contains(" via fd01::2 dev b0", ns.Own("-6", "100"), StringComparison.Ordinal);
    }

    /// <summary>The clock stands: the time to ask again never comes.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Routes_whose_next_hops_are_not_there_come_when_these_do()
    {
        using var ns = new NetworkNamespace();
        Leave(ns);
        var before = ns.Own(table: "100");
        await using var loop = await ns.StartAsync(clock: new ManualTimeProvider());
        var (objects, routes, closed) = (await loop.ClaimObjectsAsync("egress"), await loop.ClaimAsync("egress", 100),
            await loop.ClaimAsync("egress-closed", 100));
        await objects.WantAsync(Left(ns));
        await WishAsync(loop, routes, closed);
        await objects.WantAsync([]);
        await loop.SettledAsync();
        Assert.Equal(["0.0.0.0/0", "::/0"], loop.Status.Refusals.Select(refusal => $"{refusal.Prefix}").Order());
        await objects.WantAsync(Left(ns));
        await Until.EqualAsync(before, () => ns.Own(table: "100"));
        await Until.TrueAsync(() => loop.Status.Refusals.IsEmpty);
    }

    /// <summary>Of an earlier run that led packets out over one node.</summary>
    private static void Leave(NetworkNamespace ns) => ns.Batch("""
        nexthop add id 11 via 10.0.0.2 dev a0 protocol bird
        nexthop add id 12 via fd00::2 dev a0 protocol bird
        nexthop add id 10 group 11 protocol bird
        nexthop add id 20 group 12 protocol bird
        route add default nhid 10 proto bird table 100
        route add unreachable default proto bird table 100 metric 1000
        route add ::/0 nhid 20 proto bird table 100
        route add unreachable ::/0 proto bird table 100 metric 2000
        """);

    private static KernelObject[] Left(NetworkNamespace ns) =>
    [
        new NextHop(11, IpFamily.IPv4, Address.Parse("10.0.0.2"), ns.A), new NextHopGroup(10, [new(11)]),
        new NextHop(12, IpFamily.IPv6, Address.Parse("fd00::2"), ns.A), new NextHopGroup(20, [new(12)]),
    ];

    private static async Task WishAsync(KernelLoop loop, IRouteClaim routes, IRouteClaim closed)
    {
        await closed.WishAsync(new[]
        {
            Wish("0.0.0.0/0", Nowhere(RouteType.Unreachable) with { Metric = 1000 }),
            Wish("::/0", Nowhere(RouteType.Unreachable) with { Metric = 2000 }),
        });
        await routes.WishAsync(new[]
        {
            Wish("0.0.0.0/0", new RouteTarget(RouteType.Unicast, []) { NextHop = 10 }),
            Wish("::/0", new RouteTarget(RouteType.Unicast, []) { NextHop = 20 }),
        });
        await loop.SettledAsync();
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_an_earlier_run_left_stays_until_all_owners_have_spoken_and_strangers_are_let_be()
    {
        using var ns = new NetworkNamespace();
        ns.Batch("""
            rule add priority 900 fwmark 0x100/0xff00 lookup 100 protocol bird
            rule add priority 950 lookup 100 protocol bird
            rule add priority 960 lookup 100 protocol static
            nexthop add id 7 via 10.0.0.2 dev a0 protocol bird
            nexthop add id 8 via 10.0.0.2 dev a0 protocol static
            """);
        await using var loop = await ns.StartAsync();
        var (one, two) = (await loop.ClaimObjectsAsync("egress"), await loop.ClaimObjectsAsync("services"));
        await one.WantAsync([Marked]);
        Assert.Equal("900: from all fwmark 0x100/0xff00 lookup 100\n950: from all lookup 100", Rules(ns));
        await two.WantAsync([]);
        Assert.Equal("900: from all fwmark 0x100/0xff00 lookup 100", Rules(ns));
        Assert.Equal("id 8 via 10.0.0.2 dev a0 scope link proto static", Hops(ns));
        Assert.Contains("960:", ns.Ip("rule show"), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_the_kernel_refuses_and_what_another_owner_has_is_named_and_the_rest_is_there()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var (one, two) = (await loop.ClaimObjectsAsync("egress"), await loop.ClaimObjectsAsync("services"));
        await one.WantAsync([new NextHop(11, IpFamily.IPv4, Address.Parse("10.0.0.2"), ns.A), new NextHopGroup(10, [new(99)]), Marked]);
        await two.WantAsync([new NextHop(11, IpFamily.IPv4, Address.Parse("10.0.1.2"), ns.B)]);
        Assert.Equal(
            [("egress", "nexthop id 10 group 99,1"), ("services", $"nexthop id 11 via 10.0.1.2 dev {ns.B}")],
            loop.Status.RefusedObjects.Select(refusal => (refusal.Owner, refusal.Object.ToString())).Order());
        Assert.Equal("File exists: it belongs to egress", loop.Status.RefusedObjects.Single(refusal => refusal.Owner == "services").Words);
        Assert.Equal("id 11 via 10.0.0.2 dev a0 scope link", Hops(ns));
        Assert.NotEqual("", Rules(ns));
        await one.WantAsync([Marked]);
        await Until.EqualAsync("id 11 via 10.0.1.2 dev b0 scope link", () => Hops(ns));
        Assert.Empty(loop.Status.RefusedObjects);
    }

    /// <summary>FRR writes all of its routes so.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Where_others_routes_lead_by_a_next_hop_is_known()
    {
        using var ns = new NetworkNamespace();
        ns.Batch("""
            nexthop add id 5 via 10.0.0.2 dev a0 protocol zebra
            route add 198.51.100.0/24 nhid 5 proto zebra
            """);
        await using var loop = await ns.StartAsync();
        var route = Assert.Single(loop.Current.Routes.Values, route => route.Prefix == Prefix.Parse("198.51.100.0/24"));
        Assert.Equal((5u, Hop("10.0.0.2", ns.A)), (route.Target.NextHop, Assert.Single(route.Target.Hops)));
    }
}
