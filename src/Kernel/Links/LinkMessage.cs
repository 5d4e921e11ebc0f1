using System.Runtime.InteropServices;
using System.Text;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Links;

/// <summary>RTM_NEWLINK and RTM_DELLINK (rtnetlink(7)): what interfaces there are.</summary>
internal static class LinkMessage
{
    private const ushort Address = 1, Name = 3, Mtu = 4, Master = 10; // IFLA_…

    /// <summary>struct ifinfomsg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Header(byte Family, byte Pad, ushort Type, int Index, uint Flags, uint Change);

    // ip link show
    public static NetlinkMessage Dump() =>
        new NetlinkMessage(MessageType.GetLink, NetlinkFlags.Request | NetlinkFlags.Dump)
            .Header(new Header());

    // ip link show dev INDEX
    public static NetlinkMessage Ask(int index) =>
        new NetlinkMessage(MessageType.GetLink, NetlinkFlags.Request).Header(new Header { Index = index });

    /// <summary>False for what is no interface: a bridge's news of its ports comes as the same message with family AF_BRIDGE.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out Link link)
    {
        link = new(0, "", 0, 0, 0, null);
        if (!MemoryMarshal.TryRead(body, out Header header) || header.Family != 0) return false;
        link = link with { Index = header.Index, Flags = header.Flags };
        var attributes = new AttributeReader(body[Marshal.SizeOf<Header>()..]);
        while (attributes.Next(out var type, out var value)) link = type switch
        {
            Name => link with { Name = Encoding.UTF8.GetString(value.TrimEnd((byte)0)) },
            Mtu => link with { Mtu = (int)AttributeReader.U32(value) },
            Master => link with { Master = (int)AttributeReader.U32(value) },
            Address when value.Length == 6 => link with { Mac = MacAddress.FromOctets(value) },
            _ => link,
        };
        return true;
    }
}
