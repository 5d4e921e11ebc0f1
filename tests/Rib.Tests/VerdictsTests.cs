using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Rib.Tests;

/// <summary>Every verdict on a route's way says by which rule it was: what is explained is what happened.</summary>
public class VerdictsTests
{
    private static readonly Prefix Route = Prefix.Parse("203.0.113.0/24");
    private static readonly FilterChain NotFromHere = new([new("mine", [new(null, null, RuleAction.Reject) { Name = "no test nets" }])]);

    private static async Task<PrefixFacts> ExplainAsync(RibRig rig, Prefix? prefix = null)
    {
        await rig.Rib.IdleAsync();
        return await rig.Rib.ExplainAsync(prefix ?? Route, default);
    }

    private static Task BringAsync(RibRig rig, ushort peer, Action<AttributeEditor>? edit = null) => rig.AnnounceAsync(
        peer,
        rig.Attributes(editor =>
        {
            editor.Prepend(new(64500u + peer));
            edit?.Invoke(editor);
        }),
        Route);

    public static TheoryData<string, RouteRule, string?> Refusals => new()
    {
        { "own AS", RouteRule.OwnAs, null }, { "own originator", RouteRule.OwnOriginator, null },
        { "own cluster", RouteRule.OwnCluster, null },
        { "filter", RouteRule.Filter, "no test nets" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_is_refused_on_the_way_in_says_by_which_rule(string what, RouteRule rule, string? label)
    {
        using var rig = new RibRig();
        rig.Up(RibRig.Peer(1, inner: what != "own AS", import: what == "filter" ? NotFromHere : null));
        await BringAsync(rig, 1, what switch
        {
            "own AS" => editor => editor.Prepend(RibRig.OwnAs),
            "own originator" => editor => editor.SetOriginatorId(RibRig.Peer(1).LocalId),
            "own cluster" => editor => editor.PrependClusterId(RibRig.Peer(1).ClusterId),
            _ => null,
        });
        var facts = await ExplainAsync(rig);
        var path = Assert.Single(facts.Paths).Route;
        Assert.Equal((true, new Verdict(FilterVerdict.Reject, rule, label)), (path.Refused, path.Verdict));
        Assert.Null(facts.Kernel);
        Assert.Empty(facts.Exports);
        // The table of refused routes says it too; that of accepted ones has none.
        Assert.Equal(path.Verdict, Assert.Single(await rig.ReadAsync(new(RouteSide.Refused, IpFamily.IPv4))).Verdict);
        Assert.Empty(await rig.ReadAsync(new(RouteSide.Accepted, IpFamily.IPv4)));
    }

    /// <summary>Such rules are asked for each route that a peer sends, as often as it likes.</summary>
    [Theory]
    [InlineData(RuleAction.Reject, "p1: 203.0.113.0/24 is refused: not its block (0 more since the last such line)")]
    [InlineData(RuleAction.Accept, "p1: 203.0.113.0/24 is let in: not its block (0 more since the last such line)")]
    public async Task A_rule_that_is_to_be_told_is_told_once_a_while_for_each_peer(RuleAction action, string line)
    {
        var lines = new Lines();
        using var rig = new RibRig(log: lines);
        var rule = new FilterRule(new() { Prefixes = new([new(Route)]) }, null, action) { Name = "not its block", IsTold = true };
        var chain = new FilterChain([new("told", [rule, new(null, null, RuleAction.Accept)])]);
        rig.Up(RibRig.Peer(1, import: chain));
        await rig.AnnounceAsync(1, rig.Attributes(editor => editor.Prepend(new(64501))), Prefix.Parse("192.0.2.0/24"));
        await rig.Rib.IdleAsync();
        Assert.Empty(lines);
        await BringAsync(rig, 1);
        await BringAsync(rig, 1, editor => editor.SetMed(7));
        Assert.Equal(action == RuleAction.Reject, Assert.Single((await ExplainAsync(rig)).Paths).Route.Refused);
        Assert.Equal([line], lines);
        // Whoever asks why does not cause a line.
        await ExplainAsync(rig);
        Assert.Single(lines);
    }

    private sealed class Lines : System.Collections.Concurrent.ConcurrentQueue<string>, ILogger<Rib>
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Enqueue(formatter(state, exception));
    }

    private static RibPeer Receiver(string what)
    {
        var peer = RibRig.Peer(2, inner: what is "not reflected" or "no family", export: what == "filter" ? NotFromHere : null);
        return what switch
        {
            "no family" => peer with { NextHop = NextHopMode.Keep },
            "no address" => peer with { SelfIPv4 = Address.AnyIPv4 },
            _ => peer,
        };
    }

    public static TheoryData<string, RouteRule> Withheld => new()
    {
        { "no-advertise", RouteRule.NoAdvertise }, { "no-export", RouteRule.NoExport },
        { "no-export-subconfed", RouteRule.NoExportSubconfed },
        { "not reflected", RouteRule.NotReflected }, { "filter", RouteRule.Filter }, { "no address", RouteRule.NoNextHop },
        { "no family", RouteRule.NextHopFamily }, { "too long", RouteRule.DoesNotFit },
    };

    /// <summary>Without the cause the same peer is told, so that it is the cause which is named.</summary>
    [Theory]
    [MemberData(nameof(Withheld))]
    public async Task What_a_peer_is_not_told_says_by_which_rule(string what, RouteRule rule)
    {
        using var rig = new RibRig();
        rig.Up(RibRig.Peer(1, inner: what == "not reflected"));
        var receiver = rig.Up(Receiver(what));
        var open = rig.Up(RibRig.Peer(3, inner: true, client: true) with { Encode = new(true, 65535, true, Wire.FamilySet.None) });
        await BringAsync(rig, 1, editor =>
        {
            if (what.StartsWith("no-", StringComparison.Ordinal))
                editor.AddCommunity(new(0xffff, (ushort)(what == "no-export" ? 0xff01 : what == "no-advertise" ? 0xff02 : 0xff03)));
            if (what == "no family") editor.SetNextHop(Address.Parse("fd00::9"));
            if (what != "too long") return;
            for (ushort i = 0; i < 1100; i++) editor.AddCommunity(new(64501, i));
        });
        var facts = await ExplainAsync(rig);
        var exports = facts.Exports.ToDictionary(export => (int)export.Peer);
        Assert.Equal((rule, false, false), (exports[2].Verdict.Rule, exports[2].Verdict.IsAccepted, exports[2].IsSent));
        Assert.Equal(RouteRule.SplitHorizon, exports[1].Verdict.Rule);
        Assert.Equal(what != "no-advertise", exports[3].Verdict.IsAccepted);
        Assert.False(receiver.Holds.ContainsKey(Route));
        Assert.Equal(exports[3].Verdict.IsAccepted, exports[3].IsSent);
        // The rig's receiver has not negotiated RFC 8950.
        if (rule != RouteRule.NextHopFamily) Assert.Equal(exports[3].IsSent, open.Holds.ContainsKey(Route));
    }

    [Fact]
    public async Task The_kernels_verdict_names_its_filters_rule_and_what_is_its_own()
    {
        var kernel = new RememberingKernel { Export = NotFromHere };
        using var rig = new RibRig(fib: kernel);
        rig.Up(RibRig.Peer(1));
        rig.Up(RibRig.Peer(4, inner: true) with { Origin = RouteOrigin.Kernel, Preference = 10 });
        await BringAsync(rig, 1);
        Assert.Equal(new Verdict(FilterVerdict.Reject, RouteRule.Filter, "no test nets"), (await ExplainAsync(rig)).Kernel);
        await rig.WithdrawAsync(1, Route);
        await rig.AnnounceAsync(4, rig.Attributes(editor => editor.Remove(AttributeType.NextHop)), Route);
        Assert.Equal(Verdict.Against(RouteRule.KernelsOwn), (await ExplainAsync(rig)).Kernel);

        using var without = new RibRig();
        without.Up(RibRig.Peer(1));
        await BringAsync(without, 1);
        Assert.Equal(Verdict.Against(RouteRule.NotInstalled), (await ExplainAsync(without)).Kernel);
    }

    /// <summary>10.0.0.0/24 is on a link, 198.51.100.0/24 is a foreign blackhole, 10.0.0.1 our own.</summary>
    private sealed class Node : INextHopResolver
    {
        public ImmutableDictionary<Prefix, StaticWay> Statics { get; init; } = ImmutableDictionary<Prefix, StaticWay>.Empty;
        public uint Table => 254;

        public NextHopState Resolve(Address nextHop, int scope)
        {
            if (nextHop == Address.Parse("10.0.0.1")) return NextHopState.Unresolved with { OwnAddress = true };
            if (Prefix.Parse("10.0.0.0/24").Contains(nextHop))
                return new(true, true, false, 0, [new(nextHop, 2)]) { Covering = 24, Protocol = 2 };
            return Prefix.Parse("198.51.100.0/24").Contains(nextHop)
                ? NextHopState.Unresolved with { Covering = 24, Bar = NextHopRule.Blackhole, Protocol = 4 } : NextHopState.Unresolved;
        }

        public StaticWay? Static(Prefix prefix) => Statics.TryGetValue(prefix, out var way) ? way : null;
        public string? InterfaceName(int index) => "eth0";
    }

    private static async Task<RibRig> NodeAsync(Node? node = null)
    {
        var rig = new RibRig(fib: new RememberingKernel(), network: node ?? new Node());
        rig.Up(RibRig.Peer(1));
        rig.Up(RibRig.Peer(3, inner: true));
        rig.Up(RibRig.Peer(4, inner: true) with { Origin = RouteOrigin.Static, Preference = 200 });
        await rig.Rib.IdleAsync();
        return rig;
    }

    private static Task InternalAsync(RibRig rig, string prefix, string nextHop) =>
        rig.AnnounceAsync(3, rig.Attributes(editor => editor.SetNextHop(Address.Parse(nextHop))), Prefix.Parse(prefix));

    private static string Words(ImmutableArray<NextHopStep> steps) => string.Join(
        " | ",
        steps.Select(step => $"{step.Depth} {step.Address} {step.Over?.ToString() ?? "-"} p{step.Peer?.ToString() ?? "k"} {step.Rule}"));

    [Theory]
    [InlineData("10.0.0.7", NextHopRule.Connected, "0 10.0.0.7 10.0.0.0/24 pk Connected")]
    [InlineData("10.0.0.1", NextHopRule.OwnAddress, "0 10.0.0.1 - pk OwnAddress")]
    [InlineData("198.51.100.9", NextHopRule.Blackhole, "0 198.51.100.9 198.51.100.0/24 pk Blackhole")]
    [InlineData("192.0.2.1", NextHopRule.NoRoute, "0 192.0.2.1 - pk NoRoute")]
    [InlineData("203.0.113.9", NextHopRule.Circle, "0 203.0.113.9 203.0.113.0/24 p3 Circle | 0 203.0.113.9 - pk NoRoute")]
    public async Task A_next_hop_says_by_which_rule_it_is_reached_or_not(string nextHop, NextHopRule rule, string steps)
    {
        using var rig = await NodeAsync();
        await InternalAsync(rig, "203.0.113.0/24", nextHop);
        // Another route of the prefix makes it one that next hops may lie behind.
        if (rule == NextHopRule.Circle)
        {
            await BringAsync(rig, 1, editor => editor.SetNextHop(Address.Parse("10.0.0.7")));
            steps = steps.Replace("p3", "p1", StringComparison.Ordinal);
        }
        var path = (await ExplainAsync(rig)).Paths.Single(path => path.Route.Peer == 3);
        Assert.Equal((rule, steps), (path.Route.NextHopRule, Words(path.Steps)));
        Assert.Equal(rule == NextHopRule.Connected, path.Route.Best);
    }

    [Fact]
    public async Task The_way_to_a_next_hop_is_told_through_all_routes_of_ours_down_to_the_link()
    {
        using var rig = await NodeAsync();
        await rig.AnnounceAsync(1, rig.Attributes(editor => editor.SetNextHop(Address.Parse("10.0.0.7"))), Prefix.Parse("192.0.2.0/25"));
        await InternalAsync(rig, "198.18.0.0/15", "192.0.2.9");
        await InternalAsync(rig, "203.0.113.0/24", "198.18.0.1");
        var path = Assert.Single((await ExplainAsync(rig)).Paths);
        Assert.Equal(
            "0 198.18.0.1 198.18.0.0/15 p3 Route | 1 192.0.2.9 192.0.2.0/25 p1 Route | 2 10.0.0.7 10.0.0.0/24 pk Connected",
            Words(path.Steps));
        Assert.Equal(NextHopRule.Route, path.Route.NextHopRule);
    }

    [Theory]
    [InlineData(NextHopRule.Blackhole)]
    [InlineData(NextHopRule.Unreachable)]
    [InlineData(NextHopRule.Prohibit)]
    public async Task An_own_route_that_ends_packets_bars_the_next_hops_behind_it(NextHopRule end)
    {
        var bar = Prefix.Parse("192.0.2.0/24");
        using var rig = await NodeAsync(new() { Statics = ImmutableDictionary<Prefix, StaticWay>.Empty.Add(bar, new([], end)) });
        await rig.AnnounceAsync(4, rig.Attributes(editor => editor.Remove(AttributeType.NextHop)), bar);
        await InternalAsync(rig, "203.0.113.0/24", "192.0.2.9");
        var path = Assert.Single((await ExplainAsync(rig)).Paths);
        Assert.Equal((end, Reason.NextHopUnresolvable), (path.Route.NextHopRule, path.Route.Reason));
        Assert.Equal($"0 192.0.2.9 192.0.2.0/24 p4 {end}", Words(path.Steps));
    }

    [Fact]
    public async Task A_neighbour_one_hop_away_with_a_next_hop_beyond_is_told_so()
    {
        using var rig = await NodeAsync();
        await rig.AnnounceAsync(1, rig.Attributes(editor => editor.SetNextHop(Address.Parse("10.0.0.7"))), Prefix.Parse("192.0.2.0/24"));
        await BringAsync(rig, 1, editor => editor.SetNextHop(Address.Parse("192.0.2.9")));
        Assert.Equal(NextHopRule.NotOnLink, Assert.Single((await ExplainAsync(rig)).Paths).Route.NextHopRule);
    }

    /// <summary>1 (MED 10) would beat the winner by its router id, but 3 of the same AS has the lower MED, and loses to 2.</summary>
    [Fact]
    public async Task With_deterministic_MED_a_route_that_its_neighbours_other_one_overshadows_says_MED()
    {
        using var rig = new RibRig();
        foreach (ushort peer in (ushort[])[1, 2, 3]) rig.Up(RibRig.Peer(peer));
        Action<AttributeEditor> Of(uint neighbour, uint med) => editor =>
        {
            editor.Prepend(new(neighbour));
            editor.SetMed(med);
        };
        await rig.AnnounceAsync(1, rig.Attributes(Of(64601, 10)), Route);
        await rig.AnnounceAsync(2, rig.Attributes(Of(64602, 0)), Route);
        await rig.AnnounceAsync(3, rig.Attributes(Of(64601, 5)), Route);
        var facts = await ExplainAsync(rig);
        Assert.Equal(
            [(2, true, Reason.RouterId), (1, false, Reason.Med), (3, false, Reason.RouterId)],
            facts.Paths.Select(path => ((int)path.Route.Peer, path.Route.Best, path.Route.Reason))
                .OrderByDescending(path => path.Best).ThenBy(path => path.Item1));
    }

    [Fact]
    public async Task Each_further_path_says_whether_packets_are_shared_out_to_it_and_why_not()
    {
        using var rig = new RibRig(settings: new() { MultipathLimit = 2 });
        foreach (ushort peer in (ushort[])[1, 2, 3, 4, 5]) rig.Up(RibRig.Peer(peer));
        (ushort, uint, int)[] said = [(1, 64601, 1), (2, 64601, 1), (3, 64601, 1), (4, 64602, 1), (5, 64601, 2)];
        foreach (var (peer, neighbour, length) in said)
            await rig.AnnounceAsync(peer, rig.Attributes(editor =>
            {
                for (var i = 0; i < length; i++) editor.Prepend(new(neighbour));
            }), Route);
        var sharing = (await ExplainAsync(rig)).Paths.Select(path => path.Route.Sharing).ToArray();
        Assert.Equal(Sharing.NotAsked, sharing[0]);
        Assert.Equal([Sharing.Shares, Sharing.NotEqual, Sharing.OtherNeighbour, Sharing.OverLimit], sharing[1..].Order());
    }
}
