using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>
/// Rules of a node that uses the overlay: what comes out of it would pass for a gateway's or a client's, so only these may send into it;
/// and connections that pass it say segments that fit, because not everybody hears that a packet was too large.
/// </summary>
internal sealed class EgressTunnelRules(EgressTunnel tunnel)
{
    private const int HeadersOfTcp = 20;

    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    private static string Peers(IpFamily family) => $"{Egress.FeatureName}-peers{(family == IpFamily.IPv4 ? 4 : 6)}";

    public IEnumerable<NftSet> Sets => Families.Select(family => new NftSet(
        Peers(family), [family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address], false,
        [.. tunnel.Peers.Where(address => address.Family == family).Select(address => NftElement.Of(NftOctets.Of(address)))]));

    /// <summary>In front of connection tracking.</summary>
    public IEnumerable<NftRule> Entering => Families.Select(family => new NftRule(
        [
            new MatchFamily(family), new MatchProtocols(IpProtocol.Udp),
            new MatchPorts(NftEnd.Destination, [new(tunnel.Port, tunnel.Port)]),
            new MatchAddress(family, NftEnd.Source, Peers(family), Outside: true), new MatchLocalDestination(), new ActCount(),
            ActDecide.Drop,
        ], "somebody who is no gateway, nor a client's node, sends by the overlay"));

    /// <summary>Both ends of a connection: what its pod may send, and what it may be sent.</summary>
    public IEnumerable<NftRule> Clamps =>
        from family in Families
        from end in (NftEnd[])[NftEnd.Source, NftEnd.Destination]
        select new NftRule(new MatchFamily(family), new MatchProtocols(IpProtocol.Tcp),
            new MatchAddress(family, end, EgressMap.Far.Name(family)),
            new ActClampSegments((ushort)(tunnel.Mtu - HeadersOfTcp - (family == IpFamily.IPv4 ? 20 : 40))));
}
