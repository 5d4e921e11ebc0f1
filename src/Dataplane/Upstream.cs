using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>What speaks for leaving a pool's translation to the network: where to, through whom, or why not.</summary>
public sealed record UpstreamOffer(AddressRanges Destinations, ListOf<string> Peers, string Reason)
{
    public static UpstreamOffer No(string reason) => new(AddressRanges.None, [], reason);
}

/// <summary>
/// Who translates. Where the physical network does, this node must not: while a peer that translates is established, has this pool's
/// routes (else the answers would not come back), and the way to a destination leads to it alone, pods keep their own addresses on that
/// way. A function of what is so at the moment; <see cref="UpstreamHysteresis"/> adds the patience.
/// </summary>
internal sealed class Upstream(UpstreamSettings settings, NatObjects objects, RoutingFacts facts, UpstreamWays ways)
{
    /// <summary>Somebody may translate; without that no pool has anything to prefer or to require.</summary>
    public bool IsConfigured => settings.AllPeers || settings.Peers.Count > 0 || settings.Community != null
        || objects.UpstreamPeers.Count > 0;

    public bool Translates(PeerFact peer) => settings.AllPeers || settings.Peers.Contains(peer.Name)
        || (settings.Community is { } community && peer.DefaultCommunities.Contains(community))
        || (peer.Resource != null && objects.UpstreamPeers.Contains(peer.Resource));

    public UpstreamOffer For(IPPool pool)
    {
        if (!IsConfigured) return UpstreamOffer.No("natOutgoing is true, and no upstream NAT is configured");
        if (pool.UpstreamNat == UpstreamNat.Ignore) return UpstreamOffer.No("the pool ignores upstream NAT");
        var translating = facts.Peers.Where(Translates).ToArray();
        if (translating.Length == 0) return UpstreamOffer.No("no peer is known to translate");
        var up = translating.Where(peer => peer.Established).ToArray();
        if (up.Length == 0) return UpstreamOffer.No($"{Names(translating)} not established");
        var informed = up.Where(peer => peer.Announced.Any(prefix => pool.Cidr.Contains(prefix) || prefix.Contains(pool.Cidr))).ToArray();
        if (informed.Length == 0) return UpstreamOffer.No($"{Names(up)} {(up.Length == 1 ? "is" : "are")} told no routes of this pool");
        var destinations = ways.Through([.. informed.Select(peer => peer.Name)], pool.Cidr.Family);
        return destinations.IsEmpty
            ? UpstreamOffer.No($"no way leads through {Names(informed)}")
            : new(destinations, [.. informed.Select(peer => peer.Name)], $"{Names(informed)} translates");
    }

    private static string Names(IEnumerable<PeerFact> peers) => string.Join(", ", peers.Select(peer => peer.Name));
}
