using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Configuration;

/// <summary><c>peers</c>: each on its own, then what must hold among all of them.</summary>
internal sealed class PeersReader(Section root, SpeakerConfig router, NamedFilters filters, Folder folder)
{
    private readonly Dictionary<string, int> names = [];
    private readonly Dictionary<(Address Address, string? Interface, int Port), string> places = [];

    public ImmutableArray<PeerConfig> Read()
    {
        var peers = ImmutableArray.CreateBuilder<PeerConfig>();
        foreach (var section in root.Sections("peers"))
            if (new PeerReader(section, router, filters, folder).Read() is { } peer && Unique(section, peer)) peers.Add(peer);
        return peers.DrainToImmutable();
    }

    private bool Unique(Section section, PeerConfig peer)
    {
        var session = peer.Session;
        if (!names.TryAdd(session.Name, section.Node.Line))
        {
            section.Error(
                "name", $"expected each name once under peers, got \"{session.Name}\" again (first in line {names[session.Name]})");
            return false;
        }
        var place = (session.PeerAddress, session.Interface, session.PeerPort);
        if (places.TryAdd(place, session.Name)) return true;
        var got = $"{session.PeerAddress} port {session.PeerPort} again (as of {places[place]})";
        section.Error("peerIP", $"expected one peer for each address and port, got {got}");
        return false;
    }
}
