using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane;

/// <summary>What becomes of connections whose treatment a change of pools alters.</summary>
public enum OnPoolChange : byte { Keep, Cut }

/// <summary><c>nat</c> of bgpd.yaml: what no resource of Calico's says.</summary>
public sealed record NatSettings
{
    public bool Enabled { get; init; }
    /// <summary>Of several addresses in natOutgoingAddress a source keeps the one it was given.</summary>
    public bool Persistent { get; init; }
    public OnPoolChange OnChange { get; init; }
    public UpstreamSettings Upstream { get; init; } = new();
}

/// <summary>
/// <c>nat.upstream</c>: whose infrastructure translates, so that this node need not. BGPPeers say so of themselves by an annotation.
/// </summary>
public sealed record UpstreamSettings
{
    /// <summary>On a BGPPeer: <c>"true"</c>.</summary>
    public const string PeerAnnotation = "nat.bgpd/upstream";

    public static readonly TimeSpan DefaultStableFor = TimeSpan.FromSeconds(10);

    public bool AllPeers { get; init; }
    /// <summary>By their names, as <c>bgpctl peers</c> shows them.</summary>
    public ListOf<string> Peers { get; init; }
    /// <summary>Whoever announces a default route with this community.</summary>
    public Community? Community { get; init; }
    /// <summary>How long everything must have been in place before this node stops translating. It begins again at once.</summary>
    public TimeSpan StableFor { get; init; } = DefaultStableFor;
}
