using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;
using static Calico.Bgp.Kernel.Tests.Live.Wishes;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>After apply, actual equals desired: whatever is wished in whatever order, and whatever others do to it meanwhile.</summary>
public class AnySequenceTests
{
    private static readonly RouteTarget?[] Targets =
    [
        null, null, Via("10.0.0.2"), Via("10.0.1.2"), Via("10.0.0.3") with { Metric = 7 }, Via("10.0.1.3") with { Metric = 7 },
        Over(Hop("10.0.0.2"), Hop("10.0.1.2")), Via("10.0.0.2") with { Table = 500 }, Nowhere(),
        Nowhere(RouteType.Prohibit) with { Metric = 9 },
        Over(Hop("10.0.0.2", weight: 2), Hop("10.0.1.2"), Hop("10.0.1.9")) with { Table = 500, Metric = 7 },
    ];

    private static readonly RouteTarget?[] TargetsIPv6 =
    [
        null, null, Via("fd00::2"), Via("fd01::2"), Via("fd00::3") with { Metric = 7 }, Over(Hop("fd00::2"), Hop("fd01::2")),
        Over(Hop("fd00::4"), Hop("fd01::4"), Hop("fd01::5")) with { Metric = 7 }, Via("fd00::2") with { Table = 500 }, Nowhere(),
    ];

    private static Gen<RouteWish[]> SomeWishes =>
        (from ipv6 in ArbMap.Default.GeneratorFor<bool>()
         from prefix in Gen.Choose(0, 7)
         from target in Gen.Elements(ipv6 ? TargetsIPv6 : Targets)
         select Wish(ipv6 ? $"2001:db8:{prefix}::/48" : $"192.0.2.{prefix * 32}/27", target)).ListOf().Select(list => list.ToArray());

    /// <summary>Own routes as (prefix, target), interfaces left out: the kernel has found them by the gateways.</summary>
    private static IEnumerable<string> Kept(NetworkNamespace ns) =>
        from table in (string[])["main", "500"]
        from family in (string[])["-4", "-6"]
        from line in ns.Own(family, table).Split('\n', StringSplitOptions.RemoveEmptyEntries)
        select $"{line.Replace(" dev a0", "").Replace(" dev b0", "").Replace(" dev lo", "")} table {table}";

    private static string Words(Prefix prefix, RouteTarget target)
    {
        var type = target.Type == RouteType.Unicast ? "" : target.Type.ToString().ToLowerInvariant() + " ";
        var metric = target.Metric != 0 ? $" metric {target.Metric}" : prefix.Family == IpFamily.IPv6 ? " metric 1024" : "";
        var several = target.Hops.Length > 1;
        var hops = string.Concat(target.Hops.Select(hop => several ? $" nexthop via {hop.Gateway} weight {hop.Weight}"
            : $" via {hop.Gateway}"));
        return $"{type}{prefix}{(several ? metric + hops : hops + metric)} table {(target.Table == 254 ? "main" : target.Table)}";
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task The_kernel_holds_what_was_wished_last()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.SweepAsync();
        var wanted = new Dictionary<Prefix, RouteTarget?>();
        Prop.ForAll(SomeWishes.ToArbitrary(), wishes =>
        {
            loop.Have(wishes).GetAwaiter().GetResult();
            foreach (var wish in wishes) wanted[wish.Prefix] = wish.Target;
            var expected = wanted.Where(pair => pair.Value != null).Select(pair => Words(pair.Key, pair.Value!))
                .Order(StringComparer.Ordinal);
            Assert.Equal(expected, Kept(ns).Order(StringComparer.Ordinal));
            Assert.Empty(loop.Status.Refusals);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40).WithEndSize(30));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task The_kernel_holds_what_was_wished_last_though_others_remove_it()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.SweepAsync();
        var random = new Random(11);
        var wanted = new Dictionary<Prefix, RouteTarget?>();
        for (var round = 0; round < 15; round++)
        {
            var wishes = Enumerable.Range(0, 20).Select(_ =>
                Wish($"192.0.2.{random.Next(8) * 32}/27", Targets[random.Next(Targets.Length)])).ToArray();
            var writing = loop.WishAsync(wishes);
            for (var i = 0; i < 4; i++)
                await ns.TryIpAsync($"route del 192.0.2.{random.Next(8) * 32}/27 {(random.Next(2) == 0 ? "table 500" : "")}");
            await writing;
            foreach (var wish in wishes) wanted[wish.Prefix] = wish.Target;
            var expected = string.Join('\n', wanted.Where(pair => pair.Value != null).Select(pair => Words(pair.Key, pair.Value!))
                .Order(StringComparer.Ordinal));
            await Until.EqualAsync(expected, () => string.Join('\n', Kept(ns).Order(StringComparer.Ordinal)));
        }
    }
}
