using System.Text.RegularExpressions;
using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>A second switch of the rack, which runs FRR and forwards by what it hears: its word is its kernel's.</summary>
internal sealed partial class LeafRouter(Netns space, int nodes) : IAsyncDisposable
{
    public const string Leaf4 = "10.192.0.253", Leaf6 = "fd00:192::253";

    private readonly FrrRouter frr = new(space, new(Rack.TorAs, Leaf4, [.. Enumerable.Range(1, nodes).SelectMany(Sessions)], []));

    private static Neighbour[] Sessions(int node) =>
        [new($"node{node}_v4", Leaf4, Rack.Node4(node), Rack.NodeAs), new($"node{node}_v6", Leaf6, Rack.Node6(node), Rack.NodeAs)];

    public string Said => frr.Said;

    public async Task StartAsync()
    {
        await frr.StartAsync();
        foreach (var session in frr.Spec.Neighbours)
            await Until.TrueAsync($"FRR has a session with {session.Remote}", () => frr.IsEstablishedAsync(session), 60,
                () => Said);
    }

    public Task OriginateAsync(params string[] prefixes) => frr.OriginateAsync(prefixes);

    /// <summary>Next hops of exactly this prefix in the kernel, each with its weight where there are several; sorted.</summary>
    public async Task<string[]> ViaAsync(string prefix)
    {
        var shown = await space.RunAsync("ip", prefix.Contains(':') ? "-6" : "-4", "route", "show", prefix);
        return [.. Via().Matches(shown.Output).Select(match => match.Value.Replace(" dev eth0", "").Trim()).Order(StringComparer.Ordinal)];
    }

    [GeneratedRegex(@"via \S+ dev eth0( weight \d+)?")]
    private static partial Regex Via();

    public ValueTask DisposeAsync() => frr.DisposeAsync();
}
