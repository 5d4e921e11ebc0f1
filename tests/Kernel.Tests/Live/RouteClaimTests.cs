using static Calico.Bgp.Kernel.Tests.Live.Wishes;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>Several owners of routes: each has its own, in tables of its own or in one together.</summary>
public class RouteClaimTests
{
    private static async Task Have(KernelLoop loop, IRouteClaim claim, params RouteWish[] wishes)
    {
        await claim.WishAsync(wishes);
        await loop.SettledAsync();
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Owners_in_two_tables_have_the_same_prefix_each_and_one_sweeps_what_is_its_own()
    {
        using var ns = new NetworkNamespace();
        ns.Batch("""
            route add 192.0.2.0/24 via 10.0.0.3 proto bird table 100
            route add 198.51.100.0/24 via 10.0.0.3 proto bird table 100
            route add 198.51.100.0/24 via 10.0.0.3 proto bird table 200
            route add 198.51.100.0/24 via 10.0.0.3 proto bird
            """);
        await using var loop = await ns.StartAsync();
        var (one, two) = (await loop.ClaimAsync("egress", 100), await loop.ClaimAsync("services", 200));
        await loop.Have("192.0.2.0/24", Via("10.0.0.2"));
        await Have(loop, one, Wish("192.0.2.0/24", Via("10.0.1.2")));
        await Have(loop, two, Wish("192.0.2.0/24", Via("10.0.1.9")));
        await one.SweepAsync();
        const string left = "198.51.100.0/24 via 10.0.0.3 dev a0";
        Assert.Equal("192.0.2.0/24 via 10.0.1.2 dev b0", ns.Own(table: "100"));
        Assert.Equal("192.0.2.0/24 via 10.0.1.9 dev b0\n" + left, ns.Own(table: "200"));
        Assert.Equal("192.0.2.0/24 via 10.0.0.2 dev a0\n" + left, ns.Own());
        await loop.SweepAsync();
        await Have(loop, one, Wish("192.0.2.0/24", null));
        Assert.Equal("", ns.Own(table: "100"));
        Assert.Equal("192.0.2.0/24 via 10.0.1.9 dev b0\n" + left, ns.Own(table: "200"));
        Assert.Equal("192.0.2.0/24 via 10.0.0.2 dev a0", ns.Own());
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_a_stranger_deletes_from_a_claimed_table_comes_back()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var claim = await loop.ClaimAsync("egress", 100);
        await Have(loop, claim, Wish("0.0.0.0/0", Via("10.0.0.2")), Wish("::/0", Via("fd00::2")));
        ns.Ip("route flush table 100");
        ns.Ip("-6 route flush table 100");
        await Until.EqualAsync("default via 10.0.0.2 dev a0", () => ns.Own(table: "100"));
        await Until.EqualAsync("default via fd00::2 dev a0 metric 1024", () => ns.Own("-6", "100"));
    }

    /// <summary>Nothing tells whose a leftover was, so it stays until both owners have wished for all that they want.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task In_a_table_of_two_owners_leftovers_stay_until_both_have_swept()
    {
        using var ns = new NetworkNamespace();
        ns.Batch("""
            route add 192.0.2.1/32 via 10.0.0.2 proto bird
            route add 192.0.2.9/32 via 10.0.0.2 proto bird
            """);
        await using var loop = await ns.StartAsync();
        var claim = await loop.ClaimAsync("services", 254);
        await loop.SweepAsync();
        Assert.Equal("192.0.2.1 via 10.0.0.2 dev a0\n192.0.2.9 via 10.0.0.2 dev a0", ns.Own());
        var writes = loop.Status.Writes;
        await Have(loop, claim, Wish("192.0.2.1/32", Via("10.0.0.2")));
        Assert.Equal(writes, loop.Status.Writes);
        await claim.SweepAsync();
        Assert.Equal("192.0.2.1 via 10.0.0.2 dev a0", ns.Own());
        await claim.FlushAsync();
        Assert.Equal("", ns.Own());
    }

    /// <summary>Of two leftovers of a prefix neither is the other's to lose; and one alone goes to who means it.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task What_two_owners_of_a_table_have_left_of_one_prefix_is_each_ones_as_it_stands()
    {
        using var ns = new NetworkNamespace();
        ns.Batch("""
            route add default via 10.0.0.2 proto bird table 100
            route add unreachable default proto bird table 100 metric 1000
            route add ::/0 via fd00::2 proto bird table 100
            route add unreachable ::/0 proto bird table 100 metric 2000
            route add unreachable default proto bird table 200 metric 1000
            """);
        var before = Tables();
        await using var loop = await ns.StartAsync();
        foreach (var table in (uint[])[100, 200])
        {
            var (ways, closed) = (await loop.ClaimAsync("egress", table), await loop.ClaimAsync("egress-closed", table));
            var end = Nowhere(RouteType.Unreachable);
            await Have(loop, closed, Wish("0.0.0.0/0", end with { Metric = 1000 }));
            if (table == 100) await Have(loop, closed, Wish("::/0", end with { Metric = 2000 }));
            await closed.SweepAsync();
            if (table == 100) await Have(loop, ways, Wish("0.0.0.0/0", Via("10.0.0.2")), Wish("::/0", Via("fd00::2")));
            await ways.SweepAsync();
        }
        Assert.Equal((0L, 0L), (loop.Status.Writes, loop.Status.Failures));
        Assert.Equal(before, Tables());

        (string, string, string) Tables() => (ns.Own(table: "100"), ns.Own("-6", "100"), ns.Own(table: "200"));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_one_owner_has_is_refused_to_another_by_name_until_it_is_free()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var claim = await loop.ClaimAsync("services", 254);
        await Have(loop, claim, Wish("192.0.2.1/32", Via("10.0.0.2")));
        await loop.Have("192.0.2.1/32", Via("10.0.1.2"));
        Assert.Equal("File exists: 192.0.2.1/32 belongs to services", Assert.Single(loop.Status.Refusals).Words);
        Assert.Equal("192.0.2.1 via 10.0.0.2 dev a0", ns.Own());
        await Have(loop, claim, Wish("192.0.2.1/32", null));
        await Until.EqualAsync("192.0.2.1 via 10.0.1.2 dev b0", () => ns.Own());
        Assert.Equal(["speaker 192.0.2.1/32"], await OwnersAsync(loop));
    }

    /// <summary>Whoever shows what is wrong with an owner's does not miss it for another's sake.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task What_is_refused_to_an_owner_is_told_however_much_is_refused_to_the_speaker()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var (one, two) = (await loop.ClaimAsync("egress", 100), await loop.ClaimAsync("egress", 200));
        await loop.Have([.. Enumerable.Range(0, 150).Select(number => Wish($"198.51.100.{number}/32", Via("203.0.113.1")))]);
        await Have(loop, one, Wish("192.0.2.0/24", Via("203.0.113.1")));
        await Have(loop, two, Wish("192.0.2.0/24", Via("203.0.113.1")));
        await Until.TrueAsync(() => loop.Status.Refusals.Count(refusal => refusal.Owner == "egress") == 2);
        Assert.Equal([100u, 200u],
            loop.Status.Refusals.Where(refusal => refusal.Owner == "egress").Select(refusal => refusal.Target!.Table).Order());
        Assert.Equal(100, loop.Status.Refusals.Count(refusal => refusal.Owner == "speaker"));
    }

    /// <summary>The clock stands: the time to ask again never comes.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Who_was_refused_for_another_owners_sake_or_a_strangers_has_the_route_when_theirs_goes()
    {
        using var ns = new NetworkNamespace();
        ns.Ip("route add 192.0.2.2/32 via 10.0.0.9 proto static");
        await using var loop = await ns.StartAsync(clock: new ManualTimeProvider());
        var claim = await loop.ClaimAsync("services", 254);
        await Have(loop, claim, Wish("192.0.2.1/32", Via("10.0.0.2")));
        await loop.Have(Wish("192.0.2.1/32", Via("10.0.1.2")), Wish("192.0.2.2/32", Via("10.0.1.2")));
        Assert.Equal(2, loop.Status.Refusals.Length);
        await Have(loop, claim, Wish("192.0.2.1/32", null));
        ns.Ip("route del 192.0.2.2/32");
        await Until.EqualAsync("192.0.2.1 via 10.0.1.2 dev b0\n192.0.2.2 via 10.0.1.2 dev b0", () => ns.Own());
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Beside_another_owners_metric_only_the_own_route_goes()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var claim = await loop.ClaimAsync("services", 254);
        await loop.Have("192.0.2.0/24", Via("10.0.1.2") with { Metric = 32 });
        await Have(loop, claim, Wish("192.0.2.0/24", Via("10.0.0.2")));
        Assert.Equal(["services 192.0.2.0/24", "speaker 192.0.2.0/24"], await OwnersAsync(loop));
        await Have(loop, claim, Wish("192.0.2.0/24", null));
        Assert.Equal("192.0.2.0/24 via 10.0.1.2 dev b0 metric 32", ns.Own());
    }

    private static async Task<string[]> OwnersAsync(KernelLoop loop)
    {
        var routes = new List<string>();
        await foreach (var route in loop.OwnRoutes())
            if (route.Wanted != null) routes.Add($"{route.Owner} {route.Prefix}");
        return [.. routes.Order(StringComparer.Ordinal)];
    }
}
