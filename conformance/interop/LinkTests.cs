// A session hears of its link. The hold time is longer than any test waits: it is never the reason.
using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Interop;

public sealed class LinkTests
{
    private static readonly Lab.Options Patient = new() { Hold = 240 };

    [Theory, Peer("bird")]
    public async Task A_link_that_is_set_down_ends_its_sessions_and_brings_them_back(string peer)
    {
        await using var lab = await UpAsync(peer);
        await lab.Us.IpAsync("link set eth0 down");
        await LostAsync(lab, "Error: Link down", "peer4", "peer6");
        await lab.Us.IpAsync("link set eth0 up");
        await lab.Us.IpAsync($"addr add {Lab.Our6}/64 dev eth0 nodad");
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();
    }

    [Theory, Peer("bird")]
    public async Task A_lost_carrier_ends_its_sessions_and_brings_them_back(string peer)
    {
        await using var lab = await UpAsync(peer);
        await lab.Them.IpAsync("link set eth0 down");
        await LostAsync(lab, "Error: Link down", "peer4", "peer6");
        await lab.Them.IpAsync("link set eth0 up");
        await lab.Them.IpAsync($"addr add {Lab.Their6}/64 dev eth0 nodad");
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();
    }

    /// <summary>Its name and addresses are those of the old one; its number is not.</summary>
    [Theory, Peer("bird")]
    public async Task A_link_that_is_deleted_and_made_anew_has_its_sessions_again_at_once(string peer)
    {
        await using var lab = await UpAsync(peer);
        await lab.Us.IpAsync("link del eth0");
        await Netns.JoinAsync(
            lab.Us, "eth0", [Lab.Our4 + "/24", Lab.Our6 + "/64"], lab.Them, "eth0", [Lab.Their4 + "/24", Lab.Their6 + "/64"]);
        foreach (var name in (string[])["peer4", "peer6"])
            await Until.TrueAsync(
                $"{name} has ended with the old link", () => lab.Ours.Said.Contains($"{name}: down: Way: Link down"), 20, lab.Said);
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();
    }

    [Theory, Peer("bird")]
    public async Task An_address_that_is_removed_ends_its_session_alone_and_brings_it_back(string peer)
    {
        await using var lab = await UpAsync(peer);
        await lab.Us.IpAsync($"addr del {Lab.Our4}/24 dev eth0");
        await LostAsync(lab, "Error: Address gone", "peer4");
        Assert.True(await lab.Ours.IsEstablishedAsync(lab.OurView[1]));
        await lab.Us.IpAsync($"addr add {Lab.Our4}/24 dev eth0");
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();
    }

    private static async Task<Lab> UpAsync(string peer)
    {
        var lab = await Lab.MakeAsync(peer, Patient);
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();
        return lab;
    }

    /// <summary>The reason stands where BIRD has it, and the routes are gone.</summary>
    private static async Task LostAsync(Lab lab, string why, params string[] peers)
    {
        var ours = (BirdcRouter)lab.Ours;
        foreach (var peer in peers)
            await Until.TrueAsync(
                $"{peer} ends: {why}",
                async () => (await ours.AskAsync($"show protocols all {peer}")).Contains($"Last error:       {why}"), 20, lab.Said);
        foreach (var prefix in Lab.TheirRoutes.Where(prefix => prefix.Contains(':') ? peers.Contains("peer6") : peers.Contains("peer4")))
            await lab.GoneFromUsAsync(prefix);
    }
}
