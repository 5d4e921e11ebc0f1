using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Speaker;

/// <content>Peers come and go.</content>
public sealed partial class SpeakerLoop
{
    /// <param name="before">The same peer under other settings of its session.</param>
    /// <param name="range">Whose template made it.</param>
    /// <param name="link">By which it is known. Without either it is configured by its address.</param>
    private Peer StartPeer(PeerConfig config, Peer? before = null, PeerRange? range = null, PeerLink? link = null)
    {
        var peer = MakePeer(config, before, range, link);
        peer.Session.Start(isDisabled: peer.Drain != null);
        peer.LookAtWay(latest);
        return peer;
    }

    /// <summary>Its session does not begin yet.</summary>
    private Peer MakePeer(PeerConfig config, Peer? before, PeerRange? range, PeerLink? link)
    {
        var settings = Indexed(config.Session);
        var door = new PeerDoor(config, Rib, kernel, () => Config.Decision, Beginning, () => IsShuttingDown, Post);
        var session = new PeerSession(
            settings, door, loops, sessionTime, logs.CreateLogger<PeerSession>(), before?.Session.Snapshot.Faults);
        var peer = new Peer(door, session) { Range = range, Link = link, Drain = DrainOf(settings.Name) };
        if (before != null)
        {
            Keep(peer, before.Retention);
            peer.LeftBy = before.LeftBy;
        }
        peers[settings.Name] = peer;
        listener.Add(peer.Session);
        return peer;
    }

    private void Welcome(SpeakerNews.Called call)
    {
        if (dynamics.Judge(call, Config.Ranges, peers.Values) is not var (range, config)) return;
        log.NewcomerMade(config.Session.Name, range.Range);
        var peer = StartPeer(config, range: range);
        peer.Session.Accept(call.Connection);
        dynamics.Watch(peer);
    }

    private async Task ForgetAsync(Loop loop, Peer peer)
    {
        if (PeerNamed(peer.Name) != peer || !dynamics.Judge(peer)) return;
        log.NewcomerGone(peer.Name, peer.Range!.Template.Patience.Words());
        await loop.WaitForAsync(StopPeerAsync(peer, CeaseSubcode.PeerDeconfigured)).ConfigureAwait(false);
    }

    private Listener NewListener(SpeakerConfig config)
    {
        var made = new Listener(loops, logs.CreateLogger<Listener>()) { Newcomer = dynamics.Call };
        made.Set(Templates(config));
        return made;
    }

    private static ImmutableArray<PeerTemplate> Templates(SpeakerConfig config) =>
        [.. config.Ranges.Select(range => range.Template), .. config.Links.Select(link => link.Template)];

    private SessionSettings Indexed(SessionSettings settings) => settings with { Index = IndexOf(settings.Name) };

    private ushort IndexOf(string name)
    {
        if (indexes.TryGetValue(name, out var index)) return index;
        // Those who call are many in the course of time: what one had, another gets, as late as can be.
        return indexes[name] = freed.Count > FreedRest ? freed.Dequeue() : (ushort)(FirstNamed + indexes.Count + freed.Count);
    }

    private async Task StopPeerAsync(Peer peer, CeaseSubcode subcode, string? text = null)
    {
        listener.Remove(peer.Session);
        await peer.Session.StopAsync(subcode, text).ConfigureAwait(false);
        peers.TryRemove(new(peer.Name, peer));
        peer.RetentionEnds?.Dispose();
        if (subcode != CeaseSubcode.OtherConfigurationChange) GiveUp(peer);
        if (peer.Range == null) return;
        if (peer.Patience is { } patience) await patience.DisposeAsync().ConfigureAwait(false);
        if (indexes.Remove(peer.Name, out var index)) freed.Enqueue(index);
    }
}
