using System.Reflection;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Tests;

public class ExplanationsTests
{
    private const string Ours = "203.0.113.0/24", Theirs = "198.51.100.0/24";

    /// <summary>A with two neighbours, which both bring a route of their own prefix and are both told ours.</summary>
    [Fact]
    public async Task A_route_is_explained_by_one_question_to_its_shard_and_one_reading_of_the_kernels_table_whatever_the_number_of_peers()
    {
        await using var pair = new Pair(config => WithThird(config.Routes(Ours)), config => config.Routes(Theirs));
        await using var third = new TestSpeaker(Third(pair));
        await third.Loop.StartAsync();
        await pair.UpAsync();
        await Until.TrueAsync(
            "the routes of both",
            async () => (await pair.B.RoutesAsync()).Contains(Ours) && (await third.RoutesAsync()).Contains(Ours));
        await Until.TrueAsync("two candidates", async () => await CandidatesAsync(pair.A) == 2);

        var (ours, readings) = await ExplainAsync(pair.A, Ours);
        Assert.Equal([("b", true), ("c", true)], ours.Exports.Select(export => (export.Peer, export.Sent)).Order());
        Assert.Equal(["kernel"], readings);

        (var theirs, readings) = await ExplainAsync(pair.A, Theirs);
        Assert.Equal([("b", "accept"), ("c", "accept")], theirs.Candidates.Select(each => (each.Route.Protocol, each.ImportRule)).Order());
        Assert.Equal(["kernel"], readings);
    }

    [Fact]
    public async Task An_own_route_that_waits_for_its_way_out_says_why_and_one_that_has_it_does_not()
    {
        var waiting = new OwnRouteConfig(Prefix.Parse("192.0.2.0/24"), RouteType.Unicast, [new(Address.Parse("172.16.0.1"), 0)]);
        await using var pair = await new Pair(config => config.Routes(Ours) with { Routes = [Pair.Blackhole(Ours), waiting] }).UpAsync();
        var why = await pair.A.View.ExplainAsync(waiting.Prefix, default);
        Assert.Empty(why.Candidates);
        Assert.Equal("172.16.0.1 is on no link of ours", why.Inactive);
        var configured = pair.A.View.ConfiguredRoutes.Select(route => (route.Prefix.ToString(), route.IsActive));
        Assert.Equal([(Ours, true), ("192.0.2.0/24", false)], configured);
        Assert.Null((await pair.A.View.ExplainAsync(Prefix.Parse(Ours), default)).Inactive);
    }

    [Fact]
    public async Task A_route_that_is_refused_says_by_which_rule_in_the_table_and_explained()
    {
        await using var pair = await new Pair(
            config => config.Routes(Ours), config => config.Peer(peer => peer with { Import = RejectAll.Instance })).UpAsync();
        await Until.TrueAsync("the refused route", async () => (await pair.B.RoutesAsync(RouteSelection.Filtered)).Contains(Ours));
        var rules = new List<string?>();
        await foreach (var batch in pair.B.View.Routes(new(RouteSelection.Filtered), default))
            rules.AddRange(batch.Select(route => route.Rule));
        Assert.Equal(["reject"], rules);
        var candidate = Assert.Single((await pair.B.View.ExplainAsync(Prefix.Parse(Ours), default)).Candidates);
        Assert.Equal(("reject", "rejected on import"), (candidate.ImportRule, candidate.Route.Reason));
        var step = Assert.Single(candidate.Way);
        Assert.Equal(("10.0.0.200", "10.0.0.0/24", "kernel (kernel)", true), ($"{step.Address}", $"{step.Over}", step.By, step.Leads));
    }

    private static async Task<int> CandidatesAsync(TestSpeaker speaker) =>
        (await speaker.View.ExplainAsync(Prefix.Parse(Theirs), default)).Candidates.Length;

    private static async Task<(RouteExplanation, List<string>)> ExplainAsync(TestSpeaker speaker, string prefix)
    {
        var view = DispatchProxy.Create<ISpeaker, CountingView>();
        var counting = (CountingView)view;
        counting.Of = speaker.View;
        return (await new Explaining(speaker.Loop, view).RouteAsync(Prefix.Parse(prefix), default), counting.Readings);
    }

    private static Address ThirdOf(Address first) => Address.Parse($"{first.ToString()[..^2]}.3");

    private static SpeakerConfig WithThird(SpeakerConfig a)
    {
        var b = a.Peers[0];
        var session = b.Session with { Name = "c", Index = 0, PeerAddress = ThirdOf(a.Listen[0]), PeerAs = new(65003) };
        return a with { Peers = [b, b with { Session = session }] };
    }

    private static SpeakerConfig Third(Pair pair)
    {
        var (own, b) = (ThirdOf(pair.ConfigA.Listen[0]), pair.ConfigB);
        var session = b.Peers[0].Session with { SourceAddress = own, LocalAs = new(65003), RouterId = new(own.IPv4Bits) };
        return b with { RouterId = new(own.IPv4Bits), As = new(65003), Listen = [own], Peers = [b.Peers[0] with { Session = session }] };
    }
}

/// <summary>Hands everything on, and remembers which tables were read.</summary>
public class CountingView : DispatchProxy
{
    public ISpeaker Of { get; set; } = null!;
    public List<string> Readings { get; } = [];

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (args is [RouteQuery query, ..]) Readings.Add($"{query.Selection}");
        else if (targetMethod!.Name == nameof(ISpeaker.KernelRoutes)) Readings.Add("kernel");
        return targetMethod!.Invoke(Of, args);
    }
}
