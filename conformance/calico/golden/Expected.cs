// What the golden filters say of a probe, target by target: every peer, and the kernel. A route that comes from a peer goes through that
// peer's import first, and not back to it.
using Calico.Bgp.Conformance.Bird;

namespace Calico.Bgp.Conformance.Golden;

/// <param name="Route">As the filter left it; null when it was rejected.</param>
internal sealed record Expectation(int Probe, string Target, Peer? Peer, BirdRoute? Route);

internal sealed class Expected(BirdConfig config)
{
    public IEnumerable<Expectation> Of(int number, Probe probe)
    {
        var route = (BirdRoute?)probe.Route();
        if (probe.From != null) route = After(config.Peers.Single(peer => peer.Name == probe.From).Import, route);
        foreach (var peer in config.Peers.Where(peer => peer.Name != probe.From))
            yield return new(number, peer.Name, peer, After(peer.Export, route));
        yield return new(number, "kernel", null, After(config.Kernel.Export, route));
    }

    private BirdRoute? After(Statement filter, BirdRoute? route) =>
        route?.Copy() is { } copy && config.Accepts(filter, copy) ? copy : null;
}
