using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>Draining (RFC 8326): last choice, withdrawn, down, in this order, and down it stays.</summary>
public class DrainTests
{
    private const string Four = "203.0.113.0/24", Theirs = "198.51.100.0/24";
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    private static async Task<Pair> UpAsync()
    {
        var pair = await new Pair(config => config.Routes(Four), config => config.Routes(Theirs)).UpAsync();
        await Until.TrueAsync(async () => await RouteAsync(pair.B, Four) != null && await RouteAsync(pair.A, Theirs) != null);
        return pair;
    }

    private static async Task<RouteView?> RouteAsync(TestSpeaker of, string prefix)
    {
        await foreach (var batch in of.View.Routes(new(RouteSelection.Primary, Prefix: Prefix.Parse(prefix)), default))
            foreach (var route in batch) return route;
        return null;
    }

    private static async Task<bool> IsLastChoiceAsync(TestSpeaker of, string prefix) =>
        await RouteAsync(of, prefix) is { } route && route.Summary.Has(AttributeMarks.HasLocalPref) && route.Summary.LocalPref == 0;

    private static DrainStatus? DrainOf(Pair pair) => pair.A.View.Protocols.Single(protocol => protocol.Name == "b").Drain;

    [Fact]
    public async Task While_it_waits_routes_are_the_last_choice_at_both_ends_and_stay()
    {
        await using var pair = await UpAsync();
        Assert.Equal("b", Assert.Single(await pair.A.Loop.DrainAsync("b", Long, "new cables")));
        await Until.TrueAsync("theirs", () => IsLastChoiceAsync(pair.A, Theirs));
        await Until.TrueAsync("ours", () => IsLastChoiceAsync(pair.B, Four));
        Assert.True((await RouteAsync(pair.B, Four))!.Summary.Has(AttributeMarks.GracefulShutdown));
        Assert.Equal((DrainStage.Announced, "new cables"), (DrainOf(pair)!.Stage, DrainOf(pair)!.Reason));
        var explained = await pair.B.View.ExplainAsync(Prefix.Parse(Four), default);
        Assert.Contains("graceful shutdown, RFC 8326", Assert.Single(explained.Candidates).ImportRule);
        Assert.Empty(await pair.A.Loop.DrainAsync("b", Long, "again"));

        Assert.Equal("b", Assert.Single(await pair.A.Loop.UndrainAsync("b")));
        await Until.TrueAsync("theirs again", async () => !await IsLastChoiceAsync(pair.A, Theirs));
        await Until.TrueAsync("ours again", async () => !await IsLastChoiceAsync(pair.B, Four));
        Assert.Equal(1, pair.A.Session("b").EstablishedTransitions);
    }

    [Fact]
    public async Task A_cordoned_node_is_drained_until_it_is_not_cordoned_any_more()
    {
        await using var pair = await UpAsync();
        var cordoned = pair.ConfigA with { IsDrained = true };
        Assert.Equal(
            "router.drainOnCordon: the node is cordoned; all sessions are drained",
            Assert.Single(await pair.A.Loop.ConfigureAsync(cordoned)));
        await Until.TrueAsync("ours", () => IsLastChoiceAsync(pair.B, Four));
        Assert.Equal((DrainStage.Announced, "the node is cordoned"), (DrainOf(pair)!.Stage, DrainOf(pair)!.Reason));
        await pair.A.Loop.ConfigureAsync(cordoned with { Peers = [.. cordoned.Peers, pair.Absent("later")] });
        Assert.False(pair.A.Session("later").Enabled);

        await pair.A.Loop.ConfigureAsync(pair.ConfigA with { Peers = [.. cordoned.Peers, pair.Absent("later")] });
        Assert.Null(DrainOf(pair));
        await Until.TrueAsync("the later one", () => pair.A.Session("later").Enabled);
        await Until.TrueAsync("ours again", async () => !await IsLastChoiceAsync(pair.B, Four));
        Assert.Equal(1, pair.A.Session("b").EstablishedTransitions);
    }

    [Fact]
    public async Task Whom_the_operator_drained_stays_so_when_the_node_is_not_cordoned_any_more()
    {
        await using var pair = await UpAsync();
        await pair.A.Loop.ConfigureAsync(pair.ConfigA with { IsDrained = true });
        Assert.Empty(await pair.A.Loop.DrainAsync("b", Long, "new cables"));
        await pair.A.Loop.ConfigureAsync(pair.ConfigA);
        Assert.NotNull(DrainOf(pair));
        Assert.Equal("b", Assert.Single(await pair.A.Loop.UndrainAsync("b")));
    }

    [Fact]
    public async Task A_daemon_that_starts_on_a_cordoned_node_has_no_session_before_that_ends()
    {
        await using var pair = new Pair(config => config.Routes(Four) with { IsDrained = true }, config => config.Routes(Theirs));
        await pair.B.Loop.StartAsync();
        await pair.A.Loop.StartAsync();
        Assert.Equal((DrainStage.Down, false), (DrainOf(pair)!.Stage, pair.A.Session("b").Enabled));
        await pair.A.Loop.ConfigureAsync(pair.ConfigA with { IsDrained = false });
        await Until.TrueAsync("up", () => pair.A.Session("b").Phase == Phase.Established);
    }

    [Fact]
    public async Task Then_all_is_withdrawn_and_the_session_ends_with_the_reason_and_stays_down_until_undrained()
    {
        await using var pair = await UpAsync();
        await pair.A.Loop.DrainAsync(null, TimeSpan.Zero, "new cables");
        await Until.TrueAsync("down", () => DrainOf(pair)!.Stage == DrainStage.Down && !pair.A.Session("b").Enabled);
        await Until.TrueAsync("they know why", () => pair.B.Session("a").Faults.Received?.Notification?.Text == "new cables");
        Assert.Null(await RouteAsync(pair.B, Four));

        // Another setting makes the session anew, another peer is one that comes later: neither comes up.
        var config = pair.ConfigA.Peer(peer => peer with { Session = peer.Session with { HoldTime = TimeSpan.FromSeconds(30) } });
        await pair.A.Loop.ConfigureAsync(config with { Peers = [.. config.Peers, pair.Absent("later")] });
        Assert.Equal((30.0, false), (pair.A.Session("b").Settings.HoldTime.TotalSeconds, pair.A.Session("b").Enabled));
        Assert.False(pair.A.Session("later").Enabled);
        pair.A.View.Enable("b");
        Assert.Equal(["b", "later"], (await pair.A.Loop.UndrainAsync(null)).Order());
        await Until.TrueAsync("up again", () => pair.A.Session("b").Phase == Phase.Established);
        await Until.TrueAsync(async () => await RouteAsync(pair.B, Four) != null && !await IsLastChoiceAsync(pair.B, Four));
        Assert.True(pair.A.Session("later").Enabled);
    }

    [Fact]
    public async Task A_peer_that_the_operator_had_disabled_is_so_after_a_drain_too()
    {
        await using var pair = await UpAsync();
        pair.A.View.Disable("b", null);
        await Until.TrueAsync(() => !pair.A.Session("b").Enabled);
        await pair.A.Loop.DrainAsync(null, TimeSpan.Zero, null);
        await pair.A.Loop.UndrainAsync(null);
        await pair.A.Loop.ConfigureAsync(pair.ConfigA);
        Assert.False(pair.A.Session("b").Enabled);
        Assert.Null(DrainOf(pair));
    }

    [Fact]
    public async Task A_peer_that_is_down_is_drained_at_once()
    {
        await using var pair = new Pair();
        await pair.A.Loop.StartAsync();
        await pair.A.Loop.DrainAsync("b", Long, null);
        await Until.TrueAsync(() => DrainOf(pair)!.Stage == DrainStage.Down && !pair.A.Session("b").Enabled);
        Assert.Contains("drained", pair.A.View.Protocols.Single(protocol => protocol.Name == "b").Message);
    }
}
