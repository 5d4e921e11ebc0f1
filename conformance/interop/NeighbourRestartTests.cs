using System.Text.RegularExpressions;
using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Interop;

/// <summary>A ToR that restarts, or goes, beside our daemon (RFC 4724, RFC 9494).</summary>
public sealed partial class NeighbourRestartTests
{
    /// <summary>LLGR_STALE, as BIRD, FRR and GoBGP write it.</summary>
    [GeneratedRegex(@"\(65535,6\)|llgr-stale|65535:6")]
    private static partial Regex LongStale();

    /// <summary>RFC 4724 section 4.2 (conformance G01).</summary>
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp")]
    public async Task A_restarting_neighbours_routes_stay_in_the_kernel_stale_until_it_has_said_them_again(string peer)
    {
        await using var lab = await RestartLab.MakeAsync(peer);
        lab.TorRoutes = ["198.51.100.0/24", "2001:db8:b::/48"];
        await lab.StartTorAsync();
        await lab.StartNodeAsync();
        if (lab.TorRoutesPackets) await lab.RoutesBothWaysAsync();
        foreach (var route in lab.TorRoutes) await lab.RouteIsAsync(route, "fresh", 60);
        string[] lasting = [.. lab.TorRoutesPackets ? [RestartLab.Server4, RestartLab.Server6] : Array.Empty<string>(), "2001:db8:b::/48"];

        await lab.KillTorAsync();
        foreach (var prefix in (string[])[.. lasting, "198.51.100.0/24"])
        {
            await lab.RouteIsAsync(prefix, "stale");
            Assert.True(await RestartLab.HasAsync(lab.Node, prefix));
        }
        var told = await lab.OurBirdcAsync("show", "protocols", "all", "tor4");
        Assert.Contains("Neighbor graceful restart active", told, StringComparison.Ordinal);
        Assert.Contains("Neighbor GR:    Regular", told, StringComparison.Ordinal);
        Assert.Matches("stale for (1m|[1-9]s|[1-5][0-9]s) yet", await lab.BgpctlAsync("explain", "route", "198.51.100.0/24"));

        lab.TorRoutes = ["2001:db8:b::/48"];
        await lab.StartTorAsync(recovers: true);
        foreach (var prefix in lasting) await lab.RouteIsAsync(prefix, "fresh", 60);
        await lab.RouteIsAsync("198.51.100.0/24", "gone", 60);
        Matrix.Saw(peer, "their restart, state preserved", "routes stale in the kernel, confirmed; what they no longer have gone");
    }

    /// <summary>RFC 4724: the F bit is 0 (conformance G03).</summary>
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp")]
    public async Task One_that_has_preserved_nothing_loses_its_routes_when_it_is_back(string peer)
    {
        await using var lab = await RestartLab.MakeAsync(peer);
        lab.TorRoutes = ["198.51.100.0/24"];
        await lab.StartTorAsync();
        await lab.StartNodeAsync();
        await lab.RouteIsAsync("198.51.100.0/24", "fresh", 60);
        await lab.KillTorAsync();
        await lab.RouteIsAsync("198.51.100.0/24", "stale");
        lab.TorRoutes = [];
        await lab.StartTorAsync();
        await lab.RouteIsAsync("198.51.100.0/24", "gone", 60);
        Matrix.Saw(peer, "their restart, state lost", "their stale routes gone when they are back");
    }

    /// <summary>RFC 9494 (conformance G02, G05), and theirs of ours.</summary>
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp")]
    public async Task Long_lived_routes_are_the_last_resort_and_go_in_time_on_both_sides(string peer)
    {
        const string Theirs = "198.51.100.0/24";
        await using var lab = await RestartLab.MakeAsync(peer, isLongLived: true);
        lab.TorRoutes = [Theirs];
        await lab.StartTorAsync();
        await lab.StartNodeAsync();
        if (lab.TorRoutesPackets) await lab.RoutesBothWaysAsync();
        await lab.RouteIsAsync(Theirs, "fresh", 60);
        await lab.KillTorAsync();
        await lab.RouteIsAsync(Theirs, "stale");
        await Until.TrueAsync(
            "it is long stale", async () => (await lab.RouteAsync(Theirs)).Communities.Contains("65535:6"), 20,
            () => Task.FromResult(lab.Said));
        var told = await lab.OurBirdcAsync("show", "protocols", "all", "tor4");
        Assert.Contains("Neighbor GR:    Long-lived", told, StringComparison.Ordinal);
        await lab.RouteIsAsync(Theirs, "gone");

        await lab.StartTorAsync();
        await Until.TrueAsync(
            "they have ours", async () => await lab.TorSaysOfAsync(RestartLab.Pods4) is { Length: > 0 }, 60,
            () => Task.FromResult(lab.Said));
        await lab.RouteIsAsync(Theirs, "fresh", 60);
        await lab.EndNodeAsync("TERM");
        await Until.TrueAsync(
            "they keep ours as the last resort", async () => LongStale().IsMatch(await lab.TorSaysOfAsync(RestartLab.Pods4)), 30,
            async () => await lab.TorSaysOfAsync(RestartLab.Pods4) + lab.Said);
        if (lab.TorRoutesPackets) Assert.True(await RestartLab.HasAsync(lab.Tor, RestartLab.Pods4));
        await Until.TrueAsync(
            "and lose it", async () => await lab.TorSaysOfAsync(RestartLab.Pods4) == "", 30, () => Task.FromResult(lab.Said));
        Matrix.Saw(peer, "long-lived graceful restart", "last resort, then gone, both ways");
    }
}
