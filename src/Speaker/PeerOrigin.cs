using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker;

/// <summary>
/// What asks for a peer: an object of the resources, or a line of bgpd.yaml. All origins are equal: a peer whose line has moved, or that
/// another object asks for in the same words, is the peer that it was, and a reload leaves its session alone.
/// </summary>
/// <param name="Object">Null: it stands in <paramref name="File"/>, in <paramref name="Line"/> (from 1).</param>
public readonly record struct PeerOrigin(ResourceId? Object, string? File = null, int Line = 0)
{
    public static PeerOrigin Of(ResourceId resource) => new(resource);
    public static PeerOrigin Of(string file, int line) => new(null, file, line);

    /// <summary><c>BGPPeer/tor1</c>, <c>/etc/bgpd/bgpd.yaml:12</c>; empty where nobody said it.</summary>
    public override string ToString() => Object is { } resource ? resource.ToString() : File == null ? "" : $"{File}:{Line}";

    public bool Equals(PeerOrigin other) => true;
    public override int GetHashCode() => 0;
}
