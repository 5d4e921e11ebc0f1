using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Links;

/// <summary>RTM_NEWADDR and RTM_DELADDR (rtnetlink(7)): which addresses the interfaces have.</summary>
internal static class AddressMessage
{
    private const ushort PeerOrOwn = 1, Own = 2; // IFA_ADDRESS, IFA_LOCAL
    private const byte SecondaryFlag = 1;        // IFA_F_SECONDARY; IPv6 says "temporary" with the same bit

    /// <summary>struct ifaddrmsg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Header(byte Family, byte PrefixLength, byte Flags, byte Scope, int Index);

    // ip address show
    public static NetlinkMessage Dump() =>
        new NetlinkMessage(MessageType.GetAddress, NetlinkFlags.Request | NetlinkFlags.Dump)
            .Header(new Header());

    /// <summary>IPv4 always gives IFA_LOCAL, and in IFA_ADDRESS the other end of a point-to-point link or the same again; IPv6 gives
    /// IFA_ADDRESS alone unless there is another end.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out LinkAddress address)
    {
        address = null!;
        if (!MemoryMarshal.TryRead(body, out Header header) || !AddressFamilies.TryRead(header.Family, out var family)) return false;
        Address? own = null, other = null;
        var attributes = new AttributeReader(body[Marshal.SizeOf<Header>()..]);
        while (attributes.Next(out var type, out var value))
        {
            if (value.Length != family.Octets()) continue;
            if (type == Own) own = Address.FromOctets(value);
            else if (type == PeerOrOwn) other = Address.FromOctets(value);
        }
        if ((own ?? other) is not { } found || header.PrefixLength > family.Bits()) return false;
        var opposite = own != null && other != own ? other : null;
        address = new(header.Index, found, header.PrefixLength, opposite, header.Scope,
            family == IpFamily.IPv4 && (header.Flags & SecondaryFlag) != 0);
        return true;
    }
}
