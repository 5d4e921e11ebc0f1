using System.Collections.Immutable;
using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;

namespace Calico.Bgp.Speaker;

/// <summary>That a peer is watched by BFD, and how.</summary>
/// <param name="Times">Where no pattern of <paramref name="ByLink"/> names the peer's link.</param>
/// <param name="OnlyDirect">Calico Enterprise's BFDIfDirectlyConnected: not over routers.</param>
/// <param name="ByLink">The first that names the peer's link counts.</param>
public sealed record PeerBfd(BfdTimes Times, bool OnlyDirect = false, ListOf<LinkTimes> ByLink = default)
{
    /// <summary>
    /// What is to be watched for a peer, now that the links are as they are. One hop (RFC 5881) where the neighbour stands on a link of
    /// ours, unless it is configured to be further away; several (RFC 5883) where it can be. Null: nothing, or not before there is a link.
    /// </summary>
    public BfdTarget? TargetOf(SessionSettings settings, KernelSnapshot kernel)
    {
        // Nobody has been found on its link yet.
        if (settings.PeerAddress.IsUnspecified) return null;
        // A Calico node's sessions are all multihop ones, which says nothing of where the neighbour is.
        var isFar = settings.Multihop > 1 && !OnlyDirect;
        if (!isFar && PeerWay.LinkTo(settings, kernel) is { } link)
            return new(new(settings.PeerAddress, link.Index, Multihop: false), On(link.Name), settings.SourceAddress);
        var isNear = !isFar && PeerWay.IsDirect(settings);
        return isNear || OnlyDirect ? null : new(new(settings.PeerAddress, 0, Multihop: true), Times, settings.SourceAddress);
    }

    private BfdTimes On(string link)
    {
        foreach (var one in ByLink)
            if (Match.Glob(one.Pattern, link)) return one.Times;
        return Times;
    }
}

/// <summary>BFD's times for neighbours on links of some names, with * and ?.</summary>
public readonly record struct LinkTimes(string Pattern, BfdTimes Times);

/// <summary>What BFD says of a peer.</summary>
/// <param name="Session">Null: there is no way to the peer on which it could be watched.</param>
public readonly record struct PeerBfdStatus(BfdSessionStatus? Session);

/// <summary>A BFD session as others see it.</summary>
/// <param name="Link">Of one hop: the link's name.</param>
/// <param name="Peers">Whose sessions it takes down with it.</param>
public sealed record BfdNeighbour(BfdSessionStatus Session, string? Link, ImmutableArray<string> Peers);
