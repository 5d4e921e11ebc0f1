using System.Net.Sockets;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel;
using Calico.Bgp.Speaker.Handover;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>A speaker's sessions go over into another one, and their neighbour notices nothing; or they do not, and nobody does
/// either.</summary>
public class HandoverTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    /// <summary>What is left of a process that has handed over: its descriptors are not closed before it ends.</summary>
    private static readonly List<object> Ended = [];

    /// <summary>The two sides of a hand-over in one process, with the descriptors that two would have.</summary>
    private sealed class Between : IHeir, ITestator
    {
        private readonly TaskCompletionSource offered = New(), restored = New(), given = New(), taken = New(), died = New();
        private IReadOnlyList<Stream> written = [];
        private HandedMoments? moments;

        // Of sockets that are collected the kernel would be told that nobody waits for anything on them.
        public Between() => Ended.Add(this);

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

        public HandedState State { get; private set; } = null!;
        public IReadOnlyList<Stream> Images => written;
        public IReadOnlyList<Socket> Sockets { get; private set; } = [];
        public bool HasEnded => died.Task.IsCompleted;
        public Task Offered => offered.Task.WaitAsync(Long);

        public Stream Memory(string name) => DescriptorSocket.Memory(name);

        public async Task OfferAsync(HandedState state, IReadOnlyList<Stream> images, IReadOnlyList<Socket> sockets, CancellationToken stop)
        {
            (State, written) = (state, images);
            foreach (var image in images) image.Position = 0;
            var (from, to) = DescriptorSocket.Pair();
            using var both = new DescriptorSocket(Dup(to));
            using (from)
            {
                await from.SendAsync([.. sockets.Select(socket => (SafeHandle)socket.SafeHandle)], stop);
                var came = await both.ReceiveAsync(sockets.Count, stop);
                Sockets = [.. came.Select(one => new Socket(new SafeSocketHandle(one, ownsHandle: true)))];
            }
            offered.SetResult();
            await Either(restored.Task).WaitAsync(stop);
        }

        private static int Dup(SafeHandle of)
        {
            var number = (int)of.DangerousGetHandle();
            of.SetHandleAsInvalid();
            return number;
        }

        public async Task GiveAsync(HandedMoments now, CancellationToken stop)
        {
            moments = now;
            given.SetResult();
            await Either(taken.Task).WaitAsync(stop);
        }

        public async Task<HandedMoments> RestoredAsync(CancellationToken stop)
        {
            restored.SetResult();
            await given.Task.WaitAsync(stop);
            return moments!;
        }

        public Task TakenAsync(CancellationToken stop)
        {
            taken.SetResult();
            return Task.CompletedTask;
        }

        public void End() => died.TrySetResult();

        private async Task Either(Task other)
        {
            await Task.WhenAny(other, died.Task);
            if (!other.IsCompleted) throw new HandoverException("it has died");
        }
    }

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
        return pair;
    }

    private static (int Ups, DateTimeOffset Since, long Updates) SeenBy(TestSpeaker speaker)
    {
        var session = speaker.Session("a");
        return (session.EstablishedTransitions, session.Since, session.Counters.In.Updates);
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
        var handing = pair.A.Loop.HandOverAsync(between, diesAtOnce ? Long : TimeSpan.FromMilliseconds(300));
        await between.Offered;
        await pair.B.Loop.ConfigureAsync(pair.ConfigB.Routes("203.0.113.0/24", "198.18.0.0/15"));
        if (diesAtOnce) between.End();
        Assert.Equal(diesAtOnce ? "it has died" : "the new process had not taken over within 300ms", await handing.WaitAsync(Long));
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
}
