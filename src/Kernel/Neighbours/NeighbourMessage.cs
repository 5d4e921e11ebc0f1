using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Neighbours;

/// <summary>RTM_NEWNEIGH and RTM_DELNEIGH (rtnetlink(7)): who answers on a link. Unnumbered peers are found by it.</summary>
internal static class NeighbourMessage
{
    private const ushort Destination = 1, LinkLayer = 2; // NDA_DST, NDA_LLADDR
    private const byte RouterFlag = 0x80;                // NTF_ROUTER

    // Reachable, stale, delay, probe or permanent: the address has an answer. Incomplete and failed have none, NUD_NOARP (0x40) never
    // asked.
    private const ushort Known = 0x02 | 0x04 | 0x08 | 0x10 | 0x80;

    /// <summary>struct ndmsg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Header(byte Family, byte Pad1, ushort Pad2, int Index, ushort State, byte Flags, byte Type);

    // ip neighbour show
    public static NetlinkMessage Dump() =>
        new NetlinkMessage(MessageType.GetNeighbour, NetlinkFlags.Request | NetlinkFlags.Dump)
            .Header(new Header());

    /// <summary>False for other families (a bridge's forwarding entries come as the same message).</summary>
    /// <param name="known">False: the kernel names it, but nobody has answered there.</param>
    public static bool TryRead(ReadOnlySpan<byte> body, out Neighbour neighbour, out bool known)
    {
        (neighbour, known) = (null!, false);
        if (!MemoryMarshal.TryRead(body, out Header header) || !AddressFamilies.TryRead(header.Family, out var family)) return false;
        Address? address = null;
        MacAddress? mac = null;
        var attributes = new AttributeReader(body[Marshal.SizeOf<Header>()..]);
        while (attributes.Next(out var type, out var value))
        {
            if (type == Destination && value.Length == family.Octets()) address = Address.FromOctets(value);
            else if (type == LinkLayer && value.Length == 6) mac = MacAddress.FromOctets(value);
        }
        if (address is not { } found) return false;
        neighbour = new(header.Index, found, mac, (header.Flags & RouterFlag) != 0);
        known = (header.State & Known) != 0;
        return true;
    }
}
