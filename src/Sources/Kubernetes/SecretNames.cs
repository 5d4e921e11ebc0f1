using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>The Secrets that BGPPeers name for this node's sessions: no other is asked for.</summary>
internal sealed class SecretNames(KubernetesSettings settings)
{
    private readonly Dictionary<ResourceOrigin, BgpPeer> peers = [];
    /// <summary>Of this node; null: the cluster does not know it, and any selector may select it.</summary>
    private Labels? labels;

    public IEnumerable<string> Wanted => peers.Values.Where(IsOurs).Select(peer => peer.Password!.Name).Distinct();

    private bool IsOurs(BgpPeer peer) =>
        peer.Node is { } node ? node == settings.Node : labels == null || peer.NodeSelector?.Matches(labels) != false;

    /// <summary>True where what is wanted may be different now.</summary>
    public bool Note(Collection of, OriginContent content)
    {
        if (of.Kind == Kinds.BgpPeer) return NotePeer(content);
        if (of.Kind != Kinds.KubernetesNode || content.Definitions is not [{ Value: Node node }] || node.Name != settings.Node)
            return false;
        labels = node.Labels;
        return true;
    }

    /// <summary>One that is refused stays what it was last.</summary>
    private bool NotePeer(OriginContent content)
    {
        if (content.Definitions.IsEmpty && content.Whole) return peers.Remove(content.Origin);
        if (content.Definitions is not [{ Value: BgpPeer peer }]) return false;
        if (peer.Password == null) return peers.Remove(content.Origin);
        peers[content.Origin] = peer;
        return true;
    }
}
