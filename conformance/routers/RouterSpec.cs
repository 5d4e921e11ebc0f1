// What a test wants of a router, in words that each daemon's own configuration language is made from.
namespace Calico.Bgp.Conformance.Routers;

/// <param name="Local">Our end's address; its family is the session's only one.</param>
/// <param name="Client">The neighbour is our route reflection client.</param>
/// <param name="Filters">What passes, in bgpd.yaml's words; other daemons let everything pass.</param>
/// <param name="More">Further keys of bgpd.yaml.</param>
internal sealed record Neighbour(string Name, string Local, string Remote, uint RemoteAs, bool Passive = false, string? Password = null,
    bool Client = false,
    string Filters = "import: accept, export: accept", string More = "")
{
    public bool IPv6 => Remote.Contains(':');

    /// <summary>Several paths of a prefix go both ways (RFC 7911): ours as this says in bgpd.yaml's words, other daemons' all.</summary>
    public string? AddPath { get; init; }

    /// <summary>Our daemon knows it by this range alone; the session's name ends in its address.</summary>
    public string? Range { get; init; }
    /// <summary>BFD watches it, with 50 ms and a multiplier of 3.</summary>
    public bool Bfd { get; init; }
    /// <summary>It is so many hops away at most.</summary>
    public int Hops { get; init; } = 1;
    public string Session => Range == null ? Name : $"{Name}_{Remote.Replace('.', '_').Replace(':', '_')}";
}

/// <param name="Twin">Connected and foreign kernel routes are announceable too, and a BIRD is set up to be as like our daemon as it
/// can.</param>
/// <param name="AllowAsSets">Of our daemon: AS_SETs come in, as in most of the others.</param>
/// <param name="AnnounceRestart">The graceful restart capability is announced, without any family kept.</param>
internal sealed record RouterSpec(uint As, string Id, IReadOnlyList<Neighbour> Neighbours, IReadOnlyList<string> Routes, int Hold = 9,
    bool Twin = false, bool AnnounceRestart = false, bool AllowAsSets = false)
{
    public IEnumerable<string> RoutesOf(bool ipv6) => Routes.Where(route => route.Contains(':') == ipv6);
}
