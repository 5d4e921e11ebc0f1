using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Overlays;

/// <summary>Where packets to a link-layer address of an overlay are sent (an entry of its forwarding database).</summary>
public sealed record OverlayPeer(int Interface, MacAddress Mac, Address Outer) : KernelObject
{
    internal override object Key => (Interface, Mac);
    internal override int Level => -1;

    // bridge fdb replace MAC dev INTERFACE dst OUTER self permanent
    internal override NetlinkMessage New(byte protocol, bool replace) =>
        OverlayMessage.New(OverlayMessage.Bridge, Interface, OverlayMessage.Self, replace)
            .Attribute(OverlayMessage.LinkLayer, OverlayOctets.Of(Mac)).Attribute(OverlayMessage.Destination, OverlayOctets.Of(Outer));

    // bridge fdb del MAC dev INTERFACE self
    internal override NetlinkMessage Delete(byte protocol) =>
        OverlayMessage.Delete(OverlayMessage.Bridge, Interface, OverlayMessage.Self)
            .Attribute(OverlayMessage.LinkLayer, OverlayOctets.Of(Mac));

    public override string ToString() => $"fdb {Mac} dev {Interface} dst {Outer}";
}

/// <summary>Whom an address of an overlay belongs to.</summary>
public sealed record OverlayNeighbour(int Interface, Address Address, MacAddress Mac) : KernelObject
{
    internal override object Key => (Interface, Address);
    internal override int Level => -1;

    // ip neighbour replace ADDRESS lladdr MAC dev INTERFACE nud permanent
    internal override NetlinkMessage New(byte protocol, bool replace) =>
        OverlayMessage.New(Address.Family.Number(), Interface, 0, replace)
            .Attribute(OverlayMessage.Destination, OverlayOctets.Of(Address))
            .Attribute(OverlayMessage.LinkLayer, OverlayOctets.Of(Mac));

    // ip neighbour del ADDRESS dev INTERFACE
    internal override NetlinkMessage Delete(byte protocol) =>
        OverlayMessage.Delete(Address.Family.Number(), Interface, 0)
            .Attribute(OverlayMessage.Destination, OverlayOctets.Of(Address));

    public override string ToString() => $"neighbour {Address} lladdr {Mac} dev {Interface}";
}

/// <summary>RTM_NEWNEIGH of overlays (rtnetlink(7), linux/neighbour.h).</summary>
internal static class OverlayMessage
{
    public const ushort Destination = 1, LinkLayer = 2; // NDA_DST, NDA_LLADDR
    public const byte Bridge = 7, Self = 0x02;          // AF_BRIDGE, NTF_SELF
    private const ushort IndexOf = 8, Permanent = 0x80; // NDA_IFINDEX, NUD_PERMANENT

    public static NetlinkMessage New(byte family, int link, byte flags, bool replace) =>
        new NetlinkMessage(MessageType.NewNeighbour, NetlinkFlags.Request | NetlinkFlags.Ack | NetlinkFlags.Create
            | (replace ? NetlinkFlags.Replace : NetlinkFlags.None))
            .Header(new NeighbourMessage.Header(family, 0, 0, link, Permanent, flags, 0));

    public static NetlinkMessage Delete(byte family, int link, byte flags) =>
        new NetlinkMessage(MessageType.DelNeighbour, NetlinkFlags.Request | NetlinkFlags.Ack)
            .Header(new NeighbourMessage.Header(family, 0, 0, link, 0, flags, 0));

    // bridge fdb show dev LINK; ip neighbour show dev LINK
    public static NetlinkMessage Dump(byte family, int link) =>
        new NetlinkMessage(MessageType.GetNeighbour, NetlinkFlags.Request | NetlinkFlags.Dump)
            .Header(new NeighbourMessage.Header(family, 0, 0, 0, 0, 0, 0)).Attribute(IndexOf, (uint)link);

    /// <summary>False for what has been learnt, or is another link's.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, int link, out KernelObject found)
    {
        found = null!;
        if (!MemoryMarshal.TryRead(body, out NeighbourMessage.Header header) || header.Index != link
            || (header.State & Permanent) == 0) return false;
        var attributes = body[Marshal.SizeOf<NeighbourMessage.Header>()..];
        var to = AttributeReader.Find(attributes, Destination);
        var mac = AttributeReader.Find(attributes, LinkLayer);
        if (to.Length is not (4 or 16) || mac.Length != 6) return false;
        found = header.Family == Bridge ? new OverlayPeer(link, MacAddress.FromOctets(mac), Address.FromOctets(to))
            : new OverlayNeighbour(link, Address.FromOctets(to), MacAddress.FromOctets(mac));
        return true;
    }
}
