using Calico.Bgp.Dataplane;
using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire.Attributes;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// Puts what the speaker knows into the words that the dataplane decides upstream NAT by. It looks at sessions and their counters a few times
/// a second, and at routes only when those have moved; the longer that takes (a full table), the more seldom it is done.
/// </summary>
internal sealed class UpstreamObserver(ISpeaker speaker, DataplaneLoop dataplane, uint metric, TimeProvider time, ILogger<UpstreamObserver> log)
{
    private const int RestFactor = 10;
    private const string FromResource = "BGPPeer/";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    private RoutingFacts facts = RoutingFacts.None;
    private string seen = "";
    private TimeSpan rest;

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            for (; ; await Task.Delay(Look + rest, time, stop).ConfigureAwait(false))
                if (dataplane.NeedsFacts) await LookAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested) { }
        catch (Exception defect)
        {
            log.UpstreamUnknown(defect);
            dataplane.Tell(RoutingFacts.None);
        }
    }

    private async Task LookAsync(CancellationToken stop)
    {
        var began = time.GetTimestamp();
        var peers = speaker.Protocols.Where(protocol => protocol.Session != null).ToArray();
        var now = Moved(peers);
        if (now == seen && dataplane.Pools == asked) return;
        (seen, asked) = (now, dataplane.Pools);
        var newer = new RoutingFacts([.. await PeersAsync(peers, stop).ConfigureAwait(false)], [.. await RoutesAsync(peers, stop).ConfigureAwait(false)]);
        if (newer != facts) dataplane.Tell(facts = newer);
        rest = time.GetElapsedTime(began) * RestFactor;
    }

    private ListOf<Prefix> asked;

    /// <summary>Anything that may have moved a route moves one of these.</summary>
    private static string Moved(ProtocolStatus[] peers) => string.Join('\n', peers.Select(peer =>
        $"{peer.Name} {peer.Session!.Phase} {peer.Session.EstablishedTransitions} {string.Join(' ', peer.Channels.Select(channel => (channel.Imported, channel.Exported, channel.Preferred, channel.Counts)))}"));

    private async Task<List<PeerFact>> PeersAsync(ProtocolStatus[] peers, CancellationToken stop)
    {
        var all = new List<PeerFact>();
        foreach (var peer in peers)
        {
            var up = peer.Session!.Phase == Phase.Established;
            all.Add(new(
                peer.Name, peer.Description?.StartsWith(FromResource, StringComparison.Ordinal) == true ? peer.Description[FromResource.Length..] : null, up,
                up ? [.. await AnnouncedAsync(peer.Name, stop).ConfigureAwait(false)] : [],
                up ? [.. await DefaultCommunitiesAsync(peer.Name, stop).ConfigureAwait(false)] : []));
        }
        return all;
    }

    /// <summary>What the peer is sent that lies in a pool, or holds one.</summary>
    private async Task<SortedSet<Prefix>> AnnouncedAsync(string peer, CancellationToken stop)
    {
        var announced = new SortedSet<Prefix>();
        foreach (var pool in dataplane.Pools)
            foreach (var scope in (PrefixScope[])[PrefixScope.In, PrefixScope.For])
                await foreach (var routes in speaker.Routes(new(RouteSelection.Export, Prefix: pool, Scope: scope, Peer: peer), stop).ConfigureAwait(false))
                    announced.UnionWith(routes.Select(route => route.Prefix));
        return announced;
    }

    private async Task<List<Community>> DefaultCommunitiesAsync(string peer, CancellationToken stop)
    {
        var communities = new List<Community>();
        foreach (var prefix in (Prefix[])[Prefix.DefaultIPv4, Prefix.DefaultIPv6])
            await foreach (var routes in speaker.Routes(new(RouteSelection.All, Prefix: prefix, Protocol: peer), stop).ConfigureAwait(false))
                foreach (var route in routes)
                    if (!route.Attributes.IsEmpty) communities.AddRange(new AttributeView(route.Attributes.Span).Communities);
        return communities;
    }

    private async Task<List<RouteFact>> RoutesAsync(ProtocolStatus[] peers, CancellationToken stop)
    {
        var facts = new List<RouteFact>();
        var names = peers.ToLookup(peer => peer.Session!.Settings.PeerAddress, peer => peer.Name);
        await foreach (var routes in speaker.Routes(new(RouteSelection.Primary), stop).ConfigureAwait(false))
            facts.AddRange(routes.Select(route => new RouteFact(route.Prefix, [.. PeersOf(route, names)], MetricOf(route.Prefix.Family))));
        facts.Sort((a, b) => a.Prefix.CompareTo(b.Prefix));
        return facts;
    }

    /// <summary>With several ways out each gateway must be a peer, or somebody else has a share.</summary>
    private static IEnumerable<string> PeersOf(RouteView route, ILookup<Address, string> names)
    {
        if (route.From == null) return [];
        if (route.Hops.Length < 2) return [route.Protocol];
        return route.Hops.Select(hop => hop.Gateway is { } gateway ? names[gateway].FirstOrDefault() ?? "" : "").Distinct().Order(StringComparer.Ordinal);
    }

    private uint MetricOf(IpFamily family) => metric == 0 && family == IpFamily.IPv6 ? 1024 : metric;
}
