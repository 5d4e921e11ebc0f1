using System.Text.Json;
using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Interop;

/// <summary>Packets go on while the node's daemon is ended, killed, or another one takes over.</summary>
public sealed class NodeRestartTests
{
    /// <summary>Of 2,000 packets a second and family, both ways, none is lost while the node's daemon ends and comes back.</summary>
    [Theory, Peer("bird"), Peer("frr")]
    public Task No_packet_is_lost_when_the_daemon_is_ended_and_started_again(string peer) => RestartAsync(peer, "TERM");

    [Theory, Peer("bird"), Peer("frr")]
    public Task No_packet_is_lost_when_the_daemon_is_killed_and_started_again(string peer) => RestartAsync(peer, "KILL");

    /// <summary>
    /// Neither is a session ended or a route told again or withdrawn, by the ToR's own counts, while another process takes over: once, and
    /// once more; and what changes afterwards is heard on the same sessions.
    /// </summary>
    [Theory, Peer("bird"), Peer("frr")]
    public async Task No_packet_is_lost_and_no_peer_notices_when_another_process_takes_over(string peer)
    {
        await using var lab = await RestartLab.MakeAsync(peer);
        await lab.StartTorAsync();
        await lab.StartNodeAsync();
        await lab.RoutesBothWaysAsync();
        using var four = new Traffic(lab, "10.97.0.2", "10.244.7.2");
        using var six = new Traffic(lab, "fd97::2", "fd44:7::2");
        await Until.TrueAsync("packets pass", () => four.Back > 1000 && six.Back > 1000, 20, () => lab.Said);
        var before = await lab.TorSessionsAsync();
        Assert.Contains("it is no program", await lab.RefusedUpgradeAsync("/tmp"), StringComparison.Ordinal);
        Assert.Contains(
            "has ended with exit code 7", await lab.RefusedUpgradeAsync(lab.Program("ends", "#!/bin/sh\nexit 7\n")),
            StringComparison.Ordinal);
        Assert.Contains(
            "had not begun within 500ms",
            await lab.RefusedUpgradeAsync(lab.Program("hangs", "#!/bin/sh\nexec sleep 600\n"), "--within", "500ms"),
            StringComparison.Ordinal);
        for (var time = 0; time < 2; time++)
        {
            await lab.UpgradeNodeAsync();
            var at = (four.Sent, six.Sent);
            // More than the hold time, so that it is the new process's keepalives that count.
            await Until.TrueAsync("packets pass", () => four.Sent > at.Item1 + 24_000 && six.Sent > at.Item2 + 24_000, 60);
        }
        Assert.Equal(before, await lab.TorSessionsAsync());
        var (lost4, sent4) = await four.EndAsync();
        var (lost6, sent6) = await six.EndAsync();
        Assert.True((lost4, lost6) == (0, 0), $"lost {lost4} of {sent4} (IPv4), {lost6} of {sent6} (IPv6)\n{lab.Said}");
        await lab.Node.IpAsync($"route del {RestartLab.Pods4} via 10.98.0.2 proto 80");
        await Until.TrueAsync(
            "the ToR hears of it", async () => !await RestartLab.HasAsync(lab.Tor, RestartLab.Pods4), 20, () => Task.FromResult(lab.Said));
        Matrix.Saw(peer, "our upgrade, twice, 2,000 packets/s", "none lost, sessions and counts as before");
    }

    /// <summary>BFD would have each of them take the other for lost within a second; it sees one session at both ends.</summary>
    [Theory, Peer("bird")]
    public async Task What_bfd_watches_goes_on_when_another_process_takes_over(string peer)
    {
        await using var lab = await RestartLab.MakeAsync(peer, isWatched: true);
        await lab.StartTorAsync();
        await lab.StartNodeAsync();
        await lab.RoutesBothWaysAsync();
        await Until.TrueAsync("BFD is up",
            async () => await WatchedAsync(lab) is [("up", 1, 0, _), ("up", 1, 0, _)], 20, () => SaidAsync(lab));
        var before = await lab.TorSessionsAsync();
        var watched = await WatchedAsync(lab);
        for (var time = 0; time < 2; time++)
        {
            await lab.UpgradeNodeAsync();
            var heard = await HeardAsync(lab);
            // More than either would wait for the other.
            await Until.TrueAsync("packets of BFD come", async () => await HeardAsync(lab) > heard + 40, 30, () => SaidAsync(lab));
        }
        Assert.Equal(watched, await WatchedAsync(lab));
        Assert.Equal(before, await lab.TorSessionsAsync());
        Matrix.Saw(peer, "our upgrade, twice, with BFD", "one session of BFD at both ends");
    }

    private static async Task<string> SaidAsync(RestartLab lab) => $"{await lab.BgpctlAsync("bfd")}\n{lab.Said}";

    private static async Task<JsonElement[]> BfdAsync(RestartLab lab) =>
        [.. JsonDocument.Parse(await lab.BgpctlAsync("bfd", "--json")).RootElement.EnumerateArray()];

    private static async Task<(string, int, int, uint)[]> WatchedAsync(RestartLab lab) =>
    [
        .. (await BfdAsync(lab)).Select(one => (one.GetProperty("state").GetString()!, one.GetProperty("upTransitions").GetInt32(),
            one.GetProperty("losses").GetInt32(), one.GetProperty("localDiscriminator").GetUInt32())),
    ];

    private static async Task<long> HeardAsync(RestartLab lab) =>
        (await BfdAsync(lab)).Min(one => one.GetProperty("packetsReceived").GetInt64());

    /// <summary>
    /// Routes come and go at both ends while one process takes over from another, three times: what is there at last is there at both ends,
    /// once, and in both kernels, and the sessions are those of the beginning.
    /// </summary>
    [Theory, Peer("bird"), Peer("frr")]
    public async Task Routes_that_come_and_go_while_another_process_takes_over_are_the_same_at_both_ends(string peer)
    {
        await using var lab = await RestartLab.MakeAsync(peer);
        await lab.StartTorAsync();
        await lab.StartNodeAsync();
        await lab.RoutesBothWaysAsync();
        var before = await lab.TorSessionsAsync(andCounts: false);
        using var ending = new CancellationTokenSource();
        var churn = Restless.ChurnAsync(lab, ending.Token);
        for (var time = 0; time < 3; time++) await lab.UpgradeNodeAsync();
        await ending.CancelAsync();
        var isThere = await churn;
        // All, or none, would be what a table that was never renewed has, too.
        for (var group = 0; group < Restless.Groups; group++)
        {
            if (isThere[group] == (group % 2 == 0)) continue;
            await lab.TorAnnouncesAsync(group, !isThere[group]);
            await lab.NodeHasRoutesAsync(group, !isThere[group]);
        }
        var some = Enumerable.Range(0, Restless.Groups).Where(group => group % 2 == 0).ToArray();
        var (ofTor, ofNode) = (
            string.Join(' ', some.SelectMany(Restless.Tor).Order(StringComparer.Ordinal)),
            string.Join(' ', some.SelectMany(Restless.Node).Order(StringComparer.Ordinal)));
        await Until.TrueAsync(
            "the node has the ToR's routes", async () => await lab.NodeHasAsync("10.100.") == (ofTor, ofTor), 30,
            async () => $"expected {ofTor}, got {await lab.NodeHasAsync("10.100.")}\n{lab.Said}");
        await Until.TrueAsync(
            "the ToR has the node's routes", async () => await lab.TorHasAsync("10.245.") == (ofNode, ofNode), 30,
            async () => $"expected {ofNode}, got {await lab.TorHasAsync("10.245.")}\n{lab.Said}");
        Assert.Equal(before, await lab.TorSessionsAsync(andCounts: false));
        Matrix.Saw(peer, "our upgrade, three times, while routes come and go", "the same at both ends");
    }

    /// <summary>The ToR's BGP is away while one process takes over from another, and back later: packets go by what it had said.</summary>
    [Theory, Peer("bird"), Peer("frr")]
    public async Task No_packet_is_lost_when_another_process_takes_over_the_routes_that_a_lost_ToR_left(string peer)
    {
        await using var lab = await RestartLab.MakeAsync(peer);
        await lab.StartTorAsync();
        await lab.StartNodeAsync();
        await lab.RoutesBothWaysAsync();
        using var four = new Traffic(lab, "10.97.0.2", "10.244.7.2");
        await Until.TrueAsync("packets pass", () => four.Back > 1000, 20, () => lab.Said);
        await lab.KillTorAsync();
        await lab.RouteIsAsync(RestartLab.Server4, "stale");
        await lab.RouteIsAsync(RestartLab.Server6, "stale");
        await lab.UpgradeNodeAsync(sessions: 0);
        await lab.RouteIsAsync(RestartLab.Server4, "stale");
        var at = four.Sent;
        await Until.TrueAsync("packets pass meanwhile", () => four.Sent > at + 4000);
        await lab.StartTorAsync(recovers: true);
        await lab.RouteIsAsync(RestartLab.Server4, "fresh");
        await lab.RouteIsAsync(RestartLab.Server6, "fresh");
        var (lost, sent) = await four.EndAsync();
        Assert.True(lost == 0, $"lost {lost} of {sent}\n{lab.Said}");
        Matrix.Saw(peer, "our upgrade while the ToR restarts, 2,000 packets/s", "none lost, its routes stay stale until it is back");
    }

    [Theory, Peer("bird")]
    public async Task An_upgrade_that_cannot_be_now_is_refused_and_the_next_is_none_the_worse(string peer)
    {
        await using var lab = await RestartLab.MakeAsync(peer);
        await lab.StartTorAsync();
        await lab.StartNodeAsync();
        await lab.RoutesBothWaysAsync();
        var before = await lab.TorSessionsAsync();
        // A daemon that is compiled at run time loads what it needs for it while there are descriptors.
        await lab.RefusedUpgradeAsync(lab.Program("ends", "#!/bin/sh\nexit 7\n"));
        await lab.LimitNodeAsync(3);
        await lab.SignalledUpgradeAsync("Too many open files");
        await lab.LimitNodeAsync(1024);
        await lab.OurBirdcAsync("configure", "timeout", "300");
        Assert.Contains("the configuration is not confirmed", await lab.RefusedUpgradeAsync(), StringComparison.Ordinal);
        await lab.OurBirdcAsync("configure", "confirm");
        Assert.Contains("nothing changes", await lab.BgpctlAsync("reload"), StringComparison.Ordinal);
        await lab.UpgradeNodeAsync();
        Assert.Equal(before, await lab.TorSessionsAsync());
    }

    private static async Task RestartAsync(string peer, string signal)
    {
        await using var lab = await RestartLab.MakeAsync(peer);
        await lab.StartTorAsync();
        await lab.StartNodeAsync();
        await lab.RoutesBothWaysAsync();
        using var four = new Traffic(lab, "10.97.0.2", "10.244.7.2");
        using var six = new Traffic(lab, "fd97::2", "fd44:7::2");
        await Until.TrueAsync("packets pass", () => four.Back > 1000 && six.Back > 1000, 20, () => lab.Said);
        var monitor = (await lab.Tor.RunAsync("ip", "route")).Output;

        await lab.EndNodeAsync(signal);
        // The ToR sees the loss by then, and packets go on without anybody who says so.
        var at = (four.Sent, six.Sent);
        await Until.TrueAsync("packets pass meanwhile", () => four.Sent > at.Item1 + 4000 && six.Sent > at.Item2 + 4000);
        await lab.StartNodeAsync();
        await Until.TrueAsync(
            "the node is ready", async () => (await lab.BgpctlAsync("status")).Contains("state       ready"), 90,
            () => Task.FromResult(lab.Said));
        await lab.RouteIsAsync(RestartLab.Server4, "fresh");
        await lab.RouteIsAsync(RestartLab.Server6, "fresh");
        // What the ToR has not heard again by the End-of-RIB would be gone by now, and what the node sweeps.
        at = (four.Sent, six.Sent);
        await Until.TrueAsync("packets pass afterwards", () => four.Sent > at.Item1 + 8000 && six.Sent > at.Item2 + 8000);
        var (lost4, sent4) = await four.EndAsync();
        var (lost6, sent6) = await six.EndAsync();
        Assert.True((lost4, lost6) == (0, 0), $"lost {lost4} of {sent4} (IPv4), {lost6} of {sent6} (IPv6)\n{lab.Said}");
        Assert.Equal(monitor, (await lab.Tor.RunAsync("ip", "route")).Output);
        Matrix.Saw(peer, $"our restart ({(signal == "KILL" ? "-9" : "SIGTERM")}), 2,000 packets/s", "none lost, both families");
    }

    /// <summary>RFC 8538: FRR 8.4 has the N bit.</summary>
    [Theory, Peer("frr")]
    public async Task An_operators_reset_leaves_their_routes_of_us_and_a_disabled_session_is_a_hard_reset(string peer)
    {
        await using var lab = await RestartLab.MakeAsync(peer);
        await lab.StartTorAsync();
        await lab.StartNodeAsync();
        await lab.RoutesBothWaysAsync();
        Assert.Contains("\"notificationRestart\":true", await lab.BgpctlAsync("peers", "tor4", "--json"), StringComparison.Ordinal);
        await lab.BgpctlAsync("peers", "tor4", "disable");
        await Until.TrueAsync(
            "its route of us is gone", async () => !await RestartLab.HasAsync(lab.Tor, RestartLab.Pods4), 20,
            () => Task.FromResult(lab.Said));
        Assert.Contains("Hard Reset", await lab.VtyAsync("show bgp neighbors 10.99.0.1"), StringComparison.Ordinal);
        Matrix.Saw(peer, "disabled by the operator (RFC 8538)", "6/9, routes gone at once");
    }
}
