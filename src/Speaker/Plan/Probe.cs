using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>A route that does not exist, to ask what would become of it. Null: the route does not have it.</summary>
public sealed record Probe(Prefix Prefix, RouteOrigin Source)
{
    /// <summary>Where it leads.</summary>
    public string? Interface { get; init; }
    /// <summary>The kernel's.</summary>
    public uint? Metric { get; init; }
    public uint? LocalPref { get; init; }
    public uint? Med { get; init; }
    /// <summary>Standard and large ones.</summary>
    public ListOf<CommunityPattern> Communities { get; init; } = [];
    public ListOf<Asn> AsPath { get; init; } = [];
    public Address? NextHop { get; init; }
    /// <summary>The peer that sent it, whose import chain it passes first.</summary>
    public string? FromPeer { get; init; }
}

/// <summary>
/// A route's attributes as a chain leaves them; what peers are sent is dressed after that (own AS, next hop, no LOCAL_PREF outside).
/// </summary>
public sealed record ProbeAttributes(
    uint? LocalPref, uint? Med, ListOf<string> Communities, ListOf<Asn> AsPath, Address? NextHop, uint? Metric, string? Tunnel);

/// <summary>What one chain says. <paramref name="Target"/>: <c>kernel</c>, or a peer's name.</summary>
/// <param name="Barred">What BGP itself imposes on the way there, whatever the chains say; null: nothing that is known.</param>
public sealed record ProbeAnswer(string Target, bool Accepted, string Rule, ProbeAttributes? Attributes, string? Barred = null);
