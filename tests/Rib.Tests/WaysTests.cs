using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests;

/// <summary>Next hops behind routes of ours: the longest match over everything that the kernel will have (RFC 4271 section
/// 9.1.2.1).</summary>
public class WaysTests
{
    private static readonly Prefix Far = Prefix.Parse("203.0.113.0/24");
    private static readonly Address Gateway = Address.Parse("10.0.0.254"), Tor = Address.Parse("10.0.0.7"),
        OtherTor = Address.Parse("10.0.0.8");

    /// <summary>One link with 10.0.0.0/24, routes of others by their prefix, and own static ones.</summary>
    private sealed class Network(params (string Prefix, string? Gateway, uint Metric)[] foreign) : INextHopResolver
    {
        public ImmutableDictionary<Prefix, StaticWay> Statics { get; init; } = ImmutableDictionary<Prefix, StaticWay>.Empty;
        public uint Table => 254;

        public NextHopState Resolve(Address nextHop, int scope)
        {
            if (Prefix.Parse("10.0.0.0/24").Contains(nextHop)) return new(true, true, false, 0, [new(nextHop, 1)]) { Covering = 24 };
            var covering = foreign.Where(route => Prefix.Parse(route.Prefix).Contains(nextHop))
                .OrderByDescending(route => Prefix.Parse(route.Prefix).Length);
            foreach (var (prefix, gateway, metric) in covering)
            {
                var length = Prefix.Parse(prefix).Length;
                return gateway == null ? NextHopState.Unresolved with { Covering = length, Metric = metric }
                    : new(true, false, false, metric, [new(Address.Parse(gateway), 1)]) { Covering = length };
            }
            return NextHopState.Unresolved;
        }

        public StaticWay? Static(Prefix prefix) => Statics.TryGetValue(prefix, out var way) ? way : null;
        public string? InterfaceName(int index) => "eth0";
    }

    private static readonly (string, string?, uint) Default = ("0.0.0.0/0", "10.0.0.254", 0);

    /// <summary>Two external neighbours on the link (1, 2), an internal one (3), and own static routes (4).</summary>
    private static async Task<RibRig> RigAsync(RememberingKernel kernel, INextHopResolver network, int shards = 1)
    {
        var rig = new RibRig(shards, fib: kernel, network: network);
        rig.Up(RibRig.Peer(1));
        rig.Up(RibRig.Peer(2));
        rig.Up(RibRig.Peer(3, inner: true));
        rig.Up(RibRig.Peer(4, inner: true) with { Origin = RouteOrigin.Static, Preference = 200 });
        await rig.Rib.IdleAsync();
        return rig;
    }

    private static Task External(RibRig rig, ushort peer, string prefix, Address nextHop) => rig.AnnounceAsync(
        peer,
        rig.Attributes(editor =>
        {
            editor.SetNextHop(nextHop);
            editor.Prepend(new(64500u + peer));
        }),
        Prefix.Parse(prefix));

    private static Task Internal(RibRig rig, string prefix, string nextHop, uint localPref = 100) => rig.AnnounceAsync(
        3,
        rig.Attributes(editor =>
        {
            editor.SetNextHop(Address.Parse(nextHop));
            editor.SetLocalPref(localPref);
        }),
        Prefix.Parse(prefix));

    private static Task Static(RibRig rig, string prefix) =>
        rig.AnnounceAsync(4, rig.Attributes(editor => editor.Remove(AttributeType.NextHop)), Prefix.Parse(prefix));

    public static TheoryData<int, bool> Orders => new() { { 1, false }, { 1, true }, { 2, false }, { 2, true }, { 5, false }, { 5, true } };

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task A_next_hop_behind_a_neighbours_route_is_reached_through_that_neighbour_and_not_by_the_default_route(
        int shards, bool late)
    {
        var kernel = new RememberingKernel();
        using var rig = await RigAsync(kernel, new Network(Default), shards);
        if (late) await Internal(rig, "203.0.113.0/24", "192.0.2.9");
        await rig.Rib.IdleAsync();
        await External(rig, 1, "192.0.2.9/32", Tor);
        await rig.Rib.IdleAsync();
        if (!late) await Internal(rig, "203.0.113.0/24", "192.0.2.9");
        await rig.Rib.IdleAsync();
        Assert.Equal(Tor, kernel.GatewayOf(Far));

        await External(rig, 1, "192.0.2.9/32", OtherTor);
        await rig.Rib.IdleAsync();
        Assert.Equal(OtherTor, kernel.GatewayOf(Far));

        await rig.WithdrawAsync(1, Prefix.Parse("192.0.2.9/32"));
        await rig.Rib.IdleAsync();
        Assert.Equal(Gateway, kernel.GatewayOf(Far));
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Through_as_many_routes_as_there_are(int shards, bool backwards)
    {
        const int links = 40;
        var kernel = new RememberingKernel();
        using var rig = await RigAsync(kernel, new Network(Default), shards);
        await External(rig, 1, "192.0.2.0/32", Tor);
        foreach (var i in backwards ? Enumerable.Range(1, links).Reverse() : Enumerable.Range(1, links))
        {
            await Internal(rig, $"192.0.2.{i}/32", $"192.0.2.{i - 1}");
            if (i % 3 == 0) await rig.Rib.IdleAsync();
        }
        await Internal(rig, "203.0.113.0/24", $"192.0.2.{links}");
        await rig.Rib.IdleAsync();
        Assert.Equal(Tor, kernel.GatewayOf(Far));
        await rig.WithdrawAsync(1, Prefix.Parse("192.0.2.0/32"));
        await rig.Rib.IdleAsync();
        Assert.Equal(Gateway, kernel.GatewayOf(Far));
    }

    [Fact]
    public async Task Endless_chains_lead_nowhere_and_harm_nobody()
    {
        var kernel = new RememberingKernel();
        using var rig = await RigAsync(kernel, new Network());
        await External(rig, 1, "198.18.0.0/32", Tor);
        for (var i = 1; i <= 300; i++) await Internal(rig, $"198.18.{i / 256}.{i % 256}/32", $"198.18.{(i - 1) / 256}.{(i - 1) % 256}");
        await rig.Rib.IdleAsync();
        Assert.Equal(Tor, kernel.GatewayOf(Prefix.Parse("198.18.0.20/32")));
        Assert.Null(kernel.TargetOf(Prefix.Parse("198.18.1.44/32")));
    }

    [Fact]
    public async Task A_hundred_thousand_next_hops_are_no_burden()
    {
        var kernel = new RememberingKernel();
        using var rig = await RigAsync(kernel, new Network(Default));
        for (var i = 0; i < 100_000; i++)
        {
            var host = new Prefix(Address.FromIPv4(0xc6120000u + (uint)i), 32);
            await rig.AnnounceAsync(3, rig.Attributes(editor => editor.SetNextHop(host.Address)),
                new Prefix(Address.FromIPv4(0x14000000u + (uint)i * 256), 24));
        }
        for (var i = 0; i < 100; i++) await External(rig, 1, $"198.18.{i}.0/24", i % 2 == 0 ? Tor : OtherTor);
        await rig.Rib.IdleAsync();
        Assert.Equal(Tor, kernel.GatewayOf(Prefix.Parse("20.0.7.0/24")));
        Assert.Equal(OtherTor, kernel.GatewayOf(Prefix.Parse("20.1.7.0/24")));
        Assert.Equal(Gateway, kernel.GatewayOf(new Prefix(Address.FromIPv4(0x14000000u + 99_999 * 256), 24)));
    }

    [Fact]
    public async Task Ways_that_multiply_are_bounded_and_lead_somewhere()
    {
        var kernel = new RememberingKernel();
        using var rig = new RibRig(settings: new() { MultipathLimit = 64, MultipathRelax = true }, fib: kernel, network: new Network());
        for (ushort peer = 1; peer <= 30; peer++) rig.Up(RibRig.Peer(peer, inner: true));
        for (var level = 1; level <= 4; level++)
            for (ushort peer = 1; peer <= 30; peer++)
                await rig.AnnounceAsync(
                    peer,
                    rig.Attributes(editor => editor.SetNextHop(Address.Parse(level == 1 ? $"10.0.0.{peer}" : $"192.0.{level - 1}.{peer}"))),
                    [.. Enumerable.Range(1, 30).Select(host => Prefix.Parse($"192.0.{level}.{host}/32"))]);
        await rig.Rib.IdleAsync();
        var ways = kernel.TargetOf(Prefix.Parse("192.0.4.1/32"))!.Vias;
        Assert.InRange(ways.Length, 1, 256);
        Assert.Equal(ways.Length, ways.Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Behind_an_own_blackhole_nothing_is_reached_by_a_shorter_route(int shards, bool late)
    {
        var kernel = new RememberingKernel();
        var network = new Network(Default)
        {
            Statics = ImmutableDictionary<Prefix,
            StaticWay>.Empty.Add(Prefix.Parse("192.0.2.0/24"), new([]))
        };
        using var rig = await RigAsync(kernel, network, shards);
        if (late) await Internal(rig, "203.0.113.0/24", "192.0.2.9");
        await rig.Rib.IdleAsync();
        await Static(rig, "192.0.2.0/24");
        if (!late) await Internal(rig, "203.0.113.0/24", "192.0.2.9");
        await rig.Rib.IdleAsync();
        Assert.Null(kernel.TargetOf(Far));
        await External(rig, 1, "192.0.2.9/32", Tor);
        await rig.Rib.IdleAsync();
        Assert.Equal(Tor, kernel.GatewayOf(Far));
    }

    [Fact]
    public async Task A_static_route_leads_by_its_gateway_or_is_the_link_itself_and_an_announced_one_leads_nowhere()
    {
        var kernel = new RememberingKernel();
        var network = new Network
        {
            Statics = ImmutableDictionary<Prefix, StaticWay>.Empty
                .Add(Prefix.Parse("192.0.2.0/24"), new([new(Tor, 1)])).Add(Prefix.Parse("198.51.100.0/24"), new([new(null, 2)])),
        };
        using var rig = await RigAsync(kernel, network);
        foreach (var prefix in (string[])["192.0.2.0/24", "198.51.100.0/24", "192.0.2.9/32"]) await Static(rig, prefix);
        await Internal(rig, "203.0.113.0/24", "192.0.2.9");
        await Internal(rig, "203.0.114.0/24", "198.51.100.7");
        await External(rig, 1, "203.0.115.0/24", Address.Parse("198.51.100.8"));
        await rig.Rib.IdleAsync();
        Assert.Equal(new(Tor, 1), ViaOf(Far));
        Assert.Equal(new(Address.Parse("198.51.100.7"), 2, OnLink: true), ViaOf(Prefix.Parse("203.0.114.0/24")));
        Assert.Equal(new(Address.Parse("198.51.100.8"), 2, OnLink: true), ViaOf(Prefix.Parse("203.0.115.0/24")));

        NextHopVia ViaOf(Prefix prefix) => Assert.Single(kernel.TargetOf(prefix)!.Vias);
    }

    [Fact]
    public async Task A_route_over_its_own_next_hop_is_reached_by_what_lies_behind_it()
    {
        var kernel = new RememberingKernel();
        using var rig = await RigAsync(kernel, new Network(Default));
        await Internal(rig, "192.0.2.0/24", "192.0.2.1");
        await rig.Rib.IdleAsync();
        Assert.Equal(Gateway, kernel.GatewayOf(Prefix.Parse("192.0.2.0/24")));
        rig.Rib.NextHopsChanged(new Network());
        await rig.Rib.IdleAsync();
        Assert.Null(kernel.TargetOf(Prefix.Parse("192.0.2.0/24")));
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task A_preferred_path_over_the_very_prefix_that_it_is_for_does_not_swing_with_the_other(int shards, bool late)
    {
        var kernel = new RememberingKernel();
        using var rig = await RigAsync(kernel, new Network(), shards);
        var loopback = Prefix.Parse("192.0.2.9/32");
        if (late) await Internal(rig, "192.0.2.9/32", "192.0.2.9", localPref: 200);
        await External(rig, 1, "192.0.2.9/32", Tor);
        if (!late) await Internal(rig, "192.0.2.9/32", "192.0.2.9", localPref: 200);
        await Internal(rig, "203.0.113.0/24", "192.0.2.9");
        await rig.Rib.IdleAsync();
        Assert.Equal((Tor, Tor), (kernel.GatewayOf(loopback), kernel.GatewayOf(Far)));
        Assert.Equal(2, kernel.Told);
        var facts = await rig.ReadAsync(new(RouteSide.Accepted, IpFamily.IPv4, ReadScope.Exact, loopback));
        Assert.Equal([(1, Reason.OnlyRoute), (3, Reason.NextHopUnresolvable)], facts.Select(route => ((int)route.Peer, route.Reason)));

        // A default route beside it is where it would lead if there were nothing else, and no better for that.
        rig.Rib.NextHopsChanged(new Network(Default));
        await rig.Rib.IdleAsync();
        Assert.Equal((Tor, Tor), (kernel.GatewayOf(loopback), kernel.GatewayOf(Far)));
        facts = await rig.ReadAsync(new(RouteSide.Accepted, IpFamily.IPv4, ReadScope.Exact, loopback));
        Assert.Equal([(1, Reason.NextHopCircle), (3, Reason.NextHopCircle)], facts.Select(route => ((int)route.Peer, route.Reason)));
        await rig.WithdrawAsync(1, loopback);
        await rig.Rib.IdleAsync();
        Assert.Equal((Gateway, Gateway), (kernel.GatewayOf(loopback), kernel.GatewayOf(Far)));
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Two_prefixes_that_would_rather_lead_through_each_other_come_to_rest(int shards, bool late)
    {
        var kernel = new RememberingKernel();
        using var rig = await RigAsync(kernel, new Network(), shards);
        var (one, two) = (Prefix.Parse("192.0.2.0/24"), Prefix.Parse("198.51.100.0/24"));
        if (late) await Preferred();
        await External(rig, 1, "192.0.2.0/24", Tor);
        await External(rig, 2, "198.51.100.0/24", OtherTor);
        if (!late) await Preferred();
        await rig.Rib.IdleAsync();
        // One of them leads through the other, or (two shards see each other late) both lead straight: never in a circle, and it stays so.
        Assert.All((Prefix[])[one, two], prefix => Assert.Contains(kernel.GatewayOf(prefix), (Address?[])[Tor, OtherTor]));
        var told = kernel.Told;
        await External(rig, 2, "203.0.113.0/24", OtherTor);
        await rig.Rib.IdleAsync();
        Assert.Equal(told + 1, kernel.Told);

        async Task Preferred()
        {
            await Internal(rig, "192.0.2.0/24", "198.51.100.1", localPref: 200);
            await Internal(rig, "198.51.100.0/24", "192.0.2.1", localPref: 200);
        }
    }

    [Fact]
    public async Task The_cost_of_the_way_is_the_sum_of_its_metrics()
    {
        var kernel = new RememberingKernel { Export = new WithMetric(("192.0.2.1/32", 30u), ("192.0.2.2/32", 5u)) };
        using var rig = await RigAsync(kernel, new Network(("172.16.1.0/24", "10.0.0.251", 10), ("172.16.2.0/24", "10.0.0.252", 40)));
        await Internal(rig, "192.0.2.1/32", "172.16.1.1");
        await Internal(rig, "192.0.2.2/32", "172.16.2.1");
        await Internal(rig, "203.0.113.0/24", "192.0.2.1");
        await Internal(rig, "203.0.114.0/24", "192.0.2.2");
        await rig.Rib.IdleAsync();
        Assert.Equal("40 45", await MetricsAsync(rig, "203.0.113.0/24", "203.0.114.0/24"));
    }

    private static async Task<string> MetricsAsync(RibRig rig, params string[] prefixes)
    {
        var metrics = new List<uint>();
        foreach (var prefix in prefixes)
            metrics.Add((await rig.ReadAsync(new(RouteSide.Best, IpFamily.IPv4, ReadScope.Exact, Prefix.Parse(prefix))))[0]
            .NextHop!.Metric);
        return string.Join(' ', metrics);
    }

    [Theory]
    [InlineData(20u, "10.0.0.7")]    // the kernel prefers ours
    [InlineData(100u, "10.0.0.251")] // ours cannot stand beside it
    [InlineData(200u, "10.0.0.251")]
    public async Task Of_ours_and_a_foreign_route_to_one_prefix_the_kernels_metric_decides(uint metric, string expected)
    {
        var kernel = new RememberingKernel { Export = new WithMetric(("192.0.2.0/24", metric)) };
        using var rig = await RigAsync(kernel, new Network(("192.0.2.0/24", "10.0.0.251", 100)));
        await External(rig, 1, "192.0.2.0/24", Tor);
        await Internal(rig, "203.0.113.0/24", "192.0.2.9");
        await rig.Rib.IdleAsync();
        Assert.Equal(Address.Parse(expected), kernel.GatewayOf(Far));
    }

    [Fact]
    public async Task What_the_kernels_filter_keeps_away_leads_to_nothing()
    {
        var kernel = new RememberingKernel { Export = RejectAll.Instance };
        using var rig = await RigAsync(kernel, new Network(Default));
        await External(rig, 1, "192.0.2.9/32", Tor);
        await Internal(rig, "203.0.113.0/24", "192.0.2.9");
        await rig.Rib.IdleAsync();
        kernel.Export = new WithMetric() { Rejects = Prefix.Parse("192.0.2.9/32") };
        rig.Rib.FibFilterChanged();
        await rig.Rib.IdleAsync();
        Assert.Equal(Gateway, kernel.GatewayOf(Far));
        kernel.Export = AcceptAll.Instance;
        rig.Rib.FibFilterChanged();
        await rig.Rib.IdleAsync();
        Assert.Equal(Tor, kernel.GatewayOf(Far));
    }

    [Fact]
    public async Task A_neighbour_on_a_link_is_not_led_away_by_a_longer_route_to_its_address()
    {
        var kernel = new RememberingKernel();
        using var rig = await RigAsync(kernel, new Network());
        await External(rig, 1, "203.0.113.0/24", Tor);
        await Internal(rig, "203.0.114.0/24", Tor.ToString());
        await External(rig, 2, $"{Tor}/32", OtherTor);
        await rig.Rib.IdleAsync();
        Assert.Equal((Tor, OtherTor), (kernel.GatewayOf(Far), kernel.GatewayOf(Prefix.Parse("203.0.114.0/24"))));
    }

    [Fact]
    public async Task Whatever_comes_in_whatever_order_all_come_to_rest_and_nobody_leads_in_a_circle()
    {
        for (var seed = 1; seed <= 60; seed++)
        {
            var random = new Random(seed);
            var kernel = new RememberingKernel();
            using var rig = await RigAsync(kernel, seed % 2 == 0 ? new Network() : new Network(Default), shards: 1 + seed % 3);
            for (var step = 0; step < 60; step++)
            {
                // Prefixes of several lengths over the same few addresses, so that ways and next hops meet all the time.
                var prefix = $"192.0.2.{random.Next(4) * 64}/{(random.Next(3) == 0 ? 24 : random.Next(2) == 0 ? 26 : 32)}";
                if (random.Next(4) == 0) await rig.WithdrawAsync((ushort)random.Next(1, 4), Prefix.Parse(prefix));
                else if (random.Next(3) == 0) await External(rig, (ushort)random.Next(1, 3), prefix, random.Next(2) == 0 ? Tor : OtherTor);
                else await Internal(rig, prefix, $"192.0.2.{random.Next(4) * 64}", (uint)random.Next(1, 4) * 100);
                if (random.Next(3) == 0) await rig.Rib.IdleAsync();
            }
            await rig.Rib.IdleAsync();
            var best = await rig.ReadAsync(new(RouteSide.Best, IpFamily.IPv4));
            foreach (var route in best)
            {
                var target = kernel.TargetOf(route.Prefix);
                Assert.NotNull(target);
                Assert.All(target.Vias, via => Assert.Contains(via.Gateway, (Address?[])[Tor, OtherTor, Gateway]));
                Assert.Equal(Walk(best, route, [], seed % 2 == 0 ? null : Gateway), target.Vias[0].Gateway);
            }
        }
    }

    /// <summary>The way of a packet to the route's next hop, hop by hop, by the letter: the longest prefix that has not been met.</summary>
    private static Address? Walk(List<RouteFacts> best, RouteFacts route, ImmutableHashSet<Prefix> met, Address? byDefault)
    {
        var nextHop = route.Summary.NextHop;
        if (Prefix.Parse("10.0.0.0/24").Contains(nextHop)) return nextHop;
        met = met.Add(route.Prefix);
        foreach (var next in best.Where(other => other.Prefix.Contains(nextHop) && !met.Contains(other.Prefix))
            .OrderByDescending(other => other.Prefix.Length))
            if (Walk(best, next, met, byDefault) is { } gateway) return gateway;
        return byDefault;
    }

    /// <summary>The kernel's filter: metrics by prefix, and one prefix that does not get in.</summary>
    private sealed class WithMetric(params (string Prefix, uint Metric)[] metrics) : IFilter
    {
        public Prefix? Rejects { get; init; }
        public string Name => "metrics";
        public bool LooksAtPrefix => true;

        public FilterResult Run(in FilterInput route, AttributeEditor editor)
        {
            if (route.Prefix == Rejects) return new(FilterVerdict.Reject, default, "rejects");
            foreach (var (prefix, metric) in metrics)
                if (Prefix.Parse(prefix) == route.Prefix) return new(FilterVerdict.AcceptChanged, new(metric, 0), "metric");
            return new(FilterVerdict.Accept, route.Hints, "accept");
        }
    }
}
