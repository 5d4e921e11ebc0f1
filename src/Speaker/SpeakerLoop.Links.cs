using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <content>Neighbours that are found on their links.</content>
public sealed partial class SpeakerLoop
{
    /// <summary>How routers are heard on a link.</summary>
    internal Func<Link, IRouterSocket> OpenRouterSocket { get; init; } = link => new RouterSocket(link);

    /// <summary>Somebody was heard, or the one who was there may be somebody else now.</summary>
    /// <param name="isEnabled">It has just been, and its session does not know it yet.</param>
    private async Task MeetAsync(Loop loop, string device, bool isEnabled = false)
    {
        if (OnLink(device) is { } peer && links.NewNeighbourOf(peer, peers.Values, isEnabled) is { } neighbour)
            await ReplaceAsync(loop, peer, neighbour).ConfigureAwait(false);
    }

    /// <summary>A call from a neighbour that has not been found yet: it is found by it.</summary>
    private async Task WelcomeOnLinkAsync(Loop loop, SpeakerNews.Called call)
    {
        dynamics.TakenUp();
        var peer = OnLink(call.Connection);
        if (peer != null && LinkNeighbours.MayBe(peer, call.Neighbour, peers.Values))
            peer = await ReplaceAsync(loop, peer, call.Neighbour).ConfigureAwait(false);
        if (peer?.Session.Settings.PeerAddress == call.Neighbour) peer.Session.Accept(call.Connection);
        else call.Connection.Dispose();
    }

    /// <summary>Its session is down: who was heard last may be another by now.</summary>
    private void LookForAnother(Peer peer)
    {
        if (peer.Link is { } link) Post(new SpeakerNews.RouterHeard(link.Interface));
    }

    private Peer? OnLink(string? device) => peers.Values.FirstOrDefault(peer => peer.Link != null && peer.Link.Interface == device);

    private Peer? OnLink(Socket connection) => connection.RemoteEndPoint is IPEndPoint { Address.ScopeId: var scope }
        ? OnLink(kernel.Current.Links.GetValueOrDefault((int)scope)?.Name) : null;

    private async Task<Peer> ReplaceAsync(Loop loop, Peer peer, Address neighbour)
    {
        var link = peer.Link!;
        log.NeighbourFound(peer.Name, neighbour, link.Interface);
        await loop.WaitForAsync(StopPeerAsync(peer, CeaseSubcode.PeerDeconfigured)).ConfigureAwait(false);
        links.Found(link.Interface);
        return StartPeer(link.For(neighbour), link: link);
    }
}
