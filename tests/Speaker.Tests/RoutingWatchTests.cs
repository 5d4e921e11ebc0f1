using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>What those are told who decide by where packets go.</summary>
public class RoutingWatchTests
{
    private const string Four = "203.0.113.0/24", Default = "0.0.0.0/0";
    private static readonly ResourceId Tor = new(Kinds.BgpPeer, new("tor"));

    [Fact]
    public async Task A_best_route_leads_to_the_peer_that_brought_it_and_own_ones_to_nobody()
    {
        await using var pair = await new Pair(config => config.Routes(Four), config => config.Routes(Default)).UpAsync();
        var ways = new Dictionary<Prefix, ListOf<string>?>();
        var watch = new RoutingWatch(pair.B.View, new());
        watch.Begin();
        await Until.TrueAsync(() =>
        {
            foreach (var (prefix, peers) in watch.Arrived()) ways[prefix] = peers;
            return ways.Count == 2;
        });
        Assert.Equal(["a"], ways[Prefix.Parse(Four)]!.Value);
        Assert.Empty(ways[Prefix.Parse(Default)]!.Value);
        watch.End();
    }

    [Fact]
    public async Task A_peer_is_told_of_with_its_object_and_with_what_it_knows_of_the_prefixes()
    {
        await using var pair = await new Pair(
            config => config.Routes(Four, "198.51.100.0/24").Peer(peer => peer with { Origin = PeerOrigin.Of(Tor) })).UpAsync();
        var watch = new RoutingWatch(pair.A.View, new());
        ListOf<Prefix> pools = [Prefix.Parse("203.0.0.0/16")];
        await Until.TrueAsync(async () => (await watch.PeersAsync(pools, default)).Single().Announced.Count > 0);
        var reach = (await watch.PeersAsync(pools, default)).Single();
        Assert.Equal(("b", Tor, true), (reach.Name, reach.Object, reach.Established));
        Assert.Equal([Prefix.Parse(Four)], reach.Announced);
    }
}
