using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Session;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>Whom BFD watches, and what follows for sessions and own routes (RFC 5882).</summary>
public class BfdWatchTests
{
    private static readonly BfdTimes Times = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(50), 3);
    private static readonly BfdLoss Loss = new("it was not heard for 150 ms", DateTimeOffset.UnixEpoch);
    private static readonly SessionSettings Tor = PeerWayTests.Tor;

    /// <summary>eth0 (2) has 10.0.0.1/24 and fd00::1/64. Null: nobody is watched.</summary>
    [Theory]
    [InlineData("10.0.0.254", null, 65002u, 1, false, 2, false)]
    [InlineData("fd00::254", null, 65002u, 1, false, 2, false)]
    [InlineData("fe80::9", "eth0", 65002u, 1, false, 2, false)]
    [InlineData("::", "eth0", 65002u, 1, false, null, false)]           // not found on its link yet
    [InlineData("10.0.0.254", null, 65001u, 1, false, 2, false)]        // internal, and beside us
    [InlineData("192.0.2.1", null, 65001u, 1, false, 0, true)]          // internal, behind a router
    [InlineData("192.0.2.1", null, 65002u, 1, false, null, false)]      // external, and nowhere
    [InlineData("10.0.0.254", null, 65002u, 4, false, 0, true)]         // said to be further away
    [InlineData("10.0.0.254", null, 65001u, 64, true, 2, false)]        // BFDIfDirectlyConnected asks the links alone
    [InlineData("192.0.2.1", null, 65001u, 64, true, null, false)]
    public void A_neighbour_on_a_link_of_ours_is_one_hop_away(
        string peer, string? link, uint peerAs, int multihop, bool onlyDirect, int? watchedOn, bool several)
    {
        var settings = Tor with { PeerAddress = Address.Parse(peer), Interface = link, PeerAs = new(peerAs), Multihop = multihop };
        var target = new PeerBfd(Times, onlyDirect).TargetOf(settings, FakeKernel.Node());
        Assert.Equal(watchedOn is { } on ? new BfdKey(Address.Parse(peer), on, several) : null, target?.Key);
    }

    [Fact]
    public void The_first_pattern_that_names_the_link_says_the_times()
    {
        LinkTimes On(string pattern, int multiplier) => new(pattern, Times with { Multiplier = multiplier });
        var bfd = new PeerBfd(Times, true, [On("eth1", 1), On("eth*", 2), On("*", 9)]);
        Assert.Equal(2, bfd.TargetOf(Tor, FakeKernel.Node())!.Times.Multiplier);
    }

    [Fact]
    public async Task A_loss_ends_the_session_with_cease_10_and_the_neighbour_is_called_when_it_is_heard_again()
    {
        var bfd = new FakeBfd();
        await using var pair = new Pair(config => config.Peer(peer => peer with { Bfd = new(Times) }), bfdOfA: bfd);
        await pair.UpAsync();
        pair.A.Kernel.Become(Beside(pair.ConfigA.Listen[0]));
        await Until.TrueAsync(() => bfd.Wanted.Length == 1);
        Assert.Equal(2, bfd.Wanted[0].Key.Interface);
        bfd.Become(BfdState.Up);
        bfd.Become(BfdState.Down, Loss);
        await Until.TrueAsync(() => pair.A.Session("b").Faults.Why.Kind == FaultKind.Way);
        var why = pair.A.Session("b").Faults.Why;
        Assert.Equal(("BFD session down", "it was not heard for 150 ms"), (why.Text, why.Detail));
        await Until.TrueAsync(() => pair.B.Session("a").Faults.Received is { Notification: { IsHardReset: true, Inner.Subcode: 10 } });
        bfd.Become(BfdState.Up, Loss);
        await Until.TrueAsync(() => pair.A.Session("b") is { Phase: Phase.Established, EstablishedTransitions: 2 });
    }

    [Fact]
    public async Task A_session_that_never_was_up_or_that_an_administrator_put_down_ends_nothing()
    {
        var bfd = new FakeBfd();
        await using var pair = new Pair(config => config.Peer(peer => peer with { Bfd = new(Times) }), bfdOfA: bfd);
        await pair.UpAsync();
        pair.A.Kernel.Become(Beside(pair.ConfigA.Listen[0]));
        await Until.TrueAsync(() => bfd.Wanted.Length == 1);
        foreach (var state in (BfdState[])[BfdState.Down, BfdState.Init, BfdState.Up, BfdState.Down]) bfd.Become(state);
        // What follows of these has followed when the speaker has answered a further question.
        await pair.A.Loop.ConfigureAsync(pair.ConfigA.Peer(peer => peer with { Bfd = new(Times), Description = "answered" }));
        Assert.Equal((Phase.Established, 1), (pair.A.Session("b").Phase, pair.A.Session("b").EstablishedTransitions));
    }

    [Fact]
    public async Task A_gateway_that_is_watched_by_several_has_one_session_with_the_times_that_serve_all()
    {
        var bfd = new FakeBfd();
        await using var speaker = new TestSpeaker(Alone(Route("192.0.2.0/24", Times), Route("198.51.100.0/24", Times with
        {
            Send = TimeSpan.FromMilliseconds(20),
            Multiplier = 5,
        })), bfd: bfd);
        await speaker.Loop.StartAsync();
        await Until.TrueAsync(() => bfd.Wanted.Length == 1);
        Assert.Equal(Times with { Send = TimeSpan.FromMilliseconds(20) }, bfd.Wanted[0].Times);
    }

    [Fact]
    public async Task An_own_route_is_announced_and_installed_while_its_gateway_is_heard()
    {
        var bfd = new FakeBfd();
        await using var speaker = new TestSpeaker(Alone(Route("192.0.2.0/24", Times), Route("198.51.100.0/24", null)), bfd: bfd);
        var watched = Prefix.Parse("192.0.2.0/24");
        await speaker.Loop.StartAsync();
        await Until.TrueAsync(() => bfd.Wanted.Length == 1);
        await Until.TrueAsync(async () => (await speaker.RoutesAsync()).SequenceEqual(["198.51.100.0/24"]));
        Assert.Equal(
            "BFD does not hear 10.0.0.254", speaker.View.ConfiguredRoutes.Single(route => route.Prefix == watched).Problem);
        bfd.Become(BfdState.Up);
        await Until.TrueAsync(() => speaker.Kernel.Holds.ContainsKey(watched));
        bfd.Become(BfdState.Down, Loss);
        await Until.TrueAsync(() => !speaker.Kernel.Holds.ContainsKey(watched));
        Assert.Equal(["198.51.100.0/24"], await speaker.RoutesAsync());
    }

    [Fact]
    public async Task Who_is_shut_down_is_not_watched()
    {
        var bfd = new FakeBfd();
        await using var pair = new Pair(config => config.Peer(peer => peer with { Bfd = new(Times) }), bfdOfA: bfd);
        await pair.UpAsync();
        pair.A.Kernel.Become(Beside(pair.ConfigA.Listen[0]));
        await Until.TrueAsync(() => bfd.Wanted.Length == 1);
        await pair.A.Loop.ConfigureAsync(pair.ConfigA.Peer(peer => peer with
        {
            Bfd = new(Times),
            Session = peer.Session with { Shutdown = true },
        }));
        await Until.TrueAsync(() => bfd.Wanted.IsEmpty);
    }

    /// <summary>eth0 has the address, and so the other's of the pair on its network.</summary>
    internal static KernelSnapshot Beside(Address own) =>
        FakeKernel.Node() is var node ? node with { Addresses = node.Addresses.Add(new(2, own, 24, null, 0, false)) } : node;

    private static OwnRouteConfig Route(string prefix, BfdTimes? bfd) =>
        new(Prefix.Parse(prefix), RouteType.Unicast, [new(Address.Parse("10.0.0.254"), 0)]) { Interfaces = [null], Bfd = bfd };

    private static SpeakerConfig Alone(params OwnRouteConfig[] routes) => new()
    {
        RouterId = new(1),
        As = new(65001),
        HostName = "test",
        Listen = [],
        Routes = [.. routes],
    };
}
