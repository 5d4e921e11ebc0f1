// Several paths of a prefix to and from real routers (RFC 7911): two neighbours announce the same prefix, and the router behind the one
// that they speak to has both.
using Calico.Bgp.Conformance.Routers;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Interop;

public sealed class AddPathTests
{
    private static readonly byte[] Attributes = RichRoute.Internal;

    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd")]
    public async Task Both_paths_of_a_prefix_are_told_and_each_is_taken_back_alone(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { Internal = true, WeReflect = true, TheyPassive = true, AddPath = "all" });
        await BothAsync(lab, "98", lab.Theirs, Lab.OurSide4, Lab.OurSide6);
        Matrix.Saw(peer, "ADD-PATH to them", "two paths, IPv4 and IPv6; one goes, one stays");
    }

    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd")]
    public async Task Both_paths_of_a_prefix_are_taken_in_and_each_goes_alone(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { Internal = true, TheyReflect = true, TheyPassive = true, AddPath = "all" });
        await BothAsync(lab, "97", lab.Ours, Lab.TheirSide4, Lab.TheirSide6);
        Matrix.Saw(peer, "ADD-PATH from them", "two paths, IPv4 and IPv6; one goes, one stays");
    }

    /// <summary>How many are told moves with the configuration; whether several are is the session's.</summary>
    [Theory, Peer("bird")]
    public async Task The_best_one_alone_and_all_again_come_by_a_reload_while_the_session_stands(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { Internal = true, WeReflect = true, TheyPassive = true, AddPath = "all" });
        await using var feed = await FeedAsync(lab, "10.98.0.2", Lab.OurSide4, RichRoute.IPv4);
        await using var other = await FeedAsync(lab, "10.98.0.3", Lab.OurSide4, RichRoute.IPv4);
        await lab.EstablishedAsync();
        await HasAsync(lab, lab.Theirs, RichRoute.IPv4, 2);
        var before = await SinceAsync(lab);
        await ReloadAsync(lab, "best 1");
        await HasAsync(lab, lab.Theirs, RichRoute.IPv4, 1);
        await ReloadAsync(lab, "equal");
        await HasAsync(lab, lab.Theirs, RichRoute.IPv4, 2);
        Assert.Equal(before, await SinceAsync(lab));
    }

    private static Task ReloadAsync(Lab lab, string send) => ((BgpdRouter)lab.Ours).ReconfigureAsync(lab.Ours.Spec with
    {
        Neighbours = [.. lab.Ours.Spec.Neighbours.Select(neighbour =>
            neighbour.AddPath == null ? neighbour : neighbour with { AddPath = send })],
    });

    private static Task<string> SinceAsync(Lab lab) => ((BirdcRouter)lab.Theirs).ChangesAsync("peer4");

    private static async Task BothAsync(Lab lab, string network, Router behind, string target4, string target6)
    {
        await using var feed4 = await FeedAsync(lab, $"10.{network}.0.2", target4, RichRoute.IPv4);
        await using var feed6 = await FeedAsync(lab, $"fd{network}::2", target6, RichRoute.IPv6);
        await using var other4 = await FeedAsync(lab, $"10.{network}.0.3", target4, RichRoute.IPv4);
        await using var other6 = await FeedAsync(lab, $"fd{network}::3", target6, RichRoute.IPv6);
        await lab.EstablishedAsync();
        foreach (var prefix in (string[])[RichRoute.IPv4, RichRoute.IPv6]) await HasAsync(lab, behind, prefix, 2);
        await feed4.DisposeAsync();
        await feed6.DisposeAsync();
        foreach (var prefix in (string[])[RichRoute.IPv4, RichRoute.IPv6]) await HasAsync(lab, behind, prefix, 1);
    }

    private static Task HasAsync(Lab lab, Router router, string prefix, int paths) => Until.TrueAsync(
        $"{paths} path(s) of {prefix}", async () => await router.PathsAsync(prefix) == paths, 30, lab.Said);

    private static async Task<ScriptedPeer> FeedAsync(Lab lab, string source, string target, string prefix)
    {
        var last = source[^1];
        var feeder = await ScriptedPeer.EstablishAsync(
            lab.Feeder, source, target, Lab.OurAs, source.Contains(':') ? $"10.96.6.{last}" : $"10.96.4.{last}");
        await feeder.AnnounceAsync(prefix, source, Attributes);
        return feeder;
    }
}
