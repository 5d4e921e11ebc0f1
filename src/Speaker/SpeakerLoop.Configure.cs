using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <content>Another configuration while sessions run.</content>
public sealed partial class SpeakerLoop
{
    /// <summary>
    /// Takes another configuration: what compares equal is left alone, and only sessions whose own settings changed are reset.
    /// </summary>
    /// <returns>One line for each thing that changed.</returns>
    public async Task<ImmutableArray<string>> ConfigureAsync(SpeakerConfig newer)
    {
        var changes = ChangesTo(newer);
        var refused = await AskAsync<string?>(done => new SpeakerNews.Configure(newer, done)).ConfigureAwait(false);
        return refused == null ? changes : changes.Add(refused);
    }

    /// <summary>What <see cref="ConfigureAsync"/> would change of what is in force.</summary>
    public ImmutableArray<string> ChangesTo(SpeakerConfig newer) => ConfigChanges.Between(Config, newer);

    /// <returns>What could not be done; null: all was.</returns>
    private async Task<string?> ApplyAsync(Loop loop, SpeakerConfig newer)
    {
        var older = Config;
        var (kept, kernelNow) = (older.Kernel, newer.Kernel);
        Config = newer with
        {
            Shards = older.Shards,
            Kernel = kernelNow with
            {
                InstallRoutes = kept.InstallRoutes,
                Protocol = kept.Protocol,
                Table = kept.Table,
                SweepAfter = kept.SweepAfter,
            },
        };
        Reconfigured = time.GetUtcNow();
        if (older.Decision != newer.Decision) Rib.SettingsChanged(newer.Decision);
        if (!older.Routes.SequenceEqual(newer.Routes)) Rib.NextHopsChanged(NextHopsBy(latest));
        fib?.Configure(Config.Kernel, OwnRoutes);
        if (!Equals(older.Kernel.Export, newer.Kernel.Export) || older.Kernel.Metric != newer.Kernel.Metric) Rib.FibFilterChanged();
        var learnsOtherwise = kept.Learn != kernelNow.Learn || kept.IgnoredInterfaces != kernelNow.IgnoredInterfaces;
        foreach (var source in Sources)
            if (!source.MovesItself && (learnsOtherwise || source.Origin == RouteOrigin.Static))
                await source.SetAsync(WantedOf(source, latest)).ConfigureAwait(false);

        var judgesSetsOtherwise = older.Decision.RejectAsSets != newer.Decision.RejectAsSets;
        var wanted = newer.Peers.ToDictionary(peer => peer.Session.Name, StringComparer.Ordinal);
        var stops = new List<Task>();
        var updated = new List<RibPeer>();
        var renewed = new Dictionary<string, Peer>(StringComparer.Ordinal);
        foreach (var peer in Peers.ToArray())
        {
            var config = WantedOf(peer, wanted, newer);
            if (config == null) stops.Add(StopPeerAsync(peer, CeaseSubcode.PeerDeconfigured));
            else if (peer.Config == config && !judgesSetsOtherwise) peer.Config = config; // Its line may be another.
            else if (Indexed(config.Session) != peer.Session.Settings)
            {
                renewed[peer.Name] = peer;
                stops.Add(config.Session.Shutdown
                    ? StopPeerAsync(peer, CeaseSubcode.AdministrativeShutdown, config.Session.ShutdownText)
                    : StopPeerAsync(peer, CeaseSubcode.OtherConfigurationChange));
            }
            else if (Update(peer, config) is { } now) updated.Add(now);
        }
        if (updated.Count > 0) Rib.PeersChanged([.. updated]);
        await loop.WaitForAsync(Task.WhenAll(stops)).ConfigureAwait(false);
        if (!older.Ranges.SequenceEqual(newer.Ranges) || !older.Links.SequenceEqual(newer.Links)) listener.Set(Templates(newer));
        var listensOtherwise = !older.Listen.SequenceEqual(newer.Listen) || older.ListenPort != newer.ListenPort;
        var refused = listensOtherwise ? await ListenAgainAsync(older, newer).ConfigureAwait(false) : null;
        // Those that are taken over come first.
        if (isTakingOver) return null;
        foreach (var config in newer.Peers)
            if (!peers.ContainsKey(config.Session.Name))
                StartPeer(config, renewed.GetValueOrDefault(config.Session.Name));
        foreach (var link in newer.Links)
            if (!peers.ContainsKey(link.Each.Session.Name)) Renew(link, renewed.GetValueOrDefault(link.Each.Session.Name));
        await links.FollowAsync(newer.Links, latest).ConfigureAwait(false);
        if (older.IsDrained != newer.IsDrained) LookAtCordon(newer.IsDrained);
        return refused == null ? null : $"router.listen: stays as it was, for the new sockets are refused: {refused}";
    }

    /// <summary>With the neighbour that was found there, where one was.</summary>
    private void Renew(PeerLink link, Peer? before)
    {
        var found = before?.Session.Settings is { PeerAddress: { IsUnspecified: false } address } its && its.Interface == link.Interface
            ? address : (Address?)null;
        StartPeer(found is { } neighbour ? link.For(neighbour) : link.Nobody, before, link: link);
        LookForAnother(peers[link.Each.Session.Name]);
    }

    /// <summary>What a peer is to be; null: it is to go. A neighbour that is configured by its address is of no range any more.</summary>
    private static PeerConfig? WantedOf(Peer peer, Dictionary<string, PeerConfig> wanted, SpeakerConfig newer)
    {
        if (peer.Link is { } link) return WantedOf(peer, link, newer);
        if (peer.Range == null) return wanted.GetValueOrDefault(peer.Name);
        var address = peer.Session.Settings.PeerAddress;
        if (newer.Peers.Any(named => named.Session.PeerAddress == address)) return null;
        if (PeerRange.For(newer.Ranges, address) is not { } range) return null;
        peer.Range = range;
        return range.For(address) is var config && config.Session.Name == peer.Name ? config : null;
    }

    private static PeerConfig? WantedOf(Peer peer, PeerLink link, SpeakerConfig newer)
    {
        if (newer.Links.FirstOrDefault(one => one.Interface == link.Interface && one.Each.Session.Name == peer.Name) is not { } now)
            return null;
        peer.Link = now;
        return peer.Session.Settings.PeerAddress is { IsUnspecified: false } found ? now.For(found) : now.Nobody;
    }

    /// <returns>Why the sockets stay as they were; null: they are the new ones.</returns>
    private async Task<string?> ListenAgainAsync(SpeakerConfig older, SpeakerConfig newer)
    {
        string? reason = null;
        await listener.DisposeAsync().ConfigureAwait(false);
        listener = NewListener(newer);
        try
        {
            listener.Open(newer.Listen, newer.ListenPort);
        }
        catch (System.Net.Sockets.SocketException refused)
        {
            log.ListenRefused(reason = refused.Message);
            Config = Config with { Listen = older.Listen, ListenPort = older.ListenPort };
            await listener.DisposeAsync().ConfigureAwait(false);
            listener = NewListener(newer);
            listener.Open(older.Listen, older.ListenPort);
        }
        foreach (var peer in peers.Values) listener.Add(peer.Session);
        listener.Start();
        LookAtListening(latest);
        return reason;
    }

    /// <returns>What the RIB is to know of it, where it is up.</returns>
    private RibPeer? Update(Peer peer, PeerConfig config)
    {
        peer.Config = config;
        if (peer.OverLimit is { } over && !(config.PrefixLimit <= over.Limit))
        {
            peer.OverLimit = null;
            log.PrefixLimitRaised(peer.Name);
            if (peer.Drain?.Stage != DrainStage.Down) peer.Session.Enable();
            dynamics.Watch(peer);
        }
        return peer.Up is { } up ? up.Told = ForRib(peer, up, kernel.Current) : null;
    }
}
