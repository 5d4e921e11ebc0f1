using Calico.Bgp.Net;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Session.Tests;

/// <summary>Two sessions of ours with each other, over real sockets on loopback.</summary>
public class PeerSessionTests
{
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task A_session_comes_up_whoever_calls(bool aPassive, bool bPassive)
    {
        var (a, b) = Loopback.Neighbours();
        await using var one = new Speaker(a with { Passive = aPassive }, listen: Loopback.A);
        await using var other = new Speaker(b with { Passive = bPassive }, listen: Loopback.B);
        await Task.WhenAll(Loopback.Up(one), Loopback.Up(other));
        Assert.Equal((1, 1), (one.Now.EstablishedTransitions, other.Now.EstablishedTransitions));
    }

    /// <summary>Conformance F01.</summary>
    [Fact]
    public async Task Two_that_call_each_other_at_once_end_with_one_session()
    {
        for (var round = 0; round < 20; round++)
        {
            var (a, b) = Loopback.Neighbours();
            await using var one = new Speaker(a, listen: Loopback.A);
            await using var other = new Speaker(b, listen: Loopback.B);
            await Task.WhenAll(Loopback.Up(one), Loopback.Up(other));
            Assert.Equal(["up"], one.Told.Concat(other.Told).Distinct());
        }
    }

    [Fact]
    public async Task Ipv6_neighbours_meet_too()
    {
        var (a, b) = Loopback.Neighbours();
        var six = Address.Parse("::1");
        await using var one = new Speaker(a with { PeerAddress = six, SourceAddress = six, Passive = true }, listen: six);
        await using var other = new Speaker(b with { PeerAddress = six, SourceAddress = six });
        await Loopback.Up(one);
    }

    [Fact]
    public async Task A_shutdown_tells_its_text_to_the_peer()
    {
        var (a, b) = Loopback.Neighbours();
        await using var one = new Speaker(a with { Passive = true }, listen: Loopback.A);
        await using var other = new Speaker(b);
        await Task.WhenAll(Loopback.Up(one), Loopback.Up(other));
        one.Session.Disable("Wartung bis 5 Uhr – \u001b[2J");
        await Until.TrueAsync("the peer hears of it", () => other.Told.Count == 2);
        Assert.Equal("down: Received Administrative shutdown: Wartung bis 5 Uhr – \\u001b[2J", other.Told.Last());
    }

    [Fact]
    public async Task A_disabled_session_comes_back_when_enabled()
    {
        var (a, b) = Loopback.Neighbours();
        await using var one = new Speaker(a with { Passive = true }, listen: Loopback.A);
        var soon = TimeSpan.FromMilliseconds(20);
        await using var other = new Speaker(b with { IdleHoldTime = soon, ConnectRetryTime = soon });
        await Loopback.Up(one);
        one.Session.Disable();
        await Until.TrueAsync("down", () => one.Now is { Enabled: false, Phase: Phase.Idle });
        one.Session.Enable();
        await Until.TrueAsync("up again", () => one.Now.EstablishedTransitions == 2);
    }

    [Fact]
    public async Task A_restart_is_an_administrative_reset_and_up_again()
    {
        var (a, b) = Loopback.Neighbours();
        await using var one = new Speaker(a with { Passive = true }, listen: Loopback.A);
        await using var other = new Speaker(b with { IdleHoldTime = TimeSpan.FromMilliseconds(20) });
        await Loopback.Up(other);
        one.Session.Restart();
        await Until.TrueAsync("up again", () => other.Now.EstablishedTransitions == 2);
        Assert.Equal(["up", "down: Received Administrative reset", "up"], other.Told);
    }

    [Fact]
    public async Task A_refresh_reaches_the_other_sink()
    {
        var (a, b) = Loopback.Neighbours();
        await using var one = new Speaker(a with { Passive = true }, listen: Loopback.A);
        await using var other = new Speaker(b);
        await Task.WhenAll(Loopback.Up(one), Loopback.Up(other));
        Assert.True(one.Session.RequestRefresh(IpFamily.IPv6));
        await Until.TrueAsync("the request", () => other.Told.Contains("refresh ipv6 0"));
    }

    [Fact]
    public async Task Stopping_for_good_tells_the_peer_why()
    {
        var (a, b) = Loopback.Neighbours();
        await using var one = new Speaker(a with { Passive = true }, listen: Loopback.A);
        await using var other = new Speaker(b);
        await Task.WhenAll(Loopback.Up(one), Loopback.Up(other));
        await one.Session.StopAsync(CeaseSubcode.PeerDeconfigured);
        await Until.TrueAsync("6/3", () => other.Told.Contains("down: Received Peer de-configured"));
    }

    [Theory]
    [InlineData(CeaseSubcode.PeerDeconfigured, false)]
    [InlineData(CeaseSubcode.AdministrativeShutdown, true)]
    public async Task Of_a_peer_that_is_taken_away_before_its_session_was_up_the_log_says_nothing(CeaseSubcode why, bool isSaid)
    {
        await using var one = new Speaker(Loopback.Neighbours().A with { Passive = true });
        await Until.TrueAsync("it waits for a call", () => one.Now.Phase == Phase.Active);
        await one.Session.StopAsync(why);
        Assert.Equal(isSaid, one.Log.All.Any(line => line.StartsWith("Information b: not up: Stopped: ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Routes_go_out_and_come_in(bool prompt)
    {
        var (a, b) = Loopback.Neighbours();
        await using var one = new Speaker(a with { Passive = true }, listen: Loopback.A);
        await using var other = new Speaker(b);
        await Task.WhenAll(Loopback.Up(one), Loopback.Up(other));
        const int Buffers = 100, Each = 50;
        for (var i = 0; i < Buffers; i++) one.Outlet!.Send(EndOfRibs(Each, prompt));
        await Until.TrueAsync("all of them", () => other.Updates == Buffers * Each);
        await Until.TrueAsync("an empty queue", () => one.Outlet!.Backlog == 0);
        Assert.Equal((Buffers * Each, Buffers * Each), (one.Now.Counters.Out.Updates, other.Now.Counters.In.Updates));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_for_others_is_left_out(bool prompt)
    {
        var (a, b) = Loopback.Neighbours();
        await using var one = new Speaker(a with { Passive = true }, listen: Loopback.A);
        await using var other = new Speaker(b);
        await Task.WhenAll(Loopback.Up(one), Loopback.Up(other));
        var others = EndOfRibs(1, prompt);
        others.Exceptions.Add(new(0, 23, one.Outlet!.Peer, Only: false));
        one.Outlet!.Send(others);
        var buffer = EndOfRibs(4, prompt);
        buffer.Exceptions.Add(new(23, 46, one.Outlet!.Peer, Only: false));
        buffer.Exceptions.Add(new(46, 69, 77, Only: true));
        one.Outlet!.Send(buffer);
        one.Outlet!.Send(EndOfRibs(1));
        await Until.TrueAsync("two of four, and one", () => other.Updates >= 3);
        Assert.Equal(3, one.Now.Counters.Out.Updates);
    }

    /// <summary>RFC 2385: who signs with another key is not even refused.</summary>
    [Fact]
    public async Task Tcp_md5_keys_have_to_be_the_same()
    {
        var (a, b) = Loopback.Neighbours();
        await using var one = new Speaker(a with { Passive = true, Password = "secret" }, listen: Loopback.A);
        await using var stranger = new Speaker(b with { Password = "wrong" });
        await Until.TrueAsync("a first attempt", () => stranger.Now.Phase == Phase.Connect);
        await using var other = new Speaker(b with { Password = "secret" });
        await Loopback.Up(one);
        Assert.Equal((0, 1), (stranger.Now.EstablishedTransitions, other.Now.EstablishedTransitions));
    }

    [Fact]
    public async Task Gtsm_neighbours_on_one_link_meet()
    {
        var (a, b) = Loopback.Neighbours();
        await using var one = new Speaker(a with { Passive = true, TtlSecurity = true }, listen: Loopback.A);
        await using var other = new Speaker(b with { TtlSecurity = true });
        await Loopback.Up(one);
    }

    [Fact]
    public async Task A_closed_port_is_told_in_the_sockets_words()
    {
        var (a, _) = Loopback.Neighbours();
        await using var one = new Speaker(a);
        // What a session shows of its faults is there before the phase that they lead to.
        await Until.TrueAsync("a refusal", () => one.Now is { Faults.Why.Kind: FaultKind.Socket, Phase: Phase.Active });
        Assert.Equal("Connection refused", one.Now.Faults.Why.Text);
    }

    private static OutBuffer EndOfRibs(int count, bool prompt = false)
    {
        var buffer = new OutBuffer { IsPrompt = prompt };
        for (var i = 0; i < count; i++)
        {
            Convert.FromHexString("ffffffffffffffffffffffffffffffff00170200000000").CopyTo(buffer.GetSpan(23));
            buffer.Advance(23);
        }
        return buffer;
    }
}
