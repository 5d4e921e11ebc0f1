using System.Collections.Immutable;
using System.Net.Sockets;
using Calico.Bgp.Bfd;
using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker.Handover;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>A speaker's sessions go over into another one, and their neighbour notices nothing; or they do not, and nobody does
/// either.</summary>
public class HandoverTests
{
    private static readonly TimeSpan Long = Between.Patience;

    private static List<object> Ended => Between.Ended;

    private static async Task TakeOverAsync(TestSpeaker heir, Between between)
    {
        await between.Offered;
        await heir.Loop.StartAsync(between);
        await heir.Loop.TakeOverAsync(between);
    }

    private static async Task<Pair> WithRoutesAsync()
    {
        var pair = await new Pair(
            config => config.Routes("192.0.2.0/24", "198.51.100.0/24"), config => config.Routes("203.0.113.0/24")).UpAsync();
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync(RouteSelection.All)).Count == 3);
        await Until.TrueAsync(async () => (await pair.A.RoutesAsync(RouteSelection.All)).Count == 3);
        // End-of-RIB of both families is an UPDATE, too, and comes behind the routes.
        await Until.RestsAsync("what B has heard", () => Task.FromResult(SeenBy(pair.B)), TimeSpan.FromMilliseconds(200));
        return pair;
    }

    private static (int Ups, DateTimeOffset Since, long Updates) SeenBy(TestSpeaker speaker)
    {
        var session = speaker.Session("a");
        return (session.EstablishedTransitions, session.Since, session.Counters.In.Updates);
    }

    [Fact]
    public async Task What_a_producer_has_announced_stays_until_it_speaks_in_the_new_process()
    {
        var pair = await WithRoutesAsync();
        ImmutableArray<RouteMove> all = [new(Prefix.Parse("10.10.10.0/32"), true), new(Prefix.Parse("2001:db8::1/128"), true)];
        await pair.A.Loop.Producer("egress").SetAsync(all);
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync(RouteSelection.All)).Count == 5);
        await Until.RestsAsync("what B has heard", () => Task.FromResult(SeenBy(pair.B)), TimeSpan.FromMilliseconds(200));
        var (before, keepalives) = (SeenBy(pair.B), pair.B.Session("a").Counters.In.Keepalives);
        Ended.Add(pair);
        var heir = new TestSpeaker(pair.ConfigA);
        heir.Loop.Await(heir.Loop.Producer("egress"));
        var between = new Between();
        var taking = TakeOverAsync(heir, between);
        Assert.Null(await pair.A.Loop.HandOverAsync(between, Long).WaitAsync(Long));
        await taking.WaitAsync(Long);
        await heir.Loop.Producer("egress").SetAsync(all);
        await Until.TrueAsync(() => pair.B.Session("a").Counters.In.Keepalives > keepalives);
        Assert.Equal(before, SeenBy(pair.B));
        await heir.Loop.Producer("egress").SetAsync([]);
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync(RouteSelection.All)).Count == 3);
    }

    [Fact]
    public async Task The_neighbour_sees_one_session_and_no_message_but_keepalives_and_all_goes_on()
    {
        var pair = await WithRoutesAsync();
        var (before, keepalives) = (SeenBy(pair.B), pair.B.Session("a").Counters.In.Keepalives);
        // Whoever has handed over stands still, and answers nobody any more.
        var routes = await pair.A.RoutesAsync(RouteSelection.All);
        Ended.Add(pair);
        var heir = new TestSpeaker(pair.ConfigA);
        var between = new Between();
        var taking = TakeOverAsync(heir, between);
        Assert.Null(await pair.A.Loop.HandOverAsync(between, Long).WaitAsync(Long));
        await taking.WaitAsync(Long);
        Assert.Equal(pair.A.Session("b").Since, heir.Session("b").Since);
        await Until.TrueAsync(() => pair.B.Session("a").Counters.In.Keepalives > keepalives);
        Assert.Equal(before, SeenBy(pair.B));
        Assert.Equal(routes, await heir.RoutesAsync(RouteSelection.All));

        await heir.Loop.ConfigureAsync(pair.ConfigA.Routes("192.0.2.0/24", "100.64.0.0/10"));
        await Until.TrueAsync(async () => string.Join(' ', await pair.B.RoutesAsync(RouteSelection.All))
            == "100.64.0.0/10 192.0.2.0/24 203.0.113.0/24");
        await pair.B.Loop.ConfigureAsync(pair.ConfigB.Routes());
        await Until.TrueAsync(async () => (await heir.RoutesAsync(RouteSelection.All)).Count == 2);
        Assert.Equal((1, before.Since), (SeenBy(pair.B).Ups, SeenBy(pair.B).Since));
        await heir.DisposeAsync();
        await pair.B.DisposeAsync();
    }

    [Fact]
    public async Task What_the_neighbour_says_meanwhile_is_heard_once()
    {
        var pair = await WithRoutesAsync();
        Ended.Add(pair);
        var heir = new TestSpeaker(pair.ConfigA);
        var between = new Between();
        var handing = pair.A.Loop.HandOverAsync(between, Long);
        await between.Offered;
        // It waits in TCP, and in what was lifted from the socket already.
        await pair.B.Loop.ConfigureAsync(pair.ConfigB.Routes("203.0.113.0/24", "100.64.0.0/10", "198.18.0.0/15"));
        await TakeOverAsync(heir, between);
        Assert.Null(await handing.WaitAsync(Long));
        await Until.TrueAsync(async () => (await heir.RoutesAsync(RouteSelection.All)).Count == 5);
        await heir.DisposeAsync();
        await pair.B.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_the_other_does_not_take_them_they_go_on_as_if_nobody_had_asked(bool diesAtOnce)
    {
        await using var pair = await WithRoutesAsync();
        var before = SeenBy(pair.B);
        var between = new Between();
        var handing = pair.A.Loop.HandOverAsync(between, diesAtOnce ? Long : TimeSpan.FromSeconds(3));
        await between.Offered;
        await pair.B.Loop.ConfigureAsync(pair.ConfigB.Routes("203.0.113.0/24", "198.18.0.0/15"));
        if (diesAtOnce) between.End();
        Assert.Equal(diesAtOnce ? "it has died" : "the new process had not taken over within 3s", await handing.WaitAsync(Long));
        Assert.True(between.HasEnded);
        await Until.TrueAsync(async () => (await pair.A.RoutesAsync(RouteSelection.All)).Count == 4);
        await pair.A.Loop.ConfigureAsync(pair.ConfigA.Routes("192.0.2.0/24"));
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync(RouteSelection.All)).Count == 3);
        Assert.Equal((before.Ups, before.Since), (SeenBy(pair.B).Ups, SeenBy(pair.B).Since));

        // Whoever is next may have them.
        Ended.Add(pair.A);
        await using var heir = new TestSpeaker(pair.ConfigA.Routes("192.0.2.0/24"));
        between = new Between();
        var taking = TakeOverAsync(heir, between);
        Assert.Null(await pair.A.Loop.HandOverAsync(between, Long).WaitAsync(Long));
        await taking.WaitAsync(Long);
        Assert.Equal((before.Ups, before.Since), (SeenBy(pair.B).Ups, SeenBy(pair.B).Since));
    }

    /// <summary>It waits in TCP, as its peer hands over itself, with a small window.</summary>
    [Fact]
    public async Task A_peer_that_reads_nothing_is_named_by_who_waits_for_it_in_vain()
    {
        await using var pair = await WithRoutesAsync();
        var (still, between) = (new Between(), new Between());
        var standing = pair.B.Loop.HandOverAsync(still, 15 * Long);
        await still.Offered;
        foreach (var socket in still.Sockets.Skip(still.State.Listeners)) socket.ReceiveBufferSize = 4096;
        // Some octets more than the kernel keeps for anybody.
        var said = Enumerable.Range(0, 250).Select(n => new LargeCommunity(64512, (uint)n, 0)).ToArray();
        for (var n = 0u; n < 2000; n++)
        {
            var lease = new RouteLease($"p{n % 8}", new(Address.FromIPv4(0x0b000000 + (n << 8)), 24), null,
                new() { Med = n, LargeCommunities = [.. said] });
            Assert.Null(await pair.A.Loop.AnnounceAsync(lease));
        }
        var handing = pair.A.Loop.HandOverAsync(between, Long / 2);
        await between.Offered;
        _ = between.RestoredAsync(CancellationToken.None);
        Assert.Matches(
            "^the new process had not taken over within 10s: b does not read what is sent to it, and [0-9]+ octets wait for it: disable it",
            await handing.WaitAsync(Long));
        still.End();
        Assert.Equal("it has died", await standing.WaitAsync(Long));
    }

    [Fact]
    public async Task A_peer_that_the_new_process_does_not_know_is_a_reason_to_refuse()
    {
        await using var pair = await WithRoutesAsync();
        var before = SeenBy(pair.B);
        await using var heir = new TestSpeaker(pair.ConfigA with { Peers = [] });
        var between = new Between();
        var handing = pair.A.Loop.HandOverAsync(between, Long);
        var refused = await Assert.ThrowsAsync<HandoverException>(() => TakeOverAsync(heir, between));
        Assert.Contains("no peer b", refused.Message, StringComparison.Ordinal);
        between.End();
        Assert.Equal("it has died", await handing);
        Assert.Equal(before, SeenBy(pair.B));
    }

    [Fact]
    public async Task Settings_by_which_the_OPENs_come_to_nothing_are_a_reason_to_refuse()
    {
        await using var pair = await WithRoutesAsync();
        await using var heir = new TestSpeaker(
            pair.ConfigA.Peer(peer => peer with { Session = peer.Session with { PeerAs = new(65099) } }));
        var between = new Between();
        var handing = pair.A.Loop.HandOverAsync(between, Long);
        var refused = await Assert.ThrowsAsync<HandoverException>(() => TakeOverAsync(heir, between));
        Assert.Contains("expected AS 65099, peer says AS 65002", refused.Message, StringComparison.Ordinal);
        between.End();
        await handing;
        Assert.Equal(1, SeenBy(pair.B).Ups);
    }

    private static SpeakerConfig Restarting(SpeakerConfig config, double seconds, double longSeconds = 0) => config.Peer(peer => peer with
    {
        Session = peer.Session with
        {
            GracefulRestartTime = TimeSpan.FromSeconds(seconds),
            LongLivedStaleTime = longSeconds > 0 ? TimeSpan.FromSeconds(longSeconds) : null,
        },
    });

    private static IReadOnlyList<KeptStatus> KeptBy(TestSpeaker speaker) =>
        speaker.View.Protocols.Single(protocol => protocol.Name == "b").Kept;

    private static async Task<TestSpeaker> HeirAsync(Pair pair, SpeakerConfig? config = null)
    {
        Ended.Add(pair);
        var heir = new TestSpeaker(config ?? pair.ConfigA);
        var between = new Between();
        var taking = TakeOverAsync(heir, between);
        Assert.Null(await pair.A.Loop.HandOverAsync(between, Long).WaitAsync(Long));
        await taking.WaitAsync(Long);
        return heir;
    }

    /// <summary>RFC 4724, and RFC 9494: what is the last resort stays so.</summary>
    [Theory]
    [InlineData(3600, 0)]
    [InlineData(0.1, 3600)]
    public async Task Routes_that_a_lost_neighbour_left_stay_as_long_as_they_would_have(double seconds, double longSeconds)
    {
        var pair = await new Pair(
            config => config.Routes("192.0.2.0/24"),
            config => Restarting(config.Routes("203.0.113.0/24", "198.18.0.0/15"), seconds, longSeconds)).UpAsync();
        await Until.TrueAsync(async () => await pair.A.LearnedAsync() == "198.18.0.0/15, 203.0.113.0/24");
        await pair.B.DisposeAsync();
        await Until.TrueAsync(async () => await pair.A.LearnedAsync() == "198.18.0.0/15 stale, 203.0.113.0/24 stale");
        await Until.TrueAsync(() => KeptBy(pair.A) is [{ } one, { } other] && one.IsLong == longSeconds > 0 && other.IsLong == one.IsLong);
        var kept = KeptBy(pair.A);
        await using var heir = await HeirAsync(pair);
        var now = KeptBy(heir);
        Assert.Equal(kept.Select(one => (one.Family, one.IsLong)), now.Select(one => (one.Family, one.IsLong)));
        // The time has not begun anew.
        Assert.All(now.Zip(kept), both => Assert.True(both.First.Left < both.Second.Left, $"{both.First.Left} of {both.Second.Left}"));
        Assert.Equal("198.18.0.0/15 stale, 203.0.113.0/24 stale", await heir.LearnedAsync());

        // It is back, and has one of them still.
        await using var again = new TestSpeaker(
            Restarting(pair.ConfigB.Routes("203.0.113.0/24"), seconds, longSeconds), hasOldRoutes: true);
        await again.Loop.StartAsync();
        await Until.TrueAsync(async () => await heir.LearnedAsync() == "203.0.113.0/24");
        await Until.TrueAsync(() => KeptBy(heir).Count == 0);
    }

    [Fact]
    public async Task Routes_that_a_lost_neighbour_left_go_when_it_does_not_come_back_to_the_new_process_either()
    {
        var pair = await new Pair(null, config => Restarting(config.Routes("203.0.113.0/24"), 3)).UpAsync();
        await Until.TrueAsync(async () => await pair.A.LearnedAsync() == "203.0.113.0/24");
        // Looked for while it goes: they do not stay for long.
        var going = pair.B.DisposeAsync();
        await Until.TrueAsync(() => KeptBy(pair.A).Count == 2);
        await going;
        await using var heir = await HeirAsync(pair);
        await Until.TrueAsync(async () => await heir.LearnedAsync() == "");
        Assert.Empty(KeptBy(heir));
    }

    private static DrainStatus? DrainOf(TestSpeaker speaker) => speaker.View.Protocols.Single(protocol => protocol.Name == "b").Drain;

    [Fact]
    public async Task A_drain_goes_on_where_it_was_and_the_neighbour_is_told_nothing_twice()
    {
        var pair = await WithRoutesAsync();
        await pair.A.Loop.DrainAsync("b", TimeSpan.FromHours(1), "new cables");
        await Until.TrueAsync(() => SeenBy(pair.B).Updates >= 4);
        await Until.TrueAsync(async () => await pair.B.LearnedAsync() == "192.0.2.0/24, 198.51.100.0/24");
        var (before, drain) = (SeenBy(pair.B), DrainOf(pair.A));
        await using var heir = await HeirAsync(pair);
        Assert.Equal(drain, DrainOf(heir));
        Assert.Equal((before.Ups, before.Since), (SeenBy(pair.B).Ups, SeenBy(pair.B).Since));
        Assert.Equal("b", Assert.Single(await heir.Loop.UndrainAsync("b")));
        await Until.TrueAsync(() => SeenBy(pair.B).Updates > before.Updates);
        Assert.Equal(1, SeenBy(pair.B).Ups);
        Ended.Add(pair.B);
        await pair.B.DisposeAsync();
    }

    [Fact]
    public async Task A_drain_that_is_almost_over_ends_in_the_new_process()
    {
        var pair = await WithRoutesAsync();
        await pair.A.Loop.DrainAsync("b", TimeSpan.FromSeconds(2), "new cables");
        await using var heir = await HeirAsync(pair);
        await Until.TrueAsync(() => DrainOf(heir) is { Stage: DrainStage.Down, Reason: "new cables" });
        await Until.TrueAsync(() => pair.B.Session("a").Phase != Phase.Established);
        Assert.Equal("Hard reset: Administrative shutdown: new cables", pair.B.Session("a").Faults.Received?.Text);
        await pair.B.DisposeAsync();
    }

    /// <summary>It would have come back for the rest of the drain, and the drain's end must find it as it was.</summary>
    [Fact]
    public async Task A_neighbour_that_restarts_while_it_is_drained_comes_back_to_the_new_process()
    {
        var pair = await new Pair(
            config => Restarting(config.Routes("192.0.2.0/24"), 3600),
            config => Restarting(config.Routes("203.0.113.0/24"), 3600)).UpAsync();
        await Until.TrueAsync(async () => await pair.A.LearnedAsync() == "203.0.113.0/24");
        await pair.A.Loop.DrainAsync("b", TimeSpan.FromHours(1), "new cables");
        await pair.B.DisposeAsync();
        await Until.TrueAsync(async () => await pair.A.LearnedAsync() == "203.0.113.0/24 stale");
        await Until.TrueAsync(() => KeptBy(pair.A).Count == 2);
        await using var heir = await HeirAsync(pair);
        Assert.Equal((DrainStage.Announced, true), (DrainOf(heir)!.Stage, heir.Session("b").Enabled));
        await using var again = new TestSpeaker(pair.ConfigB);
        await again.Loop.StartAsync();
        await Until.TrueAsync(() => heir.Session("b").Phase == Phase.Established);
        Assert.Equal("b", Assert.Single(await heir.Loop.UndrainAsync("b")));
        await Until.TrueAsync(async () => !await IsDrainedForAsync(again) && (await again.RoutesAsync()).Contains("192.0.2.0/24"));
        Assert.Equal(1, heir.Session("b").EstablishedTransitions);
    }

    /// <summary>The cordon's end has come while it stood still: nobody else would tell the new process.</summary>
    [Fact]
    public async Task A_node_that_is_not_cordoned_any_more_is_drained_no_more_by_the_new_process()
    {
        var pair = await WithRoutesAsync();
        await pair.A.Loop.ConfigureAsync(pair.ConfigA with { IsDrained = true });
        await Until.TrueAsync(() => IsDrainedForAsync(pair.B));
        await using var heir = await HeirAsync(pair);
        Assert.Null(DrainOf(heir));
        await Until.TrueAsync(async () => !await IsDrainedForAsync(pair.B));
        Assert.Equal(1, SeenBy(pair.B).Ups);
        await pair.B.DisposeAsync();
    }

    private static async Task<bool> IsDrainedForAsync(TestSpeaker neighbour)
    {
        await foreach (var batch in neighbour.View.Routes(new(RouteSelection.Primary, Prefix: Prefix.Parse("192.0.2.0/24")), default))
            foreach (var route in batch) return route.Summary.Has(AttributeMarks.GracefulShutdown);
        return false;
    }

    private static readonly BfdLoss Yesterday = new("10.0.0.2 was not heard for 150 ms", DateTimeOffset.UnixEpoch);

    private static HandedBfd Watched(BfdTarget target, BfdState state, BfdLoss? loss) => new()
    {
        Peer = target.Key.Peer.ToString(),
        Interface = target.Key.Interface,
        Multihop = target.Key.Multihop,
        State = state,
        RemoteState = state,
        Diagnostic = BfdDiagnostic.None,
        RemoteDiagnostic = BfdDiagnostic.None,
        LocalDiscriminator = 1,
        RemoteDiscriminator = 2,
        RemoteDesiredMinTx = 50_000,
        RemoteRequiredMinRx = 50_000,
        RemoteMultiplier = 3,
        RemoteDemands = false,
        RemoteIsIndependent = false,
        SendInForce = 50_000,
        ReceiveInForce = 50_000,
        Port = 50_000,
        Since = DateTimeOffset.UnixEpoch,
        Ups = 1,
        Losses = loss == null ? 0 : 1,
        LastLoss = loss,
    };

    private static async Task<Pair> WatchedByAsync(FakeBfd bfd)
    {
        var pair = await new Pair(config => config.Peer(peer => peer with { Bfd = new(BfdTimes.Default) }), bfdOfA: bfd).UpAsync();
        pair.A.Kernel.Become(BfdWatchTests.Beside(pair.ConfigA.Listen[0]));
        await Until.TrueAsync(() => bfd.Wanted.Length == 1);
        return pair;
    }

    /// <summary>Its thread does not stand still; what it lost before the session began is no news on the other side either.</summary>
    [Fact]
    public async Task What_bfd_watches_goes_over_at_the_last_moment_and_an_old_loss_is_no_new_one()
    {
        var (bfd, bfdOfHeir) = (new FakeBfd(), new FakeBfd());
        var pair = await WatchedByAsync(bfd);
        bfd.Become(BfdState.Up);
        bfd.Handed = [Watched(bfd.Wanted[0], BfdState.Up, Yesterday)];
        Ended.Add(pair);
        await using var heir = new TestSpeaker(pair.ConfigA, bfd: bfdOfHeir);
        heir.Kernel.Become(BfdWatchTests.Beside(pair.ConfigA.Listen[0]));
        // The old side has heard of it long ago.
        bfd.Become(BfdState.Up, Yesterday);
        await Until.TrueAsync(() => SeenBy(pair.B).Ups == 2);
        var before = SeenBy(pair.B);
        var between = new Between();
        var handing = pair.A.Loop.HandOverAsync(between, Long);
        await TakeOverAsync(heir, between);
        Assert.Null(await handing.WaitAsync(Long));
        Assert.Equal(["says", "lends", "falls silent"], bfd.Said);
        Assert.Equal(["expects", "adopts for 1"], bfdOfHeir.Said);
        await heir.Loop.ConfigureAsync(pair.ConfigA.Routes("192.0.2.0/24"));
        await Until.TrueAsync(async () => await pair.B.LearnedAsync() == "192.0.2.0/24");
        Assert.Equal((before.Ups, before.Since), (SeenBy(pair.B).Ups, SeenBy(pair.B).Since));
        await pair.B.DisposeAsync();
    }

    [Fact]
    public async Task What_bfd_loses_meanwhile_is_a_reason_to_go_on_here()
    {
        var bfd = new FakeBfd();
        await using var pair = await WatchedByAsync(bfd);
        bfd.Become(BfdState.Up);
        bfd.Handed = [Watched(bfd.Wanted[0], BfdState.Up, null)];
        var heir = new TestSpeaker(pair.ConfigA, bfd: new FakeBfd());
        Ended.Add(heir);
        var between = new Between();
        var handing = pair.A.Loop.HandOverAsync(between, Long);
        await between.Offered;
        var loss = new BfdLoss("it was not heard", DateTimeOffset.UnixEpoch);
        bfd.Handed = [Watched(bfd.Wanted[0], BfdState.Down, loss)];
        bfd.Become(BfdState.Down, loss);
        _ = TakeOverAsync(heir, between);
        Assert.StartsWith("the session with b has ended meanwhile", await handing.WaitAsync(Long));
        Assert.True(between.HasEnded);
        Assert.Equal(["says", "lends", "takes back"], bfd.Said);
        bfd.Become(BfdState.Up, loss);
        await Until.TrueAsync(() => SeenBy(pair.B).Ups == 2);
    }

    /// <summary>It waits in the kernel, with all that the neighbour had said before.</summary>
    [Fact]
    public async Task A_neighbour_that_goes_meanwhile_is_heard_to_go_by_the_new_process()
    {
        var pair = await WithRoutesAsync();
        Ended.Add(pair);
        await using var heir = new TestSpeaker(pair.ConfigA);
        var between = new Between();
        var handing = pair.A.Loop.HandOverAsync(between, Long);
        await between.Offered;
        await pair.B.DisposeAsync();
        await TakeOverAsync(heir, between);
        Assert.Null(await handing.WaitAsync(Long));
        await Until.TrueAsync(() => heir.Session("b").Phase != Phase.Established);
        await Until.TrueAsync(async () => await heir.LearnedAsync() == "");
    }

    /// <summary>SIGTERM, after the other one has said that it goes on by itself and before that was heard.</summary>
    [Fact]
    public async Task One_that_is_ended_at_the_last_moment_closes_nothing_that_is_the_others()
    {
        var pair = await WithRoutesAsync();
        Ended.Add(pair);
        var before = SeenBy(pair.B);
        var ending = Task.CompletedTask;
        await using var heir = new TestSpeaker(pair.ConfigA);
        var between = new Between { AtLast = () => ending = pair.A.DisposeAsync().AsTask() };
        var taking = TakeOverAsync(heir, between);
        Assert.Null(await pair.A.Loop.HandOverAsync(between, Long).WaitAsync(Long));
        await taking.WaitAsync(Long);
        await ending.WaitAsync(Long);
        using var caller = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await caller.ConnectAsync(pair.ConfigA.Listen[0].ToString(), pair.ConfigA.ListenPort);
        await heir.Loop.ConfigureAsync(pair.ConfigA.Routes("192.0.2.0/24"));
        await Until.TrueAsync(async () => await pair.B.LearnedAsync() == "192.0.2.0/24");
        Assert.Equal((1, before.Since), (SeenBy(pair.B).Ups, SeenBy(pair.B).Since));
        await pair.B.DisposeAsync();
    }
}
