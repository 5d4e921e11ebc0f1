using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Speaker;

/// <summary>
/// Who is at the other end of links whose neighbours have no names: the last router that was heard there, or else whom the kernel knows
/// there. The speaker's loop's.
/// </summary>
internal sealed class LinkNeighbours(
    Loops loops, TimeProvider time, ILogger log, Func<Link, IRouterSocket> open, Action<SpeakerNews> post) : IAsyncDisposable
{
    private sealed record Heard(Address From);

    /// <summary>One link's. Of what is heard there the last waits, however often somebody speaks.</summary>
    private sealed class Watched(Action ring)
    {
        public Latest<Heard?> Heard { get; } = new(null, ring);
        public LinkDiscovery? Discovery { get; set; }
    }

    private readonly Dictionary<string, Watched> watched = new(StringComparer.Ordinal);

    /// <summary>Links come, go, and are called otherwise; so do those that are asked for.</summary>
    public async ValueTask FollowAsync(ImmutableArray<PeerLink> links, KernelSnapshot kernel)
    {
        foreach (var (device, gone) in watched.ToArray())
        {
            if (links.Any(link => link.Interface == device)) continue;
            watched.Remove(device);
            if (gone.Discovery != null) await gone.Discovery.DisposeAsync().ConfigureAwait(false);
        }
        foreach (var link in links)
        {
            if (!watched.TryGetValue(link.Interface, out var at))
                watched[link.Interface] = at = new(() => post(new SpeakerNews.RouterHeard(link.Interface)));
            var usable = Usable(link.Interface, kernel);
            if (at.Discovery is { } before && (before.Link.Index, before.Link.Mac) != (usable?.Index, usable?.Mac)
                || at.Discovery?.Advertises != link.Advertises)
            {
                if (at.Discovery != null) await at.Discovery.DisposeAsync().ConfigureAwait(false);
                at.Discovery = null;
            }
            if (usable == null) continue;
            at.Discovery ??= new(link, usable, open, loops, time, log, from => at.Heard.Set(new(from)));
            if (at.Heard.Value == null && KnownTo(kernel, usable.Index) is { } known) at.Heard.Set(new(known));
        }
    }

    /// <summary>Up, and with an address of its own to speak from.</summary>
    private static Link? Usable(string device, KernelSnapshot kernel) => kernel.Links.Values.FirstOrDefault(link =>
        link.Name == device && link is { IsUp: true, HasCarrier: true }
        && kernel.Addresses.Any(address => address.Interface == link.Index && address.Address.IsLinkLocal));

    /// <summary>A router that has advertised itself before we listened; or, where there is but one neighbour at all, that one.</summary>
    private static Address? KnownTo(KernelSnapshot kernel, int index)
    {
        var there = kernel.Neighbours.Values.Where(one => one.Interface == index && one.Address.IsLinkLocal).ToArray();
        return (Array.Find(there, one => one.IsRouter) ?? (there is [var only] ? only : null))?.Address;
    }

    /// <summary>Whom the link's peer is to be from now on; null: nobody else than before.</summary>
    public Address? NewNeighbourOf(Peer peer, IEnumerable<Peer> peers, bool isEnabled)
    {
        if (!watched.TryGetValue(peer.Link!.Interface, out var at) || at.Heard.Take() is not { From: var from }) return null;
        return MayBe(peer, from, peers, isEnabled) ? from : null;
    }

    /// <summary>
    /// One neighbour at a time: while its session is up, or about to be, others who speak there are not listened to. One that has a peer of
    /// its own is no other's.
    /// </summary>
    public static bool MayBe(Peer peer, Address neighbour, IEnumerable<Peer> peers, bool isEnabled = false)
    {
        var session = peer.Session.Snapshot;
        if (session.Settings.PeerAddress == neighbour || !(session.Enabled || isEnabled)) return false;
        if (peer.Up != null || session.Phase is Phase.OpenSent or Phase.OpenConfirm or Phase.Established) return false;
        return !peers.Any(other => other != peer && other.Session.Settings is var its && its.PeerAddress == neighbour
            && its.Interface == peer.Link!.Interface);
    }

    /// <summary>Nobody need be asked for there any more.</summary>
    public void Found(string device)
    {
        if (watched.TryGetValue(device, out var at)) at.Discovery?.Found();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var at in watched.Values)
            if (at.Discovery != null) await at.Discovery.DisposeAsync().ConfigureAwait(false);
        watched.Clear();
    }
}
