// What others see of a drain (RFC 8326), and of routes that another program of our node announces.

using Calico.Bgp.Conformance.Routers;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Interop;

public sealed class DrainTests
{
    private const string Announced = "203.0.113.7/32";

    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp")]
    public async Task A_drained_neighbour_hears_of_it_loses_the_routes_then_the_session_and_gets_all_back(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new());
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();
        var ours = (BgpdRouter)lab.Ours;

        await ours.OrderAsync("POST", "/v1/drain?wait=10m&text=new%20cables");
        foreach (var prefix in Lab.OurRoutes)
            await Until.TrueAsync($"{prefix} is the last choice", () => IsLastChoiceAsync(lab, prefix), 30, lab.Said);
        await ours.OrderAsync("POST", "/v1/undrain");
        foreach (var prefix in Lab.OurRoutes)
            await Until.TrueAsync($"{prefix} is as before", async () => !await IsLastChoiceAsync(lab, prefix), 30, lab.Said);

        await ours.OrderAsync("POST", "/v1/drain?wait=0&text=new%20cables");
        foreach (var prefix in Lab.OurRoutes) await lab.GoneFromThemAsync(prefix);
        foreach (var neighbour in lab.TheirView)
            await Until.TrueAsync(
                $"{neighbour.Name} is down", async () => !await lab.Theirs.IsEstablishedAsync(neighbour), 30, lab.Said);
        await ours.OrderAsync("POST", "/v1/undrain");
        await lab.EstablishedAsync(60);
        await lab.RoutesBothWaysAsync();
        Matrix.Saw(peer, "drained by us (RFC 8326)", "graceful-shutdown heard, routes gone, session down, all back");
    }

    private static async Task<bool> IsLastChoiceAsync(Lab lab, string prefix) =>
        await lab.Theirs.RouteAsync(prefix) is { } route && route.TryGetValue(Seen.Communities, out var communities)
        && (communities.Contains("65535:0", StringComparison.Ordinal)
            || communities.Contains("graceful", StringComparison.OrdinalIgnoreCase));

    [Theory, Peer("bird"), Peer("frr")]
    public async Task A_program_of_our_node_announces_a_route_for_as_long_as_it_says_so(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, new());
        await lab.EstablishedAsync();
        var ours = (BgpdRouter)lab.Ours;
        await ours.OrderAsync("POST", "/v1/routes", $$"""{"prefix": "{{Announced}}", "communities": ["65001:5"], "producer": "metallb"}""");
        await Until.TrueAsync("they have it, with its community", async () =>
            (await lab.Theirs.RouteAsync(Announced))?.GetValueOrDefault(Seen.Communities) == "65001:5", 30, lab.Said);
        await ours.OrderAsync("DELETE", $"/v1/routes?prefix={Announced}&producer=metallb");
        await lab.GoneFromThemAsync(Announced);

        await ours.OrderAsync("POST", "/v1/routes", $$"""{"prefix": "{{Announced}}", "ttl": "3s"}""");
        await lab.SeenByThemAsync(Announced);
        await lab.GoneFromThemAsync(Announced);
        Matrix.Saw(peer, "a program's route", "comes with its community, and goes with its lease");
    }
}
