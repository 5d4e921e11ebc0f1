using System.Globalization;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>Neighbours of a range: each that calls gets a session, made after one template.</summary>
public class DynamicPeersTests
{
    private const string Four = "203.0.113.0/24";

    /// <summary>B knows A by its range alone.</summary>
    private static SpeakerConfig ByRange(SpeakerConfig config, int limit, Func<PeerConfig, PeerConfig>? change = null)
    {
        var known = config.Peers[0];
        var each = known with { Session = known.Session with { Name = "dyn", PeerAddress = Address.AnyIPv4, Passive = true } };
        return config with { Peers = [], Ranges = [new(new(known.Session.PeerAddress, 24), limit, change?.Invoke(each) ?? each)] };
    }

    private static SpeakerConfig ByRange(SpeakerConfig config) => ByRange(config, PeerTemplate.DefaultLimit);

    private static string NameOfA(Pair pair) => $"dyn_{pair.ConfigB.Ranges[0].Range.Address.ToString().Replace('.', '_')[..^1]}1";

    private static async Task<Pair> UpAsync(
        Func<SpeakerConfig, SpeakerConfig>? changeA = null, Func<SpeakerConfig, SpeakerConfig>? changeB = null, TimeProvider? time = null)
    {
        var pair = new Pair(changeA, changeB ?? ByRange, time);
        await pair.B.Loop.StartAsync();
        await pair.A.Loop.StartAsync();
        await Until.TrueAsync(() => pair.A.Session("b").Phase == Phase.Established && PeerOf(pair) is { Up: true });
        return pair;
    }

    private static ProtocolStatus? PeerOf(Pair pair) => pair.B.View.Protocols.FirstOrDefault(protocol => protocol.Name == NameOfA(pair));

    [Fact]
    public async Task A_neighbour_that_calls_from_the_range_gets_a_session_of_its_own()
    {
        await using var pair = await UpAsync(config => config.Routes(Four));
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).Contains(Four));
        Assert.Equal(pair.ConfigB.Ranges[0].Range, PeerOf(pair)!.Range);
        Assert.Equal((1, 256), (pair.B.View.Ranges[0].Sessions, pair.B.View.Ranges[0].Limit));
    }

    [Fact]
    public async Task A_neighbour_of_any_other_as_tells_its_own()
    {
        await using var pair = await UpAsync(
            config => config.Routes(Four),
            config => ByRange(config.Peer(peer => peer with { Session = peer.Session with { PeerAs = default } })));
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).Contains(Four));
        Assert.Equal(pair.ConfigA.As, PeerOf(pair)!.Session!.Negotiated!.PeerAs);
    }

    [Fact]
    public async Task A_key_of_the_range_is_every_neighbours_and_another_key_does_not_come_in()
    {
        static SpeakerConfig Signed(SpeakerConfig config, string key) =>
            config.Peer(peer => peer with { Session = peer.Session with { Password = key } });
        await using (var pair = await UpAsync(
            config => Signed(config, "sesame"), config => ByRange(Signed(config, "sesame")))) Assert.True(PeerOf(pair)!.Up);

        var before = WrongKeys();
        await using var wrong = new Pair(config => Signed(config, "simsim"), config => ByRange(Signed(config, "sesame")));
        await wrong.B.Loop.StartAsync();
        await wrong.A.Loop.StartAsync();
        await Until.TrueAsync("a call with another key", () => WrongKeys() > before);
        Assert.Null(PeerOf(wrong));
    }

    /// <summary>The kernel's count of segments that were signed with another key than that of their sender.</summary>
    private static long WrongKeys()
    {
        var lines = File.ReadLines("/proc/net/netstat").Where(line => line.StartsWith("TcpExt:", StringComparison.Ordinal)).ToArray();
        return long.Parse(lines[1].Split(' ')[Array.IndexOf(lines[0].Split(' '), "TCPMD5Failure")], CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Over_the_limit_nobody_gets_a_session()
    {
        await using var pair = new Pair(changeB: config => ByRange(config, limit: 0));
        await pair.B.Loop.StartAsync();
        await pair.A.Loop.StartAsync();
        await Until.TrueAsync(() => pair.A.Session("b").Faults.Socket != null);
        Assert.Empty(pair.B.Loop.Peers);
    }

    [Fact]
    public async Task A_filter_of_the_template_that_changes_is_every_sessions_at_once_and_resets_none()
    {
        await using var pair = await UpAsync(config => config.Routes(Four));
        await Until.TrueAsync(async () => (await pair.B.RoutesAsync()).Contains(Four));
        var changed = Changed(pair, peer => peer with { Import = RejectAll.Instance });
        Assert.Equal<string>(
            [$"peers of {pair.ConfigB.Ranges[0].Range}: changed, their sessions stay up"], await pair.B.Loop.ConfigureAsync(changed));
        await Until.TrueAsync(async () => !(await pair.B.RoutesAsync()).Contains(Four));
        Assert.Equal(1, PeerOf(pair)!.Session!.EstablishedTransitions);
    }

    [Fact]
    public async Task A_session_setting_of_the_template_that_changes_resets_its_sessions()
    {
        await using var pair = await UpAsync(Impatient);
        var changed = Changed(pair, peer => peer with { Session = peer.Session with { HoldTime = TimeSpan.FromSeconds(30) } });
        var lines = await pair.B.Loop.ConfigureAsync(changed);
        Assert.Equal<string>([$"peers of {pair.ConfigB.Ranges[0].Range}: session settings changed, their sessions are reset"], lines);
        await Until.TrueAsync(() => PeerOf(pair) is { Up: true, Session.Settings.HoldTime.TotalSeconds: 30 });
        await Until.EqualAsync(2, () => pair.A.Session("b").EstablishedTransitions);
    }

    [Fact]
    public async Task A_range_that_goes_takes_its_sessions_along()
    {
        await using var pair = await UpAsync();
        Assert.Equal<string>(
            [$"peers of {pair.ConfigB.Ranges[0].Range}: removed"], await pair.B.Loop.ConfigureAsync(pair.ConfigB with { Ranges = [] }));
        Assert.Empty(pair.B.Loop.Peers);
    }

    [Fact]
    public async Task A_neighbour_that_is_configured_by_its_address_is_of_no_range_any_more()
    {
        await using var pair = await UpAsync(Impatient);
        var named = pair.ConfigB.Ranges[0].For(Address.Parse(PeerOf(pair)!.Session!.Settings.PeerAddress.ToString()));
        await pair.B.Loop.ConfigureAsync(pair.ConfigB with { Peers = [named with { Session = named.Session with { Name = "a" } }] });
        await Until.TrueAsync(() => pair.B.Session("a").Phase == Phase.Established);
        Assert.Equal(["a"], pair.B.Loop.Peers.Select(peer => peer.Name));
    }

    [Fact]
    public async Task A_session_that_has_been_down_for_long_goes_away_and_one_that_is_disabled_stays()
    {
        var time = new Patiences();
        await using var pair = await UpAsync(time: time);
        var peer = pair.B.Loop.Peers.Single();
        time.End();
        pair.B.View.Disable(peer.Name, null);
        await Until.TrueAsync(() => !PeerOf(pair)!.Enabled);
        time.End();
        await pair.B.Loop.ConfigureAsync(pair.ConfigB);
        Assert.Same(peer, pair.B.Loop.Peers.Single());

        pair.A.View.Disable("b", null);
        await Until.TrueAsync(() => !pair.A.Session("b").Enabled);
        pair.B.View.Enable(peer.Name);
        await Until.TrueAsync(() => PeerOf(pair)!.Enabled);
        time.End();
        await Until.TrueAsync(() => !pair.B.Loop.Peers.Any());
    }

    [Theory]
    [InlineData(90, 270)]
    [InlineData(9, 60)]
    [InlineData(0, 60)]
    public void Patience_is_three_hold_times_and_a_minute_at_least(int hold, int patience)
    {
        var settings = new Pair().ConfigA.Peers[0].Session with { HoldTime = TimeSpan.FromSeconds(hold) };
        Assert.Equal(patience, new PeerTemplate(Prefix.DefaultIPv4, 1, settings).Patience.TotalSeconds);
    }

    [Fact]
    public void Of_two_ranges_the_closer_one_is_asked()
    {
        var each = new Pair().ConfigA.Peers[0];
        PeerRange wide = new(Prefix.Parse("10.0.0.0/8"), 1, each), close = new(Prefix.Parse("10.1.0.0/16"), 1, each);
        Assert.Same(close, PeerRange.For([wide, close], Address.Parse("10.1.2.3")));
        Assert.Same(wide, PeerRange.For([close, wide], Address.Parse("10.2.2.3")));
        Assert.Null(PeerRange.For([wide, close], Address.Parse("11.0.0.1")));
    }

    /// <summary>The system's time, but for patience with those who are down: that ends when the test says so.</summary>
    private sealed class Patiences : TimeProvider
    {
        private readonly List<Held> waiting = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Held(this, callback, state, System.CreateTimer(callback, state, dueTime, period));

        public void End()
        {
            Held[] ended;
            lock (waiting) ended = [.. waiting];
            foreach (var timer in ended) timer.Callback(timer.State);
        }

        private sealed record Held(Patiences Of, TimerCallback Callback, object? State, ITimer Real) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                // The template's hold time is 90 s, and nothing else here waits for three of them.
                if (dueTime != TimeSpan.FromSeconds(270)) return Real.Change(dueTime, period);
                lock (Of.waiting) Of.waiting.Add(this);
                return true;
            }

            public void Dispose() => Real.Dispose();
            public ValueTask DisposeAsync() => Real.DisposeAsync();
        }
    }

    private static SpeakerConfig Changed(Pair pair, Func<PeerConfig, PeerConfig> change) => pair.ConfigB with
    {
        Ranges = [pair.ConfigB.Ranges[0] with { Each = change(pair.ConfigB.Ranges[0].Each) }],
    };

    private static SpeakerConfig Impatient(SpeakerConfig config)
    {
        var soon = TimeSpan.FromMilliseconds(50);
        return config.Peer(peer => peer with
        {
            Session = peer.Session with { IdleHoldTime = soon, MaxIdleHoldTime = soon, ConnectRetryTime = soon },
        });
    }
}
