using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Configuration;

/// <summary><c>peers</c>: each on its own, then what must hold among all of them.</summary>
internal sealed class PeersReader(Section root, SpeakerConfig router, NamedFilters filters, Folder folder)
{
    private readonly Dictionary<string, int> names = [];
    private readonly Dictionary<(Address Address, string? Interface, int Port), string> places = [];
    private readonly Dictionary<Prefix, int> ranges = [];
    private readonly Dictionary<string, int> links = new(StringComparer.Ordinal);

    public (ImmutableArray<PeerConfig> Peers, ImmutableArray<PeerRange> Ranges, ImmutableArray<PeerLink> Links) Read()
    {
        var peers = new List<(Section Section, PeerConfig Peer)>();
        var (templates, byLink) = (ImmutableArray.CreateBuilder<PeerRange>(), ImmutableArray.CreateBuilder<PeerLink>());
        foreach (var section in root.Sections("peers"))
        {
            var reader = new PeerReader(section, router, filters, folder);
            if (section.Has("peerRange"))
            {
                if (reader.ReadRange() is { } range && Unique(section, range)) templates.Add(range);
            }
            else if (section.Has("interface") && !section.Has("peerIP"))
            {
                if (reader.ReadLink() is { } link && Unique(section, link)) byLink.Add(link);
            }
            else if (reader.Read() is { } peer && Unique(section, peer)) peers.Add((section, peer));
        }
        foreach (var (section, peer) in peers)
            foreach (var range in templates) Together(section, peer, range);
        return ([.. peers.Select(peer => peer.Peer)], templates.DrainToImmutable(), byLink.DrainToImmutable());
    }

    private bool Unique(Section section, PeerRange range)
    {
        if (ranges.TryAdd(range.Range, section.Node.Line)) return true;
        section.Error(
            "peerRange", $"expected each range once under peers, got {range.Range} again (first in line {ranges[range.Range]})");
        return false;
    }

    private bool Unique(Section section, PeerLink link)
    {
        if (!IsNewName(section, link.Each.Session.Name)) return false;
        if (links.TryAdd(link.Interface, section.Node.Line)) return true;
        section.Error(
            "interface",
            $"expected each interface once by itself under peers, got {link.Interface} again (first in line {links[link.Interface]})");
        return false;
    }

    private bool IsNewName(Section section, string name)
    {
        if (names.TryAdd(name, section.Node.Line)) return true;
        section.Error("name", $"expected each name once under peers, got \"{name}\" again (first in line {names[name]})");
        return false;
    }

    /// <summary>A peer of its own beside a range that holds its address, or that could call a session as it is called.</summary>
    private static void Together(Section section, PeerConfig peer, PeerRange range)
    {
        var (name, word) = (peer.Session.Name, $"{range.Each.Session.Name}_");
        if (name.StartsWith(word, StringComparison.Ordinal) && IsHeld(name[word.Length..], range.Range))
            section.Error("name", $"expected a name that no neighbour of {range.Range} gets, got \"{name}\"");
        if (range.Range.Contains(peer.Session.PeerAddress) && range.Each.Session.Password != null && peer.Session.Password == null)
            section.Problems.Warn(
                section.At("peerIP"),
                $"{name} has no password, and the kernel asks for the one of {range.Range} whenever {peer.Session.PeerAddress} calls");
    }

    private static bool IsHeld(string word, Prefix range) =>
        Address.TryParse(word.Replace('_', range.Family == IpFamily.IPv4 ? '.' : ':'), out var address) && range.Contains(address);

    private bool Unique(Section section, PeerConfig peer)
    {
        var session = peer.Session;
        if (!IsNewName(section, session.Name)) return false;
        var place = (session.PeerAddress, session.Interface, session.PeerPort);
        if (places.TryAdd(place, session.Name)) return true;
        var got = $"{session.PeerAddress} port {session.PeerPort} again (as of {places[place]})";
        section.Error("peerIP", $"expected one peer for each address and port, got {got}");
        return false;
    }
}
