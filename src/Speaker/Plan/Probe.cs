using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>A route that does not exist, to ask what would become of it. Null: the route does not have it.</summary>
/// <param name="Interface">Where it leads.</param>
/// <param name="Metric">The kernel's.</param>
/// <param name="Communities">Standard and large ones.</param>
/// <param name="FromPeer">The peer that sent it, whose import chain it passes first.</param>
public sealed record Probe(
    Prefix Prefix, RouteOrigin Source, string? Interface, uint? Metric, uint? LocalPref, uint? Med, ListOf<CommunityPattern> Communities,
    ListOf<Asn> AsPath, Address? NextHop, string? FromPeer);

/// <summary>
/// A route's attributes as a chain leaves them; what peers are sent is dressed after that (own AS, next hop, no LOCAL_PREF outside).
/// </summary>
public sealed record ProbeAttributes(
    uint? LocalPref, uint? Med, ListOf<string> Communities, ListOf<Asn> AsPath, Address? NextHop, uint? Metric, string? Tunnel);

/// <summary>What one chain says. <paramref name="Target"/>: <c>kernel</c>, or a peer's name.</summary>
/// <param name="Barred">What BGP itself imposes on the way there, whatever the chains say; null: nothing that is known.</param>
public sealed record ProbeAnswer(string Target, bool Accepted, string Rule, ProbeAttributes? Attributes, string? Barred = null);
