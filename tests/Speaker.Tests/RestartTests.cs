using Calico.Bgp.Bfd;
using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>One of two speakers goes without a word and comes back, or does not.</summary>
public class RestartTests
{
    private static Func<SpeakerConfig, SpeakerConfig> Restarting(double seconds, params string[] routes) => config => config
        .Routes(routes)
        .Peer(peer => peer with { Session = peer.Session with { GracefulRestartTime = TimeSpan.FromSeconds(seconds) } });

    private static Task HasAsync(TestSpeaker speaker, string routes) => Until.TrueAsync(async () => await speaker.LearnedAsync() == routes);

    private static IReadOnlyList<KeptStatus> KeptBy(TestSpeaker speaker, string peer) =>
        speaker.View.Protocols.Single(protocol => protocol.Name == peer).Kept;

    /// <summary>Conformance G01.</summary>
    [Fact]
    public async Task A_restarted_neighbours_routes_stay_stale_and_those_that_it_no_longer_has_go_with_its_End_of_RIB()
    {
        await using var pair = await new Pair(Restarting(60, "192.0.2.0/24", "198.51.100.0/24")).UpAsync();
        await HasAsync(pair.B, "192.0.2.0/24, 198.51.100.0/24");
        await pair.A.DisposeAsync();
        await HasAsync(pair.B, "192.0.2.0/24 stale, 198.51.100.0/24 stale");
        await Until.TrueAsync(() => KeptBy(pair.B, "a").Count == 2 && pair.B.Kernel.Holds.Count == 2);
        var explained = Assert.Single((await pair.B.View.ExplainAsync(Prefix.Parse("192.0.2.0/24"), default)).Candidates);
        Assert.InRange(explained.Route.Left!.Value.TotalSeconds, 1, 60);
        Assert.Matches("stale for ([1-9]s|[1-5][0-9]s|1m) yet", explained.ImportRule);

        await using var again = new TestSpeaker(pair.ConfigA.Routes("192.0.2.0/24"), hasOldRoutes: true);
        await again.Loop.StartAsync();
        await HasAsync(pair.B, "192.0.2.0/24");
        await Until.TrueAsync(() => KeptBy(pair.B, "a").Count == 0 && pair.B.Kernel.Holds.Count == 1);
    }

    [Fact]
    public async Task One_that_began_with_nothing_has_preserved_nothing()
    {
        await using var pair = await new Pair(Restarting(60, "192.0.2.0/24")).UpAsync();
        await HasAsync(pair.B, "192.0.2.0/24");
        await pair.A.DisposeAsync();
        await HasAsync(pair.B, "192.0.2.0/24 stale");
        await using var again = new TestSpeaker(pair.ConfigA.Routes());
        await again.Loop.StartAsync();
        await Until.TrueAsync(() => pair.B.Session("a").Phase == Phase.Established);
        Assert.Equal("", await pair.B.LearnedAsync());
    }

    [Fact]
    public async Task One_that_does_not_come_back_loses_its_routes()
    {
        await using var pair = await new Pair(Restarting(1, "192.0.2.0/24")).UpAsync();
        await HasAsync(pair.B, "192.0.2.0/24");
        // Looked for while it goes: they do not stay for long.
        var going = pair.A.DisposeAsync();
        await HasAsync(pair.B, "192.0.2.0/24 stale");
        await going;
        await HasAsync(pair.B, "");
        await Until.TrueAsync(() => pair.B.Kernel.Holds.IsEmpty);
    }

    /// <summary>RFC 5882 section 4.3: BFD that ends with what restarts is silent meanwhile, and other BFD has lost the way.</summary>
    [Theory]
    [InlineData(false, "192.0.2.0/24 stale")]
    [InlineData(true, "")]
    public async Task A_neighbour_that_bfd_loses_while_it_restarts_keeps_its_routes_unless_its_bfd_outlives_it(
        bool isIndependent, string left)
    {
        var bfd = new FakeBfd();
        SpeakerConfig Watching(SpeakerConfig config) => config.Peer(peer => peer with { Bfd = new(BfdTimes.Default) });
        await using var pair = await new Pair(Restarting(60, "192.0.2.0/24"), Watching, bfdOfB: bfd).UpAsync();
        pair.B.Kernel.Become(BfdWatchTests.Beside(pair.ConfigB.Listen[0]));
        await Until.TrueAsync(() => bfd.Wanted.Length == 1);
        bfd.Become(BfdState.Up);
        await HasAsync(pair.B, "192.0.2.0/24");
        await pair.A.DisposeAsync();
        await HasAsync(pair.B, "192.0.2.0/24 stale");
        await Until.TrueAsync(() => KeptBy(pair.B, "a").Count == 2);
        bfd.Become(BfdState.Down, new("silence", DateTimeOffset.UnixEpoch), isIndependent);
        await pair.B.Loop.ConfigureAsync(pair.ConfigB with { HostName = "a further question has been answered" });
        await HasAsync(pair.B, left);
    }

    /// <summary>Conformance G05, all of it in one story.</summary>
    [Fact]
    public async Task Where_it_asks_for_longer_they_are_the_last_resort_until_then()
    {
        await using var pair = await new Pair(config => Restarting(0.5, "192.0.2.0/24")(config)
            .Peer(peer => peer with { Session = peer.Session with { LongLivedStaleTime = TimeSpan.FromSeconds(2) } })).UpAsync();
        await HasAsync(pair.B, "192.0.2.0/24");
        var going = pair.A.DisposeAsync();
        await Until.TrueAsync(() => KeptBy(pair.B, "a") is [{ IsLong: true }, { IsLong: true }]);
        await HasAsync(pair.B, "192.0.2.0/24 stale");
        await going;
        await HasAsync(pair.B, "");
    }

    [Theory]
    [InlineData(StopMode.Shutdown)]
    [InlineData(null)]
    public async Task One_that_says_that_it_goes_takes_its_routes_along(StopMode? mode)
    {
        // Without a word from the configuration those alone are left to wait who do so.
        var pair = await new Pair(config => Restarting(mode == null ? 0 : 60, "192.0.2.0/24")(config) with { OnStop = mode }).UpAsync();
        await using var ends = pair;
        await HasAsync(pair.B, "192.0.2.0/24");
        await pair.A.DisposeAsync();
        await HasAsync(pair.B, "");
        Assert.Equal("Hard reset: Administrative shutdown", pair.B.Session("a").Faults.Received?.Text);
    }

    /// <summary>birdc's <c>graceful restart</c>.</summary>
    [Fact]
    public async Task One_that_is_told_to_restart_leaves_its_routes_whatever_the_configuration_says()
    {
        var pair = await new Pair(config => Restarting(60, "192.0.2.0/24")(config) with { OnStop = StopMode.Shutdown }).UpAsync();
        await using var ends = pair;
        await HasAsync(pair.B, "192.0.2.0/24");
        pair.A.Loop.LeaveForRestart();
        await pair.A.DisposeAsync();
        await HasAsync(pair.B, "192.0.2.0/24 stale");
    }

    [Fact]
    public async Task An_operators_reset_keeps_the_routes_and_a_disabled_peers_go()
    {
        await using var pair = await new Pair(Restarting(60, "192.0.2.0/24"), Restarting(60, "203.0.113.0/24")).UpAsync();
        await HasAsync(pair.B, "192.0.2.0/24");
        await HasAsync(pair.A, "203.0.113.0/24");
        // The kernel is told behind the table.
        await Until.TrueAsync(() => pair.A.Kernel.Holds.ContainsKey(Prefix.Parse("203.0.113.0/24")));
        var told = pair.A.Kernel.Wishes.Count;
        pair.B.View.Restart("a", null);
        await Until.TrueAsync(() => pair.B.Session("a") is { EstablishedTransitions: 2 });
        await HasAsync(pair.A, "203.0.113.0/24");
        await Until.TrueAsync(() => KeptBy(pair.A, "b").Count == 0);
        Assert.Equal(told, pair.A.Kernel.Wishes.Count);
        pair.B.View.Disable("a", null);
        await HasAsync(pair.A, "");
        await HasAsync(pair.B, "");
    }

    [Fact]
    public async Task A_peer_that_is_removed_while_it_restarts_takes_its_routes_along()
    {
        await using var pair = await new Pair(Restarting(60, "192.0.2.0/24")).UpAsync();
        await HasAsync(pair.B, "192.0.2.0/24");
        await pair.A.DisposeAsync();
        await HasAsync(pair.B, "192.0.2.0/24 stale");
        // Other settings of its session are no reason.
        var other = pair.ConfigB.Peer(peer => peer with { Session = peer.Session with { HoldTime = TimeSpan.FromSeconds(30) } });
        await pair.B.Loop.ConfigureAsync(other);
        Assert.Equal("192.0.2.0/24 stale", await pair.B.LearnedAsync());
        Assert.Equal(2, KeptBy(pair.B, "a").Count);
        await pair.B.Loop.ConfigureAsync(pair.ConfigB with { Peers = [] });
        await HasAsync(pair.B, "");
    }

    /// <summary>Conformance G04.</summary>
    [Fact]
    public async Task After_our_own_restart_peers_routes_wait_for_all_that_promised_an_end_and_own_routes_do_not()
    {
        await using var pair = new Pair(
            config => Restarting(60, "203.0.113.0/24")(config) with { Peers = [.. Restarting(60)(config).Peers, Silent(config)] },
            Restarting(60, "192.0.2.0/24"), oldRoutesOfA: true);
        await pair.UpAsync();
        await HasAsync(pair.B, "203.0.113.0/24");
        await HasAsync(pair.A, "192.0.2.0/24");
        Assert.Equal(FamilySet.Both, pair.A.View.Router.Recovery!.Families);
        Assert.False(pair.A.Kernel.Holds.ContainsKey(Prefix.Parse("192.0.2.0/24")) || pair.A.View.Ready);
        Assert.True(pair.B.Session("a").Negotiated!.Received.Capabilities.GracefulRestart is { Restarting: true, Families: [var row, _] }
            && row.ForwardingPreserved);

        pair.A.View.Disable("silent", null);
        await Until.TrueAsync(() => pair.A.Kernel.Holds.ContainsKey(Prefix.Parse("192.0.2.0/24")) && pair.A.View.Ready);
        Assert.Null(pair.A.View.Router.Recovery);
    }

    [Fact]
    public async Task A_peer_whose_node_does_not_work_is_not_waited_for_and_may_come()
    {
        await using var pair = new Pair(
            config => Restarting(60)(config) with { Peers = [.. Restarting(60)(config).Peers, Silent(config)], Absent = ["silent", "b"] },
            Restarting(60, "192.0.2.0/24"), oldRoutesOfA: true);
        await pair.UpAsync();
        await Until.TrueAsync(() => pair.A.Kernel.Holds.ContainsKey(Prefix.Parse("192.0.2.0/24")) && pair.A.View.Ready);
        Assert.Null(pair.A.View.Router.Recovery);
        // Nor is that a change of anything that the operator has configured.
        Assert.Empty(await pair.A.Loop.ConfigureAsync(pair.A.Loop.Config with { Absent = [] }));
    }

    /// <summary>Nobody knows who is yet to call from a range; who has called is waited for as any peer.</summary>
    [Fact]
    public async Task After_our_own_restart_neighbours_of_a_range_have_ten_seconds_to_call()
    {
        await using var pair = new Pair(changeB: config => config.Routes("192.0.2.0/24").Peer(peer => peer with
        {
            Session = peer.Session with { Passive = false, HoldTime = TimeSpan.Zero },
        }));
        var known = pair.ConfigA.Peers[0];
        var each = known with { Session = known.Session with { Name = "dyn", Passive = true, HoldTime = TimeSpan.Zero } };
        var time = new ManualTimeProvider();
        await using var ranged = new TestSpeaker(
            pair.ConfigA with { Peers = [], Ranges = [new(new(known.Session.PeerAddress, 32), 1, each)], Deferral = TimeSpan.FromDays(30) },
            time, hasOldRoutes: true);
        await ranged.Loop.StartAsync();
        await pair.B.Loop.StartAsync();
        await HasAsync(ranged, "192.0.2.0/24");
        Assert.Equal(FamilySet.Both, ranged.View.Router.Recovery!.Families);
        await Until.TrueAsync(() => ranged.View.Router.Recovery!.Waits == 2);
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return ranged.Kernel.Holds.ContainsKey(Prefix.Parse("192.0.2.0/24"));
        });
        Assert.Null(ranged.View.Router.Recovery);
        Assert.True(time.GetUtcNow() - DateTimeOffset.UnixEpoch >= TimeSpan.FromSeconds(10));
    }

    private static PeerConfig Silent(SpeakerConfig config) => config.Peers[0] with
    {
        Session = config.Peers[0].Session with
        {
            Name = "silent",
            PeerAddress = Address.Parse("127.77.0.99"),
            Passive = true,
            GracefulRestartTime = TimeSpan.Zero,
        },
    };

    /// <summary>All else has come by then: its routes would be missing from what peers are told is all.</summary>
    [Fact]
    public async Task A_producer_who_is_awaited_holds_up_the_end_until_it_has_spoken()
    {
        await using var pair = new Pair(Restarting(60), Restarting(60, "192.0.2.0/24"), oldRoutesOfA: true);
        var producer = pair.A.Loop.Producer("egress");
        pair.A.Loop.Await(producer);
        await pair.UpAsync();
        await Until.TrueAsync(() => pair.A.View.Router.Recovery is { Waits: 1 });
        await producer.SetAsync([new(Prefix.Parse("10.10.10.0/32"), true)]);
        await Until.TrueAsync(() => pair.A.View.Router.Recovery == null);
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync(RouteSelection.All)).Count == 2);
    }

    [Fact]
    public async Task The_wait_has_an_end()
    {
        await using var pair = new Pair(
            config => Restarting(60)(config) with
            {
                Peers = [.. Restarting(60)(config).Peers, Silent(config)],
                Deferral = TimeSpan.FromSeconds(3),
            },
            Restarting(60, "192.0.2.0/24"), oldRoutesOfA: true);
        await pair.UpAsync();
        await Until.TrueAsync(() => pair.A.Kernel.Holds.ContainsKey(Prefix.Parse("192.0.2.0/24")));
        Assert.False(pair.A.View.Ready);
    }
}
