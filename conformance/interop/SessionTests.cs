// Sessions with real routers: who dials, MD5, and routes of both families both ways; then withdrawals.

using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Interop;

public sealed class WeDialTests
{
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd"), Peer("exabgp")]
    public async Task We_dial_and_routes_of_both_families_go_both_ways(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { TheyPassive = true });
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();
        Matrix.Saw(peer, "session, we dial", "up, IPv4 and IPv6 routes both ways");
    }
}

public sealed class TheyDialTests
{
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd"), Peer("exabgp")]
    public async Task They_dial_and_routes_of_both_families_go_both_ways(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { WePassive = true });
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();
        Matrix.Saw(peer, "session, they dial", "up, IPv4 and IPv6 routes both ways");
    }
}

public sealed class RangeTests
{
    /// <summary>The key is the range's, and stands on our listening sockets before anybody has called.</summary>
    [Theory, Peer("bird"), Peer("frr")]
    public async Task Neighbours_that_we_know_by_their_range_call_signed_and_come_back_by_the_same_name(string peer)
    {
        await using var lab = await Lab.MakeAsync(
            peer, new() { WeKnowRanges = true, OurPassword = "c0nf-secret", TheirPassword = "c0nf-secret" });
        await lab.EstablishedAsync(60);
        await lab.RoutesBothWaysAsync();

        await lab.Theirs.KillAsync();
        foreach (var prefix in Lab.TheirRoutes) await lab.GoneFromUsAsync(prefix);
        await lab.Theirs.StartAsync();
        await lab.EstablishedAsync(60);
        await lab.RoutesBothWaysAsync();
        Matrix.Saw(peer, "known by range, MD5", "up, gone and back");
    }
}

public sealed class WithdrawalTests
{
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd"), Peer("exabgp")]
    public async Task A_withdrawn_route_goes_from_the_other_side_and_comes_back(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { TheyPassive = true });
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();

        await lab.Ours.OriginateAsync([]);
        await lab.Theirs.OriginateAsync([]);
        foreach (var prefix in Lab.OurRoutes) await lab.GoneFromThemAsync(prefix);
        foreach (var prefix in Lab.TheirRoutes) await lab.GoneFromUsAsync(prefix);

        await lab.Ours.OriginateAsync(Lab.OurRoutes);
        await lab.Theirs.OriginateAsync(Lab.TheirRoutes);
        await lab.RoutesBothWaysAsync();
        Matrix.Saw(peer, "withdrawals", "gone and back, both families, both ways");
    }
}

public sealed class Md5Tests
{
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd"), Peer("exabgp")]
    public async Task A_session_signed_with_one_key_comes_up(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { OurPassword = "c0nf-secret", TheirPassword = "c0nf-secret" });
        await lab.EstablishedAsync(60);
        await lab.RoutesBothWaysAsync();
        Matrix.Saw(peer, "MD5", "up with the same key");
    }
}

public sealed class WrongKeyTests
{
    [Theory, Peer("bird")]
    public async Task A_session_signed_with_another_key_stays_down_and_harms_no_other(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { OurPassword = "c0nf-secret", TheirPassword = "another" });
        await using var other = await Wire.ScriptedPeer.EstablishAsync(lab.Feeder, "10.98.0.2", Lab.OurSide4, Lab.FeederAs, "10.98.0.2");
        Assert.False(await lab.Ours.IsEstablishedAsync(lab.OurView[0]));
        // Neither kernel answers what is signed with another key: the silence and the counters are told.
        var ours = (BirdcRouter)lab.Ours;
        await Until.TrueAsync(
            "the silence is told",
            async () => await ours.AskAsync("show protocols all peer4") is var said
                && said.Contains("Last error:       Socket: No answer though a password is set") && said.Contains("TCPMD5Failure"),
            30, lab.Said);
    }
}
