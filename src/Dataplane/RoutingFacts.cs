using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// What decides who translates, as the BGP side knows it at one moment: told to <see cref="DataplaneLoop.TellAsync"/> whenever it may have
/// changed. This room knows no sessions and no RIB; whoever wires the two together puts these facts into its words.
/// </summary>
public sealed record RoutingFacts(ListOf<PeerFact> Peers, ListOf<RouteFact> Routes)
{
    public static readonly RoutingFacts None = new([], []);
}

/// <param name="Resource">The BGPPeer that it comes from; null: none.</param>
/// <param name="Announced">What we announce to it, as far as it has to do with pools: blocks, pools, single pods.</param>
/// <param name="DefaultCommunities">Of the default routes that it announces.</param>
public sealed record PeerFact(
    string Name, string? Resource, bool Established, ListOf<Prefix> Announced, ListOf<Community> DefaultCommunities);

/// <summary>The route in use for a prefix, and the peers that it leads to; none: it is not from a peer.</summary>
/// <param name="Metric">Of the route in the kernel, to be compared with others' routes of the same prefix.</param>
public readonly record struct RouteFact(Prefix Prefix, ListOf<string> Peers, uint Metric = 0);

/// <summary>What the dataplane needs to be told.</summary>
/// <param name="IsAsked">Somebody may translate upstream; else nothing is needed.</param>
/// <param name="Pools">Whose routes a peer must have for that.</param>
public sealed record RoutingQuestion(bool IsAsked, ListOf<Prefix> Pools)
{
    public static readonly RoutingQuestion None = new(false, []);
}
