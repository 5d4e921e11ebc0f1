// People name a peer as bgpd.yaml does, by its address, or by the object that asks for it.

using Calico.Bgp.Net;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Http;

internal static class PeerNames
{
    /// <summary>The one peer of that name, else the one of that address, else of that BGPPeer or Node; null: none, or several.</summary>
    public static ProtocolStatus? Find(ISpeaker speaker, string name)
    {
        var peers = speaker.Protocols.Where(protocol => protocol.Session != null).ToArray();
        if (peers.FirstOrDefault(peer => peer.Name == name) is { } named) return named;
        var there = (Address.TryParse(name, out var address)
            ? peers.Where(peer => peer.Session!.Settings.PeerAddress == address)
            : peers.Where(peer => peer.Description == name
                || (peer.Origin.Object is { } of && (of.ToString() == name || of.Key.Name == name)))).ToArray();
        return there.Length == 1 ? there[0] : null;
    }

    /// <summary>Who brings routes: a protocol of that name, else the peer that is called so; null: nobody.</summary>
    public static string? Source(ISpeaker speaker, string name) =>
        speaker.Protocols.Any(protocol => protocol.Name == name) ? name : Find(speaker, name)?.Name;

    public static string Unknown(ISpeaker speaker, string name) =>
        Unknown("a peer", speaker.Protocols.Where(protocol => protocol.Session != null), name);

    public static string UnknownSource(ISpeaker speaker, string name) => Unknown("a source of routes", speaker.Protocols, name);

    private static string Unknown(string what, IEnumerable<ProtocolStatus> of, string name)
    {
        var known = string.Join(", ", of.Select(protocol => protocol.Name));
        return $"expected the name of {what} ({(known.Length == 0 ? "none is configured" : known)}), got \"{name}\"";
    }
}
