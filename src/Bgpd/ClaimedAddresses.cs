using System.Net.Sockets;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>Gateways' addresses that neighbours look for on a link: a claim for each link that has any. By one caller.</summary>
internal sealed class ClaimedAddresses(Loops loops, TimeProvider time, ILogger<ClaimedAddresses> log)
{
    private readonly Dictionary<EgressLink, LinkClaim> claims = [];
    private readonly HashSet<EgressLink> refused = [];

    public async Task HaveAsync(ListOf<EgressClaim> wanted)
    {
        var byLink = wanted.ToLookup(one => one.On, one => one.Address);
        refused.RemoveWhere(link => !byLink.Contains(link));
        foreach (var gone in claims.Keys.Where(link => !byLink.Contains(link)).ToArray())
            if (claims.Remove(gone, out var claim)) await claim.DisposeAsync().ConfigureAwait(false);
        foreach (var some in byLink)
            if (Of(some.Key) is { } claim) claim.Have([.. some]);
    }

    /// <returns>Null: there is none, and it was said why.</returns>
    private LinkClaim? Of(EgressLink link)
    {
        if (claims.TryGetValue(link, out var known)) return known;
        try
        {
            return claims[link] = new(link.Index, link.Name, link.Mac, loops, time);
        }
        catch (SocketException why)
        {
            if (refused.Add(link)) log.NotClaimed(link.Name, why.Message);
            return null;
        }
    }
}
