using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Calico.Bgp.Kernel.Links;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Overlays;

/// <summary>
/// A VXLAN interface (RFC 7348) that asks nobody on it for addresses: who is where, is told by <see cref="OverlayPeer"/> and
/// <see cref="OverlayNeighbour"/>, or learnt of what comes. Its packets may come from where no route leads back to, so its filter of
/// reverse paths is a loose one.
/// </summary>
/// <param name="Local">What it sends with; its family is that of all that is around the packets.</param>
public sealed record VxlanLink(string Name, uint Network, ushort Port, Address Local) : KernelObject
{
    private const ushort AddressOf = 1, NameOf = 3, MtuOf = 4, Info = 18, Group = 27; // IFLA_…
    private const ushort KindOf = 1, Data = 2;                                        // IFLA_INFO_…
    private const ushort Id = 1, Local4 = 4, Learning = 7, Ageing = 8, PortOf = 15, Local6 = 17; // IFLA_VXLAN_…
    private const uint Up = 0x1, NoArp = 0x80;                                        // IFF_…
    private const string Vxlan = "vxlan";

    /// <summary>Seconds of a year: 0 would be the kernel's five minutes.</summary>
    private const uint ForEver = 31_536_000;

    /// <summary>No link says which program has made it; a group is a number that nothing else of the kernel's looks at.</summary>
    private const uint OurGroup = 0x6267_0000;

    /// <summary>What is around a packet: Ethernet, VXLAN and UDP, and IPv4 or IPv6.</summary>
    public static int Overhead(IpFamily outer) => 14 + 8 + 8 + (outer == IpFamily.IPv4 ? 20 : 40);

    public MacAddress Mac { get; init; }
    public int Mtu { get; init; }

    /// <summary>Who has sent a packet is where packets to its link-layer address go, for ever.</summary>
    public bool Learns { get; init; }

    /// <summary>What cannot be changed while it is there; one with another is another. With its own link-layer address it would forget
    /// those of others.</summary>
    internal override object Key => (Name, Network, Port, Local, Mac, Learns);

    internal override int Level => -2;

    // ip link add NAME address MAC mtu MTU type vxlan id NETWORK dstport PORT local LOCAL [no]learning ageing 31536000
    // ip link set NAME up arp off
    internal override NetlinkMessage New(byte protocol, bool replace)
    {
        var message = new NetlinkMessage(MessageType.NewLink, NetlinkFlags.Request | NetlinkFlags.Ack
            | (replace ? NetlinkFlags.None : NetlinkFlags.Create | NetlinkFlags.Exclusive))
            .Header(new LinkMessage.Header(0, 0, 0, 0, Up | NoArp, Up | NoArp)).Text(NameOf, Name).Attribute(MtuOf, (uint)Mtu);
        if (replace) return message;
        message.Attribute(AddressOf, OverlayOctets.Of(Mac)).Attribute(Group, OurGroup | protocol);
        using (message.OpenNested(Info))
        {
            message.Attribute(KindOf, Encoding.UTF8.GetBytes(Vxlan));
            using (message.OpenNested(Data))
                message.Attribute(Id, Network).Attribute(PortOf, InNetworkOrder(Port)).Attribute(Learning, [Learns ? (byte)1 : (byte)0])
                    .Attribute(Ageing, ForEver).Attribute(Local.IsIPv4 ? Local4 : Local6, OverlayOctets.Of(Local));
        }
        return message;
    }

    private static byte[] InNetworkOrder(ushort number)
    {
        var octets = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(octets, number);
        return octets;
    }

    internal override NetlinkMessage Delete(byte protocol) => new NetlinkMessage(MessageType.DelLink,
        NetlinkFlags.Request | NetlinkFlags.Ack).Header(new LinkMessage.Header()).Text(NameOf, Name);

    internal override string? Tune()
    {
        const string strict = "1", loose = "2", all = "/proc/sys/net/ipv4/conf/all/rp_filter";
        var path = $"/proc/sys/net/ipv4/conf/{Name}/rp_filter";
        try
        {
            // The greater of the two is in force. Where nothing is strict nothing has to be written, which a container may not do.
            var (own, of) = (File.ReadAllText(path).Trim(), File.ReadAllText(all).Trim());
            if (own != loose && of != loose && (own == strict || of == strict)) File.WriteAllText(path, loose);
            return null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return $"{path} cannot be set to {loose}, and packets that come by the overlay may be dropped: {refused.Message}";
        }
    }

    // ip -d link show type vxlan
    internal static NetlinkMessage Dump()
    {
        var message = new NetlinkMessage(MessageType.GetLink, NetlinkFlags.Request | NetlinkFlags.Dump).Header(new LinkMessage.Header());
        using (message.OpenNested(Info)) message.Attribute(KindOf, Encoding.UTF8.GetBytes(Vxlan));
        return message;
    }

    /// <summary>False for what is not ours, or not up.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> body, byte protocol, out VxlanLink link, out int index)
    {
        (link, index) = (null!, 0);
        if (!LinkMessage.TryRead(body, out var known) || known.Mac is not { } mac) return false;
        var attributes = body[Marshal.SizeOf<LinkMessage.Header>()..];
        var info = AttributeReader.Find(attributes, Info);
        var data = AttributeReader.Find(info, Data);
        if (AttributeReader.U32(AttributeReader.Find(attributes, Group)) != (OurGroup | protocol)
            || AttributeReader.Text(AttributeReader.Find(info, KindOf)) != Vxlan) return false;
        var local = AttributeReader.Find(data, Local4) is { IsEmpty: false } ipv4 ? ipv4 : AttributeReader.Find(data, Local6);
        if (local.Length is not (4 or 16)) return false;
        var port = AttributeReader.Find(data, PortOf);
        index = known.Index;
        link = new(known.Name, AttributeReader.U32(AttributeReader.Find(data, Id)),
            port.Length == 2 ? BinaryPrimitives.ReadUInt16BigEndian(port) : (ushort)0, Address.FromOctets(local))
        {
            Mac = mac,
            // One that is down is not as it is wanted, whatever its size.
            Mtu = known.IsUp ? known.Mtu : 0,
            Learns = AttributeReader.Find(data, Learning) is [not 0],
        };
        return true;
    }

    public override string ToString() => $"link {Name} type vxlan id {Network} dstport {Port} local {Local} mtu {Mtu} address {Mac}";
}

internal static class OverlayOctets
{
    public static byte[] Of(MacAddress mac)
    {
        var octets = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(octets, mac.Value);
        return octets[2..];
    }

    public static byte[] Of(Address address)
    {
        var octets = new byte[address.Family.Octets()];
        address.Write(octets);
        return octets;
    }
}
