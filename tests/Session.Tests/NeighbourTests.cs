using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session.Tests;

/// <summary>A passive session and a neighbour spoken by hand: what the wire shows (conformance section 3, rows H, T and F).</summary>
public class NeighbourTests
{
    private static readonly byte[] EndOfRib = Convert.FromHexString("ffffffffffffffffffffffffffffffff00170200000000");
    private static readonly byte[] Refresh = Convert.FromHexString("ffffffffffffffffffffffffffffffff00170500010001");

    /// <summary>T08.</summary>
    [Fact]
    public async Task An_open_may_come_one_octet_at_a_time()
    {
        await using var us = Passive();
        using var peer = await HandPeer.CallAsync(us.Session.Settings);
        await peer.ReceiveAsync();
        foreach (var octet in OpenCodec.Encode(Some.Open)) await peer.SendAsync(new[] { octet });
        Assert.Equal(MessageType.Keepalive, (await peer.ReceiveAsync()).Type);
    }

    [Theory]
    [InlineData("ffffffffffffffffffffffffffffffff001304", 5, 1)]                        // H15: KEEPALIVE
    [InlineData("ffffffffffffffffffffffffffffffff00170200000000", 5, 1)]                // H16: UPDATE
    [InlineData("ffffffffffffffffffffffffffffff00001304", 1, 1)]                        // H01: marker
    [InlineData("ffffffffffffffffffffffffffffffff001d0103fdea005a0a00000200", 2, 1)]    // O01: version 3
    public async Task In_open_sent_a_wrong_message_is_answered(string hex, byte code, byte subcode)
    {
        await using var us = Passive();
        using var peer = await HandPeer.CallAsync(us.Session.Settings);
        await peer.SendAsync(Convert.FromHexString(hex));
        var told = await peer.NotificationAsync();
        Assert.Equal(((ErrorCode)code, subcode), (told.Code, told.Subcode));
    }

    /// <summary>H17: whatever we did wrong, a NOTIFICATION is not answered with one.</summary>
    [Fact]
    public async Task In_open_sent_a_notification_ends_in_silence()
    {
        await using var us = Passive();
        using var peer = await HandPeer.CallAsync(us.Session.Settings);
        await peer.ReceiveAsync();
        await peer.SendAsync(NotificationCodec.Encode(Notification.Cease(CeaseSubcode.ConnectionRejected)));
        Assert.Equal((MessageType)0, (await peer.ReceiveAsync()).Type);
    }

    /// <summary>What sockets meet afterwards (the neighbour's error wait) does not take the place of why.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bad_peer_as_stays_the_reason_whoever_said_it_and_the_sockets_error_stands_beside_it(bool byUs)
    {
        await using var us = Passive();
        using (var peer = await HandPeer.CallAsync(us.Session.Settings))
        {
            await peer.ReceiveAsync();
            var another = Some.Open with { Capabilities = Some.Open.Capabilities with { FourOctetAs = new(3) } };
            if (byUs) await peer.SendAsync(OpenCodec.Encode(another));
            else await peer.SendAsync(NotificationCodec.Encode(new(ErrorCode.OpenMessage, 2)));
            await Until.TrueAsync("it is told", () => us.Now.Faults.Notification != null);
        }
        using (var peer = await HandPeer.CallAsync(us.Session.Settings))
        {
            await peer.ReceiveAsync();
            peer.Hang(reset: true);
            await Until.TrueAsync("the reset", () => us.Now.Faults.Socket != null);
        }
        var faults = us.Now.Faults;
        var kind = byUs ? FaultKind.Sent : FaultKind.Received;
        Assert.Equal((kind, "Bad peer AS"), (faults.Why.Kind, faults.Why.Text));
        Assert.Equal((kind, "Bad peer AS"), (faults.Notification!.Kind, faults.Notification.Text));
        Assert.Equal(byUs ? "expected AS 65002, peer says AS 3" : null, faults.Notification.Detail);
        Assert.Contains("reset", faults.Socket!.Text, StringComparison.Ordinal);
        Assert.True(faults.Socket.At > faults.Notification.At);
    }

    [Fact]
    public async Task The_last_notification_is_remembered_over_the_session_that_comes_up_again()
    {
        await using var us = Passive();
        using (var first = await EstablishedAsync(us))
        {
            await first.SendAsync(NotificationCodec.Encode(Notification.Cease(CeaseSubcode.AdministrativeShutdown, "back at five")));
            await Until.TrueAsync("down", () => us.Now.Phase != Phase.Established);
            Assert.Equal("Administrative shutdown: back at five", us.Now.Faults.Why.Text);
        }
        using var second = await EstablishedAsync(us, ups: 2);
        Assert.Equal(
            (FaultKind.None, "Administrative shutdown: back at five"), (us.Now.Faults.Why.Kind, us.Now.Faults.Notification!.Text));
    }

    [Fact]
    public async Task Three_hundred_refused_calls_of_an_established_neighbour_are_one_line_and_a_count()
    {
        var time = new ManualTimeProvider();
        await using var us = Passive(time);
        using var peer = await EstablishedAsync(us);
        for (var call = 0; call < 300; call++) await RefusedAsync();
        Assert.Single(us.Log.All, line => line.Contains("refused a further connection", StringComparison.Ordinal));
        time.Advance(TimeSpan.FromMinutes(1));
        await RefusedAsync();
        Assert.Contains(us.Log.All, line => line.Contains("(299 more since the last such line)", StringComparison.Ordinal));

        async Task RefusedAsync()
        {
            using var further = await HandPeer.CallAsync(us.Session.Settings);
            await further.NotificationAsync();
        }
    }

    /// <summary>The neighbour hears of the link's end sooner than we do.</summary>
    [Fact]
    public async Task A_call_replaces_a_connection_that_stands_on_a_dead_link()
    {
        await using var us = Passive();
        using var old = await EstablishedAsync(us);
        us.Lost = new("Link down", "eth0 is gone");
        using var anew = await EstablishedAsync(us, ups: 2);
        Assert.Equal(["up", "down: Way Link down", "up"], us.Told);
    }

    /// <summary>H18, H19.</summary>
    [Theory]
    [InlineData("ffffffffffffffffffffffffffffffff00170200000000")]
    [InlineData("ffffffffffffffffffffffffffffffff00170500010001")]
    public async Task In_open_confirm_only_a_keepalive_is_welcome(string hex)
    {
        await using var us = Passive();
        using var peer = await HandPeer.CallAsync(us.Session.Settings);
        await peer.SendAsync(OpenCodec.Encode(Some.Open));
        await peer.SendAsync(Convert.FromHexString(hex));
        Assert.Equal(new(ErrorCode.FiniteStateMachine, 2), await peer.NotificationAsync());
    }

    /// <summary>H20.</summary>
    [Fact]
    public async Task A_second_open_ends_an_established_session()
    {
        await using var us = Passive();
        using var peer = await EstablishedAsync(us);
        await peer.SendAsync(OpenCodec.Encode(Some.Open));
        Assert.Equal(new(ErrorCode.FiniteStateMachine, 3), await peer.NotificationAsync());
    }

    [Fact]
    public async Task Octets_behind_a_bad_message_do_not_cost_the_peer_our_answer()
    {
        await using var us = Passive();
        using var peer = await EstablishedAsync(us);
        await peer.SendAsync((byte[])[.. new byte[19], .. new byte[100_000]]);
        Assert.Equal(new(ErrorCode.MessageHeader, 1), await peer.NotificationAsync());
    }

    /// <summary>A neighbour that comes back at once after each error is never turned away: the idle hold is for our own calls.</summary>
    [Fact]
    public async Task After_each_error_the_peer_may_call_again_at_once()
    {
        await using var us = Passive();
        for (var round = 0; round < 20; round++)
        {
            using var peer = await EstablishedAsync(us, ups: round + 1);
            await peer.SendAsync(new byte[19]);
            await peer.NotificationAsync();
        }
    }

    [Fact]
    public async Task Whatever_octets_a_peer_sends_the_next_session_comes_up()
    {
        await using var us = Passive();
        var random = new Random(4271);
        for (var round = 0; round < 60; round++)
        {
            using var peer = await HandPeer.CallAsync(us.Session.Settings);
            await peer.ReceiveAsync();
            if (round % 2 == 0) await peer.SendAsync(OpenCodec.Encode(Some.Open));
            if (round % 4 == 0) await peer.SendAsync(Keepalive.Octets);
            await peer.SendAsync(Garbage(random));
        }
        var ups = us.Now.EstablishedTransitions;
        await Until.TrueAsync("the last of them gone", () => us.Now.Phase < Phase.OpenSent);
        using var good = await HandPeer.CallAsync(us.Session.Settings);
        await good.EstablishAsync();
        await Until.TrueAsync("a session", () => us.Now.EstablishedTransitions > ups);
        Assert.DoesNotContain(us.Log.All, line => line.StartsWith("Critical", StringComparison.Ordinal));
    }

    /// <summary>T01.</summary>
    [Theory]
    [InlineData(9)]
    [InlineData(3)]
    [InlineData(90)]
    public async Task A_silent_peer_is_told_when_the_hold_time_is_over_and_not_before(ushort hold)
    {
        var time = new ManualTimeProvider();
        await using var us = Passive(time);
        using var peer = await EstablishedAsync(us, open: Some.Open with { HoldTime = hold });
        time.Advance(TimeSpan.FromSeconds(hold - 0.1));
        await SyncAsync(us, peer);
        Assert.Equal(Phase.Established, us.Now.Phase);
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(new(ErrorCode.HoldTimerExpired, 0), await peer.NotificationAsync());
    }

    [Fact]
    public async Task Updates_and_keepalives_restart_the_hold_timer()
    {
        var time = new ManualTimeProvider();
        await using var us = Passive(time);
        using var peer = await EstablishedAsync(us, open: Some.Open with { HoldTime = 9 });
        for (var i = 0; i < 10; i++)
        {
            time.Advance(TimeSpan.FromSeconds(8));
            await peer.SendAsync(i % 2 == 0 ? Keepalive.Octets : EndOfRib);
            await SyncAsync(us, peer);
        }
        Assert.Equal(Phase.Established, us.Now.Phase);
    }

    /// <summary>T02.</summary>
    [Fact]
    public async Task Keepalives_leave_three_to_four_times_in_a_hold_time()
    {
        var time = new ManualTimeProvider();
        await using var us = Passive(time);
        using var peer = await EstablishedAsync(us, open: Some.Open with { HoldTime = 9 });
        var before = us.Now.Counters.Out.Keepalives;
        for (var tick = 0; tick < 240; tick++)
        {
            time.Advance(TimeSpan.FromSeconds(0.25));
            if (tick % 20 == 0) await peer.SendAsync(Keepalive.Octets);
            await Until.TrueAsync("the timer armed anew", () => us.Now.Left.Keepalive is { } left && left > TimeSpan.Zero);
            await SyncAsync(us, peer);
        }
        Assert.InRange(us.Now.Counters.Out.Keepalives - before, 19, 28);
    }

    /// <summary>T03.</summary>
    [Fact]
    public async Task With_hold_time_zero_there_are_no_keepalives_and_no_expiry()
    {
        var time = new ManualTimeProvider();
        await using var us = Passive(time);
        using var peer = await EstablishedAsync(us, open: Some.Open with { HoldTime = 0 });
        for (var minute = 0; minute < 15; minute++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await SyncAsync(us, peer);
        }
        Assert.Equal((Phase.Established, 1), (us.Now.Phase, us.Now.Counters.Out.Keepalives));
    }

    /// <summary>T04: the "large value" of RFC 4271 section 8.2.2.</summary>
    [Fact]
    public async Task A_peer_that_never_sends_its_open_is_told_after_four_minutes()
    {
        var time = new ManualTimeProvider();
        await using var us = Passive(time);
        using var peer = await HandPeer.CallAsync(us.Session.Settings);
        await peer.ReceiveAsync();
        time.Advance(TimeSpan.FromSeconds(241));
        Assert.Equal(new(ErrorCode.HoldTimerExpired, 0), await peer.NotificationAsync());
    }

    /// <summary>T06, RFC 9687.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_peer_that_stops_reading_is_dropped_after_eight_minutes(bool prompt)
    {
        var time = new ManualTimeProvider();
        await using var us = Passive(time);
        using var peer = await EstablishedAsync(us, open: Some.Open with { HoldTime = 0 });
        var buffer = Filled(prompt);
        for (var i = 0; i < 1000; i++) us.Outlet!.Send(buffer.Share());
        time.Advance(TimeSpan.FromMinutes(7));
        await SyncAsync(us, peer);
        Assert.Equal(Phase.Established, us.Now.Phase);
        time.Advance(TimeSpan.FromMinutes(2));
        await Until.TrueAsync("the end", () => { time.Advance(TimeSpan.FromSeconds(30)); return us.Told.Count > 2; });
        Assert.Contains("down: Sent Send hold timer expired", us.Told);
    }

    [Fact]
    public async Task Keepalives_leave_and_the_session_stays_while_the_rib_takes_nothing()
    {
        var time = new ManualTimeProvider();
        await using var us = Passive(time);
        using var peer = await EstablishedAsync(us, open: Some.Open with { HoldTime = 9 });
        us.Full = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await peer.SendAsync(EndOfRib);
        await Until.TrueAsync("the update before the wall", () => us.Updates == 1);
        for (var i = 0; i < 10; i++)
        {
            var before = us.Now.Counters.Out.Keepalives;
            await peer.SendAsync(Keepalive.Octets);
            time.Advance(TimeSpan.FromSeconds(3));
            await Until.TrueAsync("a keepalive", () => us.Now.Counters.Out.Keepalives > before);
        }
        us.Full.SetResult();
        await Until.TrueAsync("what had to wait", () => us.Now.Counters.In.Keepalives == 11);
        Assert.Equal(Phase.Established, us.Now.Phase);
    }

    /// <summary>F03.</summary>
    [Fact]
    public async Task A_second_connection_of_an_established_peer_is_refused()
    {
        await using var us = Passive();
        using var peer = await EstablishedAsync(us);
        using var again = await HandPeer.CallAsync(us.Session.Settings);
        Assert.Equal(Notification.Cease(CeaseSubcode.ConnectionCollisionResolution), await again.NotificationAsync());
        Assert.Equal(Phase.Established, us.Now.Phase);
    }

    /// <summary>F03, RFC 4724 section 5.</summary>
    [Fact]
    public async Task With_graceful_restart_the_second_connection_replaces_the_first()
    {
        await using var us = new Speaker(HandPeer.PassiveSession() with { GracefulRestartTime = TimeSpan.Zero }, listen: Loopback.A);
        var open = Negotiation.Open(Some.PeersSettings with { GracefulRestartTime = TimeSpan.FromSeconds(60) }, default);
        using var peer = await EstablishedAsync(us, open: open);
        using var again = await HandPeer.CallAsync(us.Session.Settings);
        await again.EstablishAsync();
        await Until.TrueAsync("the new session", () => us.Now.EstablishedTransitions == 2);
    }

    [Fact]
    public async Task Of_two_half_open_connections_the_peers_later_one_comes_up()
    {
        await using var us = Passive();
        using var forgotten = await HandPeer.CallAsync(us.Session.Settings);
        await forgotten.ReceiveAsync();
        using var peer = await EstablishedAsync(us);
    }

    /// <summary>F04.</summary>
    [Theory]
    [InlineData(Phase.OpenSent, true)]
    [InlineData(Phase.OpenSent, false)]
    [InlineData(Phase.OpenConfirm, true)]
    [InlineData(Phase.OpenConfirm, false)]
    [InlineData(Phase.Established, true)]
    [InlineData(Phase.Established, false)]
    public async Task A_connection_may_end_in_any_state(Phase phase, bool reset)
    {
        await using var us = Passive();
        using (var peer = await HandPeer.CallAsync(us.Session.Settings))
        {
            await peer.ReceiveAsync();
            if (phase >= Phase.OpenConfirm) await peer.SendAsync(OpenCodec.Encode(Some.Open));
            if (phase >= Phase.Established) await peer.SendAsync(Keepalive.Octets);
            await Until.TrueAsync(phase.ToString(), () => us.Now.Phase == phase);
            peer.Hang(reset);
        }
        await Until.TrueAsync("back to where it began", () => us.Now.Phase < Phase.OpenSent);
        Assert.Equal((FaultKind.Socket, "Connection"), (us.Now.Faults.Why.Kind, us.Now.Faults.Why.Text.Split(' ')[0]));
        using var next = await EstablishedAsync(us, ups: phase == Phase.Established ? 2 : 1);
    }

    /// <summary>F06: the length octet lies, so there is no text; nothing is interpreted.</summary>
    [Theory]
    [InlineData("04410a1b42", "down: Received Administrative shutdown: A\\u000a\\u001bB")]
    [InlineData("ff41", "down: Received Administrative shutdown")]
    public async Task A_shutdown_text_is_shown_escaped_or_not_at_all(string data, string expected)
    {
        await using var us = Passive();
        using var peer = await EstablishedAsync(us);
        await peer.SendAsync(NotificationCodec.Encode(new(ErrorCode.Cease, 2, Convert.FromHexString(data))));
        await Until.TrueAsync(expected, () => us.Told.Contains(expected), otherwise: () => string.Join("; ", us.Told));
    }

    [Fact]
    public async Task An_unwanted_as_is_refused_with_what_was_expected_in_the_log()
    {
        await using var us = Passive();
        using var peer = await HandPeer.CallAsync(us.Session.Settings);
        await peer.SendAsync(OpenCodec.Encode(Negotiation.Open(Some.PeersSettings with { LocalAs = new(65099) }, default)));
        Assert.Equal(new(ErrorCode.OpenMessage, 2), await peer.NotificationAsync());
        const string Line = "Bad peer AS: expected AS 65002, peer says AS 65099";
        await Until.TrueAsync(Line, () => us.Log.All.Any(line => line.Contains(Line, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task With_delay_open_the_peer_speaks_first()
    {
        await using var us = new Speaker(HandPeer.PassiveSession() with { DelayOpenTime = TimeSpan.FromMinutes(1) }, listen: Loopback.A);
        using var peer = await HandPeer.CallAsync(us.Session.Settings);
        await peer.SendAsync(OpenCodec.Encode(Some.Open));
        Assert.Equal(MessageType.Open, (await peer.ReceiveAsync()).Type);
    }

    [Fact]
    public async Task A_disabled_session_hangs_up_on_its_peer()
    {
        await using var us = new Speaker(HandPeer.PassiveSession() with { Shutdown = true }, listen: Loopback.A);
        using var peer = await HandPeer.CallAsync(us.Session.Settings);
        Assert.Equal((MessageType)0, (await peer.ReceiveAsync()).Type);
    }

    private static Speaker Passive(TimeProvider? time = null) => new(HandPeer.PassiveSession(), time, Loopback.A);

    private static async Task<HandPeer> EstablishedAsync(Speaker us, OpenMessage? open = null, int ups = 1)
    {
        var peer = await HandPeer.CallAsync(us.Session.Settings);
        await peer.EstablishAsync(open);
        await Until.TrueAsync("session up", () => us.Now is { Phase: Phase.Established } now && now.EstablishedTransitions == ups);
        return peer;
    }

    /// <summary>When this comes back, all that was under way before has been dealt with.</summary>
    private static async Task SyncAsync(Speaker us, HandPeer peer)
    {
        var before = us.Now.Counters.In.Refreshes;
        await peer.SendAsync(Refresh);
        await Until.TrueAsync("an answer", () => us.Now.Counters.In.Refreshes > before);
        await us.Session.SettledAsync();
    }

    /// <summary>Half of it behind a good header, with any type and any length.</summary>
    private static byte[] Garbage(Random random)
    {
        var octets = new byte[random.Next(1, 300)];
        random.NextBytes(octets);
        if (random.Next(2) == 0) octets.AsSpan(0, Math.Min(16, octets.Length)).Fill(0xff);
        if (octets.Length > 18) (octets[16], octets[18]) = (0, (byte)random.Next(0, 7));
        return octets;
    }

    private static OutBuffer Filled(bool prompt)
    {
        var buffer = new OutBuffer { IsPrompt = prompt };
        for (var i = 0; i < 2800; i++)
        {
            EndOfRib.CopyTo(buffer.GetSpan(EndOfRib.Length));
            buffer.Advance(EndOfRib.Length);
        }
        return buffer;
    }
}
