using System.Buffers.Binary;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Overlays;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>
/// The VXLAN network by which packets come to gateways that are on no link of this node, with Calico's network number and port (section 3.2
/// of calico-policy-nat.md). Nobody on it is asked for addresses: the link-layer address of each follows from the address by which it is
/// reached. The way back needs no overlay where the gateway is a node: an answer goes to the pod by whatever route there is.
/// </summary>
/// <param name="self">This node; null: it is not known, and nothing is sent.</param>
internal sealed class EgressOverlay(Node? self, FelixConfiguration felix, NextHopResolver resolver)
{
    /// <summary>Felix's name for it.</summary>
    public const string LinkName = "egress.calico";
    public const ushort DefaultPort = 4790;
    public const uint DefaultNetwork = 4097;
    private const int LeastMtu = 1280;

    public EgressOverlay By(NextHopResolver other) => new(self, felix, other);

    /// <summary>What this node is known by, and sends with: IPv4's address, where it has one.</summary>
    public Address? Local { get; } = self == null ? null : NodeAddresses.Of(self).Cast<Address?>().FirstOrDefault();

    public ushort Port { get; } = (ushort)(felix.EgressVxlanPort ?? DefaultPort);

    /// <summary>The link's number; 0: it is not there yet.</summary>
    public int Interface { get; } = resolver.Snapshot.Links.Values.FirstOrDefault(link => link.Name == LinkName && link.IsUp)?.Index ?? 0;

    /// <summary>Of its family all that is around packets is.</summary>
    public Address? Outer(ListOf<Address> hosts)
    {
        foreach (var host in hosts)
            if (host.Family == Local?.Family) return host;
        return null;
    }

    /// <summary>Locally administered (IEEE 802), so that no card has it; of IPv6 by a hash.</summary>
    public static MacAddress MacOf(Address outer)
    {
        Span<byte> octets = stackalloc byte[Sha1.Size];
        var length = outer.Write(octets);
        if (outer.Family == IpFamily.IPv6)
        {
            Span<byte> address = stackalloc byte[16];
            octets[..length].CopyTo(address);
            Sha1.Hash(address, octets);
        }
        return MacAddress.FromOctets([0xa2, 0x2a, octets[0], octets[1], octets[2], octets[3]]);
    }

    /// <summary>
    /// By which address packets are handed to it there: of IPv6 by one that is the link's own (RFC 4291, appendix A). The kernel takes
    /// none as a next hop to which another link leads, however "onlink" it is said to be (ip6_route_check_nh_onlink).
    /// </summary>
    /// <param name="outer">To which packets for it are sent around.</param>
    public static Address HopOf(Address host, Address outer)
    {
        if (host.Family == IpFamily.IPv4) return host;
        var mac = MacOf(outer).Value;
        var (vendor, card) = ((mac >> 24) ^ 0x020000, mac & 0xffffff);
        Span<byte> octets = stackalloc byte[16];
        octets.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(octets, 0xfe80);
        BinaryPrimitives.WriteUInt64BigEndian(octets[8..], (vendor << 40) | (0xfffeUL << 24) | card);
        return Address.FromOctets(octets);
    }

    /// <summary>The link, and, as soon as that is there, who is on it.</summary>
    /// <param name="far">Those that packets are sent to, each by all its addresses.</param>
    public ListOf<KernelObject> Objects(IEnumerable<ListOf<Address>> far)
    {
        if (Local is not { } local) return [];
        var hosts = far.Distinct().Where(host => Outer(host) != null).ToArray();
        var link = new VxlanLink(LinkName, (uint)(felix.EgressVxlanNetwork ?? (int)DefaultNetwork), Port, local)
        {
            Mac = MacOf(local),
            Mtu = Mtu(hosts),
        };
        return Interface == 0 ? [link] :
        [
            link, .. hosts.Select(Outer).OfType<Address>().Distinct().Order().Select(outer =>
                new OverlayPeer(Interface, MacOf(outer), outer)),
            .. hosts.SelectMany(host => host.Select(address => (Hop: HopOf(address, Outer(host)!.Value), Outer: Outer(host)!.Value)))
                .Distinct().OrderBy(one => one.Hop).Select(one => new OverlayNeighbour(Interface, one.Hop, MacOf(one.Outer))),
        ];
    }

    /// <summary>Of the links that packets leave by the smallest, less what is put around them.</summary>
    public int Mtu(IEnumerable<ListOf<Address>> far)
    {
        var links = resolver.Snapshot.Links;
        var ways = far.Select(Outer).OfType<Address>().Select(outer => resolver.Resolve(outer)).Where(way => way.Resolvable)
            .Select(way => way.Interface)
            .Concat(resolver.Snapshot.Addresses.Where(one => one.Address == Local).Select(one => one.Interface));
        var smallest = ways.Select(index => links.GetValueOrDefault(index)?.Mtu ?? 0).Where(mtu => mtu > 0).DefaultIfEmpty(1500).Min();
        return Math.Max(LeastMtu, smallest - VxlanLink.Overhead(Local?.Family ?? IpFamily.IPv4));
    }
}

/// <summary>What rules need to know of the overlay.</summary>
/// <param name="Peers">Who may send by it to this node.</param>
internal sealed record EgressTunnel(ushort Port, int Mtu, ListOf<Address> Peers);
