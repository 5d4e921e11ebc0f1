// What a test wants of a router, in words that each daemon's own configuration language is made from.
namespace Calico.Bgp.Conformance.Routers;

/// <param name="Local">Our end's address; its family is the session's only one.</param>
/// <param name="Client">The neighbour is our route reflection client.</param>
internal sealed record Neighbour(string Name, string Local, string Remote, uint RemoteAs, bool Passive = false, string? Password = null, bool Client = false)
{
    public bool IPv6 => Remote.Contains(':');
}

/// <param name="Learn">Connected and foreign kernel routes are announceable too.</param>
internal sealed record RouterSpec(uint As, string Id, IReadOnlyList<Neighbour> Neighbours, IReadOnlyList<string> Routes, int Hold = 9, bool Learn = false)
{
    public IEnumerable<string> RoutesOf(bool ipv6) => Routes.Where(route => route.Contains(':') == ipv6);
}
