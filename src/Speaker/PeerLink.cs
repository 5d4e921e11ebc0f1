using Calico.Bgp.Net;
using Calico.Bgp.Session;

namespace Calico.Bgp.Speaker;

/// <summary>
/// A neighbour that is known by its link alone (unnumbered; FRR's <c>neighbor eth0 interface</c>): whoever says there that he is a router.
/// </summary>
/// <param name="Advertises">We say so too; else he may know no way to find us.</param>
/// <param name="Each">Its session has the interface's name, and no address that counts.</param>
public sealed record PeerLink(string Interface, bool Advertises, PeerConfig Each)
{
    /// <summary>fe80::/10, RFC 4291 section 2.5.6.</summary>
    private static readonly Prefix LinkLocal = Prefix.Parse("fe80::/10");

    /// <summary>Before anybody is found: it waits for a call, and there is nobody to call.</summary>
    public PeerConfig Nobody => Each with { Session = Each.Session with { PeerAddress = Address.AnyIPv6, Passive = true } };

    /// <summary>Whoever calls there shows that he is there.</summary>
    public PeerTemplate Template => new(LinkLocal, 1, Nobody.Session);

    public PeerConfig For(Address neighbour) => Each with { Session = Each.Session with { PeerAddress = neighbour } };
}
