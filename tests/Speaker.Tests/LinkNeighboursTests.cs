using System.Collections.Immutable;
using System.Threading.Channels;
using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>Neighbours of links: who is heard there, and whom the peer is from then on.</summary>
public sealed class LinkNeighboursTests : IAsyncDisposable
{
    private static readonly Address First = Address.Parse("fe80::2"), Second = Address.Parse("fe80::3");

    private readonly FakeKernel kernel = new();
    private readonly Channel<(RouterWord, Address)> air = Channel.CreateUnbounded<(RouterWord, Address)>();
    private readonly Channel<RouterWord> said = Channel.CreateUnbounded<RouterWord>();
    private readonly SpeakerLoop speaker;
    private readonly SpeakerView view;
    private readonly SpeakerConfig config;
    private readonly FakeBfd bfd = new();

    public LinkNeighboursTests()
    {
        var known = new Pair().ConfigA;
        var each = known.Peers[0] with
        {
            Session = known.Peers[0].Session with { Name = "eth0", Interface = "eth0", SourceAddress = null, PeerAs = default },
            Bfd = new(BfdTimes.Default),
        };
        config = known with { Peers = [], Links = [new("eth0", true, each)] };
        kernel.Become(Node());
        speaker = Speaker(TimeProvider.System);
        view = new(speaker, "test");
    }

    private SpeakerLoop Speaker(TimeProvider time)
    {
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (_, _) => { });
        return new(config, kernel, loops, time, NullLoggerFactory.Instance, bfd) { OpenRouterSocket = _ => new Air(this) };
    }

    /// <summary>Of eth0, with an address to speak from.</summary>
    private static KernelSnapshot Node(params Neighbour[] neighbours) => FakeKernel.Node() with
    {
        Addresses = [new(2, Address.Parse("fe80::1"), 64, null, 253, false)],
        Neighbours = neighbours.ToImmutableDictionary(one => (one.Interface, one.Address)),
    };

    public ValueTask DisposeAsync() => speaker.DisposeAsync();

    private SessionSettings Session => view.Protocols.Single(protocol => protocol.Name == "eth0").Session!.Settings;

    private Task IsAsync(Address neighbour) => Until.TrueAsync($"{neighbour} is the neighbour", () => view.Protocols.Any(protocol =>
        protocol.Name == "eth0" && protocol.Session?.Settings.PeerAddress == neighbour));

    [Fact]
    public async Task Whoever_is_found_is_watched_by_bfd_and_nobody_before()
    {
        await speaker.StartAsync();
        Assert.Empty(bfd.Wanted);
        air.Writer.TryWrite((RouterWord.Advertisement, First));
        await Until.TrueAsync("the neighbour is watched", () => bfd.Wanted.Select(one => one.Key).SequenceEqual([new(First, 2, false)]));
    }

    [Fact]
    public async Task The_last_router_that_was_heard_is_the_neighbour_while_no_session_is_up()
    {
        await speaker.StartAsync();
        Assert.Equal((Address.AnyIPv6, true), (Session.PeerAddress, Session.Passive));
        Assert.Contains("no neighbour on eth0 yet", view.Protocols.Single(protocol => protocol.Name == "eth0").Message);
        air.Writer.TryWrite((RouterWord.Advertisement, First));
        await IsAsync(First);
        Assert.False(Session.Passive);
        air.Writer.TryWrite((RouterWord.Advertisement, Second));
        await IsAsync(Second);
    }

    [Fact]
    public async Task We_say_that_we_are_there_ask_who_else_is_and_answer_who_asks()
    {
        await speaker.StartAsync();
        Assert.Equal(RouterWord.Advertisement, await said.Reader.ReadAsync());
        Assert.Equal(RouterWord.Solicitation, await said.Reader.ReadAsync());
        air.Writer.TryWrite((RouterWord.Solicitation, Second));
        Assert.Equal(RouterWord.Advertisement, await said.Reader.ReadAsync());
        // Who asks is no router for all that.
        Assert.True(Session.PeerAddress.IsUnspecified);
    }

    [Fact]
    public async Task Without_advertisements_of_our_own_we_only_ask()
    {
        await speaker.StartAsync();
        Assert.Equal("peer eth0: removed", Assert.Single(await speaker.ConfigureAsync(config with { Links = [] })));
        while (said.Reader.TryRead(out _)) { }
        var silent = config with { Links = [config.Links[0] with { Advertises = false }] };
        Assert.Equal("peer eth0: added", Assert.Single(await speaker.ConfigureAsync(silent)));
        Assert.Equal(RouterWord.Solicitation, await said.Reader.ReadAsync());
        air.Writer.TryWrite((RouterWord.Advertisement, First));
        await IsAsync(First);
    }

    [Fact]
    public async Task A_peer_that_is_disabled_stays_so_whoever_is_heard()
    {
        await speaker.StartAsync();
        air.Writer.TryWrite((RouterWord.Advertisement, First));
        await IsAsync(First);
        view.Disable("eth0", null);
        await Until.TrueAsync(() => !view.Protocols.Single(protocol => protocol.Name == "eth0").Enabled);
        air.Writer.TryWrite((RouterWord.Advertisement, Second));
        await Until.TrueAsync(() => air.Reader.Count == 0);
        Assert.Equal(First, Session.PeerAddress);
        // What was heard meanwhile counts from now on.
        view.Enable("eth0");
        await IsAsync(Second);
    }

    /// <summary>Under a clock that stands between, a wait of less than a millisecond would never end.</summary>
    [Fact]
    public async Task Once_we_are_known_there_we_say_so_every_ten_seconds_and_sleep_between()
    {
        var time = new ManualTimeProvider();
        await using var patient = Speaker(time);
        await patient.StartAsync();
        var words = 0;
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            while (said.Reader.TryRead(out var one)) words += one == RouterWord.Advertisement ? 1 : 0;
            return words >= 6;
        });
        Assert.InRange(time.GetUtcNow() - DateTimeOffset.UnixEpoch, TimeSpan.FromSeconds(18), TimeSpan.FromSeconds(600));
    }

    /// <summary>RFC 4724 section 4.1: whoever is found there may promise his End-of-RIB as any peer does.</summary>
    [Fact]
    public async Task After_our_own_restart_a_links_neighbour_is_waited_for()
    {
        kernel.Holds[Prefix.Parse("100.64.0.0/10")] = new(RouteType.Blackhole, []);
        // It stands still at first: who is not there is waited for ten seconds.
        var time = new ManualTimeProvider();
        await using var restarted = Speaker(time);
        var seen = new SpeakerView(restarted, "test");
        await restarted.StartAsync();
        Assert.Equal((FamilySet.Both, 2), (seen.Router.Recovery!.Families, seen.Router.Recovery.Waits));
        air.Writer.TryWrite((RouterWord.Advertisement, First));
        await Until.TrueAsync(() => seen.Protocols.Any(
            protocol => protocol.Name == "eth0" && protocol.Session?.Settings.PeerAddress == First));
        Assert.Equal((FamilySet.Both, 2), (seen.Router.Recovery!.Families, seen.Router.Recovery.Waits));
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return seen.Router.Recovery == null;
        });
        Assert.True(time.GetUtcNow() - DateTimeOffset.UnixEpoch >= TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_neighbour_with_a_peer_of_its_own_is_no_other_peers()
    {
        var named = config.Links[0].For(First);
        named = named with { Session = named.Session with { Name = "tor", Passive = true } };
        await speaker.StartAsync();
        await speaker.ConfigureAsync(config with { Peers = [named] });
        air.Writer.TryWrite((RouterWord.Advertisement, First));
        air.Writer.TryWrite((RouterWord.Advertisement, Second));
        await IsAsync(Second);
    }

    [Fact]
    public async Task A_reload_keeps_the_neighbour_that_was_found()
    {
        await speaker.StartAsync();
        air.Writer.TryWrite((RouterWord.Advertisement, First));
        await IsAsync(First);
        var each = config.Links[0].Each;
        var slower = each with { Session = each.Session with { HoldTime = TimeSpan.FromSeconds(30) } };
        var lines = await speaker.ConfigureAsync(config with { Links = [config.Links[0] with { Each = slower }] });
        Assert.Equal<string>(["peer eth0: session settings changed, the session is reset"], lines);
        Assert.Equal((First, 30.0), (Session.PeerAddress, Session.HoldTime.TotalSeconds));
    }

    /// <summary>Before anybody has spoken, the kernel may know him: a router, or the only one there is.</summary>
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task Whom_the_kernel_knows_as_the_links_router_or_only_neighbour_is_found(bool isRouter, bool isAlone)
    {
        await speaker.StartAsync();
        var there = new Neighbour(2, First, null, isRouter);
        kernel.Become(isAlone ? Node(there) : Node(there, new Neighbour(2, Second, null, IsRouter: false)));
        await IsAsync(First);
    }

    [Fact]
    public async Task Of_several_neighbours_none_of_whom_is_a_router_nobody_is_chosen()
    {
        await speaker.StartAsync();
        kernel.Become(Node(
            new(2, First, null, IsRouter: false), new(2, Second, null, IsRouter: false), new(3, First, null, IsRouter: true)));
        await speaker.ConfigureAsync(config);
        Assert.True(Session.PeerAddress.IsUnspecified);
    }

    private sealed class Air(LinkNeighboursTests test) : IRouterSocket
    {
        public void Advertise(Address? to = null) => test.said.Writer.TryWrite(RouterWord.Advertisement);
        public void Solicit() => test.said.Writer.TryWrite(RouterWord.Solicitation);
        public ValueTask<(RouterWord What, Address From)> ReceiveAsync(CancellationToken stop) => test.air.Reader.ReadAsync(stop)!;
        public void Dispose() { }
    }
}
