using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <summary>The speaker as those who look in see it.</summary>
public sealed class SpeakerView(SpeakerLoop speaker, string version) : ISpeaker
{
    public RouterStatus Router => new(
        version, speaker.Config.HostName, speaker.Config.RouterId, speaker.Config.As, speaker.Time.GetUtcNow(), speaker.Started,
        speaker.Reconfigured, speaker.IsShuttingDown)
    {
        ListenWaits = speaker.ListenWaits,
        Recovery = speaker.Recovery,
    };

    public IReadOnlyList<ProtocolStatus> Protocols => ProtocolViews.Of(speaker);
    public KernelSnapshot KernelState => speaker.Kernel.Current;
    public KernelStatus KernelStatus => speaker.Kernel.Status;
    public IAsyncEnumerable<OwnRoute> KernelRoutes(CancellationToken stop) => speaker.Kernel.OwnRoutes(stop);
    public IReadOnlyList<ConfiguredRoute> ConfiguredRoutes => ConfiguredRoute.Of(speaker);
    public IReadOnlyList<RangeStatus> Ranges => [.. speaker.Config.Ranges.Select(range => new RangeStatus(
        range.Range, range.Each.Session.Name, DynamicPeers.CountOf(range, speaker.Peers), range.Limit, range.Each.Origin))];
    public IReadOnlyList<BfdNeighbour> Bfd => BfdWatch.Views(speaker);
    public BfdLateness? BfdLateness => speaker.Bfd.Lateness;
    public long BfdStrays => speaker.Bfd.Strays;
    public IReadOnlyList<string> FilterNames => [.. speaker.Config.Filters.Select(filter => filter.Name)];

    public Func<RouteView, RouteView?>? FilterNamed(string name) =>
        speaker.Config.Filters.FirstOrDefault(filter => filter.Name == name) is { } found
            ? new RouteSieve(new FilterChain([found]), KernelState).Pass : null;

    public bool Ready => speaker.HasSettled;
    public IReadOnlyList<string> Awaited => speaker.Awaited;

    /// <summary>Sessions or routes may have moved. Called on the speaker's threads; must not block.</summary>
    public event Action Moved
    {
        add => speaker.Moved += value;
        remove => speaker.Moved -= value;
    }

    /// <summary>Routes go to and fro between it and us.</summary>
    public bool IsUp(string peer) => speaker.PeerNamed(peer)?.Up != null;

    /// <summary>Of our routes in the kernel, where no filter says another; 0: the kernel's own default.</summary>
    internal uint KernelMetric => speaker.Config.Kernel.Metric;

    /// <summary>Peers' names by the number that <see cref="BestChange"/> calls them by; other sources are not among them.</summary>
    public IReadOnlyDictionary<ushort, string> PeerNames => speaker.Peers.ToDictionary(peer => peer.Index, peer => peer.Name);

    /// <summary>One more follower of the best routes: he is told all of them first.</summary>
    public void Follow(IBestFollower follower) => speaker.Rib.Follow(follower);

    public void Unfollow(IBestFollower follower) => speaker.Rib.Unfollow(follower);

    /// <summary>A follower has room again.</summary>
    public void GoOn() => speaker.Rib.Wake();

    public MemoryReport Memory
    {
        get
        {
            var (tables, attributes) = speaker.Rib.Octets;
            // Sessions and configuration are not counted apart: they are in what the process holds beside the tables.
            return new(tables, attributes, 0, 0, Environment.WorkingSet);
        }
    }

    public async IAsyncEnumerable<IReadOnlyList<RouteView>> Routes(RouteQuery query, [EnumeratorCancellation] CancellationToken stop)
    {
        var views = new RouteViews(speaker);
        foreach (var family in FamiliesOf(query))
        {
            if (Request(query, family) is not { } request) continue;
            await foreach (var facts in speaker.Rib.Read(request, stop)
                .ConfigureAwait(false)) yield return [.. facts.Select(route => views.Of(route, query.Selection == RouteSelection.Export))];
        }
    }

    private static IEnumerable<IpFamily> FamiliesOf(RouteQuery query)
    {
        if (query.Family is { } family) return [family];
        return query.Prefix is { } prefix ? [prefix.Family] : [IpFamily.IPv4, IpFamily.IPv6];
    }

    /// <summary>Null: the protocol has no routes of this family, or no such protocol exists.</summary>
    private RouteRequest? Request(RouteQuery query, IpFamily family)
    {
        if (query.Prefix is { } prefix && prefix.Family != family) return null;
        if (!TryIndex(query.Peer, family, out var peer) || !TryIndex(query.Protocol, family, out var source)) return null;
        var side = query.Selection switch
        {
            RouteSelection.Primary => RouteSide.Best,
            RouteSelection.Filtered => RouteSide.Refused,
            RouteSelection.Received => RouteSide.Received,
            RouteSelection.Export => RouteSide.Sent,
            RouteSelection.PreExport => RouteSide.Offered,
            RouteSelection.NoExport => RouteSide.Withheld,
            _ => RouteSide.Accepted,
        };
        var scope = query.Prefix == null ? ReadScope.All : query.Scope switch
        {
            PrefixScope.For => ReadScope.Longest,
            PrefixScope.In => ReadScope.Inside,
            _ => ReadScope.Exact,
        };
        return new(side, family, scope, query.Prefix ?? default, peer, source);
    }

    private bool TryIndex(string? name, IpFamily family, out ushort? index)
    {
        index = null;
        if (name == null) return true;
        if (speaker.PeerNamed(name) is { } peer) index = peer.Index;
        else index = speaker.Sources.FirstOrDefault(source => source.Name == name && source.Family == family)?.Index;
        return index != null;
    }

    public Task<RouteExplanation> ExplainAsync(Prefix prefix, CancellationToken stop) =>
        new Explaining(speaker, this).RouteAsync(prefix, stop);
    public PeerExplanation? Explain(string peer) => new Explaining(speaker, this).Peer(peer);

    public void Enable(string protocol) =>
        On(protocol, peer => speaker.Order(peer.Name, PeerOrder.Enable, null), source => speaker.SetEnabled(source, true));
    public void Disable(string protocol, string? text) =>
        On(protocol, peer => speaker.Order(peer.Name, PeerOrder.Disable, text), source => speaker.SetEnabled(source, false));
    public void Restart(string protocol, string? text) =>
        On(protocol, peer => speaker.Order(peer.Name, PeerOrder.Restart, text), _ => { });

    /// <summary>
    /// In: the import filter looks again at what the peer sent, which we hold; and the peer is asked for it once more where it can
    /// be, as BIRD does. Out: everything is sent again.
    /// </summary>
    public void Reload(string protocol, ReloadDirection direction) => On(
        protocol,
        peer =>
        {
            if (direction != ReloadDirection.Out) speaker.Rib.Reimport(peer.Index);
            if (peer.Up is not { } up) return;
            foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
            {
                if (!up.Negotiated.Families.Has(family)) continue;
                if (direction != ReloadDirection.Out) peer.Session.RequestRefresh(family);
                if (direction != ReloadDirection.In) speaker.Rib.Refresh(peer.Index, family);
            }
        },
        source => speaker.Rib.Reimport(source.Index));

    public Task<string?> AnnounceAsync(RouteLease lease) => speaker.AnnounceAsync(lease);
    public Task<string?> WithdrawAsync(string producer, Prefix prefix) => speaker.WithdrawAsync(producer, prefix);
    public Task<ImmutableArray<string>> DrainAsync(string? peer, TimeSpan wait, string? reason) => speaker.DrainAsync(peer, wait, reason);
    public Task<ImmutableArray<string>> UndrainAsync(string? peer) => speaker.UndrainAsync(peer);

    private void On(string protocol, Action<Peer> peer, Action<OwnRouteSource> source)
    {
        if (speaker.PeerNamed(protocol) is { } found) peer(found);
        else if (speaker.Sources.Where(own => own.Name == protocol).ToArray() is { Length: > 0 } own) Array.ForEach(own, source);
        else if (protocol is not (ProtocolViews.Device or ProtocolViews.Bfd))
            throw new KeyNotFoundException($"there is no protocol \"{protocol}\"");
    }
}
