using System.Globalization;
using Calico.Bgp.Kernel.Links;
using Calico.Bgp.Net;

namespace Calico.Bgp.Configuration;

/// <summary>
/// Where a neighbour is: <c>peerIP</c> with, as in a BGPPeer, a port behind it (<c>192.0.2.1:1790</c>, <c>[2001:db8::1]:1790</c>), and for
/// link-local ones a scope (<c>fe80::1%eth0</c>) or the key <c>interface</c>.
/// </summary>
internal readonly record struct PeerPlace(Address Address, string? Interface, int Port)
{
    private const int BgpPort = 179;

    /// <summary>Null, with an error or a warning, where there is nobody to talk to.</summary>
    public static PeerPlace? Read(Section peer)
    {
        var device = Names.Interface(peer, "interface");
        var port = peer.Number("peerPort", 1, ushort.MaxValue);
        if (!peer.Has("peerIP"))
        {
            peer.Problems.Error(peer.Node, "expected the key peerIP, peerRange or interface, got a peer without them");
            return null;
        }
        if (peer.Text("peerIP") is not { } text) return null;
        if (Parse(text) is not { } place)
        {
            peer.Error("peerIP", $"expected an address (with %INTERFACE where it is link-local) for peerIP, got \"{text}\"");
            return null;
        }
        if (place.Port != 0 && port != null && place.Port != port)
            peer.Error("peerPort", $"expected one port, got {port} here and {place.Port} in peerIP");
        if (place.Interface != null && device != null && place.Interface != device)
            peer.Error("interface", $"expected one interface, got {device} here and {place.Interface} in peerIP");
        var chosen = place.Port != 0 ? place.Port : (int)(port ?? BgpPort);
        return Checked(peer, place with { Interface = place.Interface ?? device, Port = chosen });
    }

    private static PeerPlace? Checked(Section peer, PeerPlace place)
    {
        var (address, device, _) = place;
        if (address.IsUnspecified || address.IsMulticast) peer.Error("peerIP", $"expected a neighbour's address for peerIP, got {address}");
        else if (address.IsLinkLocal && device == null)
            peer.Error("peerIP", $"expected the interface of the link-local address, as in {address}%eth0 or by the key interface");
        else return place;
        return null;
    }

    /// <summary>Port 0: none was given.</summary>
    internal static PeerPlace? Parse(string text)
    {
        var port = 0;
        var host = text;
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']');
            if (end < 0 || !TryPort(text[(end + 1)..], out port)) return null;
            host = text[1..end];
        }
        else if (text.Contains('.') && text.LastIndexOf(':') is var colon and > 0 && text.IndexOf(':') == colon)
        {
            if (!TryPort(text[colon..], out port)) return null;
            host = text[..colon];
        }
        var scope = host.IndexOf('%');
        var device = scope < 0 ? null : host[(scope + 1)..];
        if (device != null && !LinkNames.IsName(device)) return null;
        return Address.TryParse(scope < 0 ? host : host[..scope], out var address) && (device == null || !address.IsIPv4)
            ? new(address, device, port) : null;
    }

    /// <summary><c>:1790</c>, or nothing.</summary>
    private static bool TryPort(string text, out int port)
    {
        port = 0;
        if (text.Length == 0) return true;
        if (text[0] != ':' || !ushort.TryParse(text.AsSpan(1), NumberStyles.None, null, out var number)) return false;
        port = number;
        return number > 0;
    }
}
