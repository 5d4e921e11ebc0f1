using Calico.Bgp.Bfd;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>What has no counterpart in a BIRD that is left in peace: changes, failures, and what only this daemon says.</summary>
public sealed class CommandTests
{
    private static FakeSpeaker Speaker(
        Func<SessionSnapshot, SessionSnapshot>? change = null, bool enabled = true, bool importDefault = false)
    {
        var settings = new SessionSettings
        {
            Name = "tor1",
            Index = 1,
            PeerAddress = Address.Parse("10.99.0.2"),
            LocalAs = new(65001),
            PeerAs = new(65002),
            RouterId = new(1),
        };
        var session = new SessionSnapshot
        {
            Settings = settings,
            Phase = Phase.Active,
            Since = FakeSpeaker.At(9, 0, 0),
            Enabled = enabled,
        };
        var channel = new ChannelStatus(
            IpFamily.IPv4, true, new(importDefault ? "REJECT" : "ACCEPT", importDefault), new("REJECT"), null, default, UpdateCounts.None);
        var speaker = new FakeSpeaker();
        if (change != null) session = change(session);
        speaker.ProtocolList.Add(new("tor1", ProtocolKind.Bgp, enabled, true, FakeSpeaker.At(9, 0, 0))
        {
            Channels = [channel],
            Session = session,
        });
        return speaker;
    }

    private static async Task<string> AskAsync(FakeSpeaker speaker, string command, FakeDaemon? daemon = null)
    {
        await using var fixture = new SocketFixture(speaker, daemon);
        return fixture.Ask(command);
    }

    [Fact]
    public async Task A_configured_route_without_a_way_out_is_dormant_and_says_why()
    {
        var speaker = Speaker();
        speaker.ProtocolList.Add(new("static1", ProtocolKind.Static, true, true, FakeSpeaker.At(9, 0, 0))
        {
            Channels = [new(IpFamily.IPv4, true, new("ACCEPT"), new("REJECT"), null, default, UpdateCounts.None)],
        });
        const string Why = "172.16.0.1 is on no link of ours";
        var hop = new ConfiguredHop(new(Address.Parse("172.16.0.1"), 0), null, Why);
        speaker.ConfiguredRoutes = [new(Prefix.Parse("192.0.2.0/24"), Kernel.RouteType.Unicast, "static1", [hop])];
        var said = await AskAsync(speaker, "show static");
        Assert.Contains("192.0.2.0/24\n", said, StringComparison.Ordinal);
        Assert.Contains($"\tvia 172.16.0.1 (dormant: {Why})\n", said, StringComparison.Ordinal);
    }

    /// <summary>Beside a BIRD 2.0.12's lines for such sessions.</summary>
    [Theory]
    [InlineData("show bfd sessions")]
    [InlineData("show bfd sessions bfd1")]
    public async Task Bfd_sessions_stand_in_birds_columns(string command)
    {
        var speaker = Speaker();
        speaker.ProtocolList.Add(new("bfd1", ProtocolKind.Bfd, true, true, FakeSpeaker.At(9, 0, 0)));
        speaker.Bfd =
        [
            Session("10.9.0.2", "e0", BfdState.Up, 50, 150), Session("10.9.0.77", null, BfdState.Down, 1000, 0),
            Session("fd09::2", "e0", BfdState.Init, 200, 1000),
        ];
        Assert.Equal(
            """
            1020-bfd1:
             IP address                Interface  State      Since         Interval  Timeout
             10.9.0.2                  e0         Up         09:00:00.139    0.050    0.150
             10.9.0.77                 ---        Down       09:00:00.139    1.000    0.000
             fd09::2                   e0         Init       09:00:00.139    0.200    1.000
            0000 

            """, await AskAsync(speaker, command));
    }

    [Theory]
    [InlineData("show bfd sessions", "9001 There is no BFD protocol running\n")]
    [InlineData("show bfd sessions tor1", "9001 tor1: Not a BFD protocol\n")]
    [InlineData("show bfd sessions nix", "9001 syntax error, unexpected CF_SYM_UNDEFINED, expecting END or CF_SYM_KNOWN\n")]
    public async Task Without_bfd_bird_is_heard_to_say_so(string command, string expected) =>
        Assert.Equal(expected, await AskAsync(Speaker(), command));

    private static BfdNeighbour Session(string peer, string? link, BfdState state, int interval, int detection) => new(
        new()
        {
            Key = new(Address.Parse(peer), link == null ? 0 : 2, link == null),
            Times = BfdTimes.Default,
            State = state,
            Since = FakeSpeaker.At(9, 0, 0),
            Interval = TimeSpan.FromMilliseconds(interval),
            DetectionTime = TimeSpan.FromMilliseconds(detection),
            Counters = new(),
        },
        link, ["tor1"]);

    [Theory]
    [InlineData("disable tor1 \"moving racks\"", "0009-tor1: disabled", "disable tor1 moving racks")]
    [InlineData("restart 'tor1'", "0012-tor1: restarted", "restart tor1")]
    [InlineData("reload in \"t*\"", "0015-tor1: reloading", "reload tor1 In")]
    [InlineData("reload out tor1", "0015-tor1: reloading", "reload tor1 Out")]
    [InlineData("reload all", "0015-tor1: reloading", "reload tor1 Both")]
    public async Task A_peer_is_switched(string command, string reply, string asked)
    {
        var speaker = Speaker();
        Assert.Equal(reply + "\n0000 \n", await AskAsync(speaker, command));
        Assert.Equal([asked], speaker.Orders);
    }

    [Fact]
    public async Task A_disabled_peer_is_enabled() =>
        Assert.Equal("0011-tor1: enabled\n0000 \n", await AskAsync(Speaker(enabled: false), "enable tor1"));

    [Fact]
    public async Task A_disabled_peer_is_not_restarted() =>
        Assert.Equal("0008-tor1: already disabled\n0000 \n", await AskAsync(Speaker(enabled: false), "restart tor1"));

    [Theory]
    [InlineData("configure", "0002-Reading configuration from bgpd.yaml\n0003 Reconfigured\n", "configure  ")]
    [InlineData("configure soft \"a.yaml\"", "0002-Reading configuration from a.yaml\n0003 Reconfigured\n", "configure a.yaml ")]
    [InlineData(
        "configure timeout",
        "0002-Reading configuration from bgpd.yaml\n0022-Undo scheduled in 300 s\n0003 Reconfigured\n", "configure  300")]
    [InlineData(
        "configure \"a.yaml\" timeout 9", "0002-Reading configuration from a.yaml\n0022-Undo scheduled in 9 s\n0003 Reconfigured\n",
        "configure a.yaml 9")]
    [InlineData("configure check", "0002-Reading configuration from bgpd.yaml\n0020 Configuration OK\n", "check ")]
    [InlineData("configure check \"b.yaml\"", "0002-Reading configuration from b.yaml\n0020 Configuration OK\n", "check b.yaml")]
    public async Task A_configuration_is_taken(string command, string reply, string asked)
    {
        var daemon = new FakeDaemon();
        Assert.Equal(reply, await AskAsync(Speaker(), command, daemon));
        Assert.Equal([asked], daemon.Asked);
    }

    [Fact]
    public async Task A_wrong_configuration_is_refused_in_one_line() => Assert.Equal(
        "0002-Reading configuration from bgpd.yaml\n8002 bgpd.yaml:3:7: expected a number; got \"x\"; bgpd.yaml:9:1: bad\n",
        await AskAsync(Speaker(), "configure", new()
        {
            Problems = [new("bgpd.yaml:3:7", "expected a number\n  got \"x\"\n"), new("bgpd.yaml:9:1", "bad")],
        }));

    [Fact]
    public async Task An_unconfirmed_configuration_shows_when_it_ends()
    {
        await using var fixture = new SocketFixture(Speaker());
        fixture.Ask("configure timeout 60");
        Assert.Equal(
            "0003-Daemon is up and running\n0022-Configuration unconfirmed, undo in 60.000 s\n0000 \n", fixture.Ask("configure status"));
    }

    [Fact]
    public async Task A_confirmed_configuration_is_not_undone() =>
        Assert.Equal("0018 Reconfiguration confirmed\n", await AskAsync(Speaker(), "configure confirm", new() { Pending = true }));

    [Fact]
    public async Task Undo_goes_back() =>
        Assert.Equal("0021-Undo requested\n0003 Reconfigured\n", await AskAsync(Speaker(), "configure undo", new() { HasPrevious = true }));

    [Theory]
    [InlineData("down", "0007 Shutdown requested\n", false)]
    [InlineData("graceful restart", "0025 Graceful restart requested\n", true)]
    public async Task The_end_is_answered_before_the_daemon_ends(string command, string reply, bool forRestart)
    {
        var daemon = new FakeDaemon();
        Assert.Equal(reply, await AskAsync(Speaker(), command, daemon));
        Assert.Equal(forRestart, await daemon.Stopped.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Theory]
    [InlineData("configure"), InlineData("configure check"), InlineData("configure confirm"), InlineData("configure undo")]
    [InlineData("enable all")]
    [InlineData("disable tor1"), InlineData("restart tor1"), InlineData("reload tor1"), InlineData("debug all off"), InlineData("down")]
    [InlineData("graceful restart")]
    public async Task A_restricted_client_changes_nothing(string command)
    {
        await using var fixture = new SocketFixture(Speaker());
        using var client = fixture.Connect();
        client.ReadReply();
        Assert.Equal("0016 Access restricted\n", client.Ask("restrict"));
        Assert.Equal("8007 Access denied\n", client.Ask(command));
    }

    [Fact]
    public async Task A_peer_without_an_import_policy_says_so() => Assert.Contains(
        "     Input filter:   REJECT\n     Output filter:  REJECT\n",
        await AskAsync(Speaker(importDefault: true), "show protocols all tor1"), StringComparison.Ordinal);

    [Fact]
    public async Task Rfc8212_is_named_after_birds_own_lines() => Assert.Contains(
        "\n     Import policy:  none configured: RFC 8212 rejects\n \n0000 \n",
        await AskAsync(Speaker(importDefault: true), "show protocols all tor1"), StringComparison.Ordinal);

    [Theory]
    [InlineData(FaultKind.Socket, "Socket: Connection refused")]
    [InlineData(FaultKind.Sent, "BGP Error: Bad peer AS")]
    [InlineData(FaultKind.Received, "Received: Bad peer AS")]
    [InlineData(FaultKind.Stopped, "")]
    public async Task The_last_error_is_in_the_row(FaultKind kind, string words)
    {
        var notification = kind == FaultKind.Socket ? null : new Notification(ErrorCode.OpenMessage, 2);
        var fault = new SessionFault(kind, notification, "Connection refused", FakeSpeaker.At(9, 0, 0));
        var speaker = Speaker(session => session with { Faults = SessionFaults.None.With(fault) });
        Assert.Contains($"  Active        {words}\n", await AskAsync(speaker, "show protocols"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_notification_and_a_socket_error_stand_beside_each_other()
    {
        var faults = SessionFaults.None
            .With(new(FaultKind.Received, new(ErrorCode.OpenMessage, 2), "Bad peer AS", FakeSpeaker.At(9, 0, 0)))
            .With(new(FaultKind.Socket, null, "Connection reset by peer", FakeSpeaker.At(9, 0, 1)));
        Assert.Contains(
            """

                 Last error:       Received: Bad peer AS
                 Last notification: received 2026-11-21 09:00:00.139: Bad peer AS
                 Last socket error: 2026-11-21 09:00:01.139: Connection reset by peer

            """,
            await AskAsync(Speaker(session => session with { Faults = faults }), "show protocols all"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_old_time_is_a_date()
    {
        var speaker = Speaker();
        speaker.ProtocolList[0] = speaker.ProtocolList[0] with { Since = FakeSpeaker.At(10, 0, 0).AddHours(-20) };
        Assert.Contains(" up     2026-11-20    Active", await AskAsync(speaker, "show protocols"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_route_that_the_kernel_refused_has_an_exclamation_mark()
    {
        var speaker = Speaker();
        var route = FakeSpeaker.Route("192.0.2.0/24", RouteOrigin.Static, "static1", Kernel.RouteType.Blackhole);
        speaker.RouteList.Add(route with { KernelProblem = true });
        Assert.Contains("] ! (200)\n", await AskAsync(speaker, "show route"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 20u, false, "unicast [tor1 09:00:01.139] * (100/20) [i]\n \tvia 10.99.0.2 on if2\n")]
    [InlineData(true, null, false, "unicast [tor1 09:00:01.139] * (100/?) [i]\n")]
    [InlineData(false, null, false, "unreachable [tor1 09:00:01.139 from 10.99.0.2] * (100/-) [i]\n0000 \n")]
    [InlineData(true, 0u, true, "unicast [tor1 09:00:01.139] * (100s) [i]\n")]
    public async Task A_looked_up_next_hop_shows_its_cost(bool resolvable, uint? metric, bool stale, string row)
    {
        var speaker = Speaker();
        var route = FakeSpeaker.Bgp("192.0.2.0/24", "tor1", "10.99.0.2", new Canonical());
        var summary = route.Summary;
        if (stale) summary.Marks |= Wire.Attributes.AttributeMarks.LlgrStale;
        speaker.RouteList.Add(route with
        {
            Recursive = true,
            Resolvable = resolvable,
            IgpMetric = metric,
            // Of one that waits for its peer's return BIRD shows nothing.
            Stale = true,
            Summary = summary,
        });
        Assert.Contains(row, await AskAsync(speaker, "show route"), StringComparison.Ordinal);
    }

    /// <summary>As BIRD 2.0.12 has it, seen beside a neighbour that was killed.</summary>
    [Theory]
    [InlineData(false, "    Restart timer:    18.992/-\n", "    Neighbor GR:    Regular\n")]
    [InlineData(true, "    Neighbor graceful restart active\n", "    Neighbor GR:    Long-lived\n     LL stale timer: 18.992/-\n")]
    public async Task A_restarting_neighbour_is_told_by_its_timers(bool isLong, string timer, string channel)
    {
        var speaker = Speaker(session => session with { Phase = Phase.Active });
        speaker.ProtocolList[0] = speaker.ProtocolList[0] with
        {
            Up = false,
            Channels = [speaker.ProtocolList[0].Channels[0] with { Up = false }],
            Kept = [new(IpFamily.IPv4, isLong, TimeSpan.FromSeconds(18.992))],
        };
        var told = await AskAsync(speaker, "show protocols all tor1");
        foreach (var line in (string[])["    Neighbor graceful restart active\n", timer, channel])
            Assert.Contains(line, told, StringComparison.Ordinal);
        Assert.Contains("    State:          START\n", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Our_own_restart_is_told_by_what_it_waits_for()
    {
        var speaker = Speaker();
        speaker.Router = speaker.Router with
        {
            Recovery = new(Wire.FamilySet.Both, 2, TimeSpan.FromSeconds(118.5), TimeSpan.FromSeconds(120)),
        };
        Assert.Contains(
            "0024-Graceful restart recovery in progress\n   Waiting for 2 channels to recover\n   Wait timer is 118.500/120\n0013 ",
            await AskAsync(speaker, "show status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_route_from_a_peer_without_an_address_has_no_from()
    {
        var speaker = Speaker();
        speaker.RouteList.Add(FakeSpeaker.Bgp("192.0.2.0/24", "tor1", "10.99.0.2", new Canonical()) with { From = null });
        Assert.Contains("[tor1 09:00:01.139] *", await AskAsync(speaker, "show route"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peers_own_table_has_its_title()
    {
        var speaker = Speaker();
        speaker.Put(RouteSelection.Received, "tor1", FakeSpeaker.Bgp("192.0.2.0/24", "tor1", "10.99.0.2", new Canonical()));
        var answer = await AskAsync(speaker, "show route import table tor1.ipv4");
        Assert.StartsWith("1007-Table import:\n 192.0.2.0/24 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_protocol_is_left_to_the_speaker_where_nothing_is_counted()
    {
        var speaker = Speaker();
        await AskAsync(speaker, "show route protocol tor1");
        Assert.Equal(new RouteQuery(RouteSelection.All, IpFamily.IPv4, Protocol: "tor1"), speaker.LastQuery);
    }

    [Fact]
    public async Task Memory_is_shown_in_birds_columns()
    {
        var speaker = Speaker();
        speaker.Memory = new(33280, 2136, 49254, 32870, 200000);
        Assert.Equal(
            "1018-BIRD memory usage\n" +
            "                   Effective    Overhead\n" +
            " Routing tables:     32.5 kB      0.0  B\n" +
            " Route attributes: 2136.0  B      0.0  B\n" +
            " Protocols:          48.1 kB      0.0  B\n" +
            " Current config:     32.1 kB      0.0  B\n" +
            " Standby memory:      0.0  B     80.5 kB\n" +
            " Total:             114.8 kB     80.5 kB\n" +
            "0000 \n", await AskAsync(speaker, "show memory"));
    }
}
