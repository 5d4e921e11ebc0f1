// Neighbours that die, freeze, or say something that they should not have.
using Calico.Bgp.Conformance.Routers;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Interop;

public sealed class KilledTests
{
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd"), Peer("exabgp")]
    public async Task A_killed_neighbour_takes_its_routes_along_and_brings_them_back(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new());
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();

        await lab.Theirs.KillAsync();
        foreach (var prefix in Lab.TheirRoutes) await lab.GoneFromUsAsync(prefix);

        await lab.Theirs.StartAsync();
        await lab.EstablishedAsync(90);
        await lab.RoutesBothWaysAsync();
        Matrix.Saw(peer, "killed (-9) and restarted", "routes gone, session and routes back");
    }
}

public sealed class FrozenTests
{
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd"), Peer("exabgp")]
    public async Task A_frozen_neighbour_runs_into_the_hold_timer(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { Hold = 3 });
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();

        await lab.Theirs.SignalAsync("STOP");
        foreach (var neighbour in lab.OurView)
            await Until.TrueAsync($"we give {neighbour.Name} up", async () => !await lab.Ours.IsEstablishedAsync(neighbour), 10, lab.Said);
        foreach (var prefix in Lab.TheirRoutes) await lab.GoneFromUsAsync(prefix);

        await lab.Theirs.SignalAsync("CONT");
        await lab.EstablishedAsync(90);
        Matrix.Saw(peer, "stopped (SIGSTOP)", "hold timer expired, routes gone, session back after SIGCONT");
    }
}

public sealed class MalformedTests
{

    /// <summary>An UPDATE whose withdrawn routes are longer than itself (RFC 4271 section 6.3).</summary>
    private static readonly byte[] Overrun = Octets.Message(Octets.Update, Octets.Hex("0005 18 00 00"));

    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd"), Peer("exabgp")]
    public async Task A_malformed_message_resets_one_session_and_both_sides_come_back(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { Tapped = true, TheyPassive = true });
        await using var other = await ScriptedPeer.EstablishAsync(lab.Feeder, "10.98.0.2", Lab.OurSide4, Lab.FeederAs, "10.98.0.2");
        await lab.EstablishedAsync();
        await lab.SeenByUsAsync(Lab.TheirRoutes[0]);

        Assert.True(await lab.Tap4!.InjectIntoFirstAsync(Overrun));
        await Until.TrueAsync("we send a NOTIFICATION", () => lab.Tap4.Count(true, Octets.Notification) > 0, 10, lab.Said);
        var notification = lab.Tap4.Passed.First(one => one.FromFirst && one.Message[18] == Octets.Notification).Message;
        Assert.Equal((3, 1), (notification[19], notification[20]));

        await lab.EstablishedAsync(120);
        await lab.SeenByUsAsync(Lab.TheirRoutes[0]);
        await lab.SeenByThemAsync(Lab.OurRoutes[0]);
        Assert.True(lab.Theirs.Alive && !other.Closed && other.Notification == null);
        Matrix.Saw(peer, "reset by a malformed message", "3/1 sent, they live, session and routes back");
    }
}

public sealed class RefreshTests
{
    /// <remarks>GoBGP never asks: its <c>softresetin</c> reads its own Adj-RIB-In again.</remarks>
    [Theory, Peer("bird"), Peer("frr"), Peer("openbgpd"), Peer("exabgp")]
    public async Task They_ask_for_a_refresh_and_our_routes_come_again(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { Tapped = true, TheyPassive = true });
        await lab.EstablishedAsync();
        await lab.SeenByThemAsync(Lab.OurRoutes[0]);

        await lab.Theirs.AskRefreshAsync(lab.TheirView[0]);
        await Until.TrueAsync("they send a ROUTE-REFRESH", () => lab.Tap4!.Count(false, Octets.RouteRefresh) > 0, 10, lab.Said);
        await Until.TrueAsync("we announce again", () => Announced(lab, true, Lab.OurRoutes[0]) >= 2, 30, lab.Said);
        Matrix.Saw(peer, "route refresh, they ask", "our routes come again");
    }

    /// <remarks>
    /// OpenBGPD 7.7 takes the request and sends nothing again. FRR 8.4 answers a neighbour with enhanced refresh only after its own
    /// End-of-RIB, and sends that only to those that announce graceful restart.
    /// </remarks>
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("exabgp")]
    public async Task We_ask_for_a_refresh_and_their_routes_come_again(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { Tapped = true, TheyPassive = true, AnnounceRestart = true });
        await lab.EstablishedAsync();
        await lab.SeenByUsAsync(Lab.TheirRoutes[0]);

        // Some take a request that comes while they still pack their first table for answered; so it is made again.
        for (var asked = 1; asked <= 5 && Announced(lab, false, Lab.TheirRoutes[0]) < 2; asked++)
        {
            await lab.Ours.AskRefreshAsync(lab.OurView[0]);
            await Until.TrueAsync("we send a ROUTE-REFRESH", () => lab.Tap4!.Count(true, Octets.RouteRefresh) >= asked, 10, lab.Said);
            await Until.WithinAsync(5, () => Announced(lab, false, Lab.TheirRoutes[0]) >= 2);
        }
        Assert.True(Announced(lab, false, Lab.TheirRoutes[0]) >= 2, "they never announced again; what passed:\n" + lab.Tap4);
        Matrix.Saw(peer, "route refresh, we ask", "their routes come again");
    }

    private static int Announced(Lab lab, bool byUs, string prefix) =>
        lab.Tap4!.Passed.Where(one => one.FromFirst == byUs && one.Message[18] == Octets.Update)
            .Count(one => UpdateReader.Read(one.Message).Announced.Contains(prefix));
}
