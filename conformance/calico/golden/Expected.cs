// What the golden filters say of a probe, target by target: the peer that it comes from (its import), every other peer, the kernel.
using Calico.Bgp.Conformance.Bird;

namespace Calico.Bgp.Conformance.Golden;

/// <param name="Route">As the filter left it; null when it was rejected.</param>
internal sealed record Expectation(int Probe, string Target, Peer? Peer, BirdRoute? Route);

internal sealed class Expected(BirdConfig config)
{
    public IEnumerable<Expectation> Of(int number, Probe probe)
    {
        var route = (BirdRoute?)probe.Route();
        if (probe.From != null)
        {
            var from = config.Peers.Single(peer => peer.Name == probe.From);
            route = After(from.Import, route);
            yield return new(number, from.Name, from, route);
        }
        foreach (var peer in config.Peers.Where(peer => peer.Name != probe.From))
            yield return new(number, peer.Name, peer, After(peer.Export, route));
        yield return new(number, "kernel", null, After(config.Kernel.Export, route));
    }

    private BirdRoute? After(Statement filter, BirdRoute? route) =>
        route?.Copy() is { } copy && config.Accepts(filter, copy) ? copy : null;
}
