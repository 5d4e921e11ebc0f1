using System.Buffers.Binary;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Neighbours;

/// <summary>What routers of a link say of themselves: ICMPv6's types (RFC 4861 section 4).</summary>
public enum RouterWord : byte
{
    /// <summary>"Who is a router here?"</summary>
    Solicitation = 133,
    /// <summary>"I am."</summary>
    Advertisement = 134,
}

/// <summary>
/// Router advertisements and solicitations (RFC 4861 sections 4.1 and 4.2), as those send them who are looking for a BGP neighbour: the
/// advertised router's lifetime is zero, so that no host takes us for its way out.
/// </summary>
public static class RouterMessage
{
    private const int SolicitationLength = 8, AdvertisementLength = 16;
    private const byte SourceLinkLayer = 1;

    //   +-----------------+-----------------+-----------------------------------+
    //   | type 133 (8)    | code 0 (8)      | checksum (16): the kernel's       |
    //   +-----------------+-----------------+-----------------------------------+
    //   | reserved (32)                                                         |
    //   +-----------------------------------------------------------------------+
    public static byte[] Solicitation(MacAddress? ours) => Of(RouterWord.Solicitation, SolicitationLength, ours);

    //   +-----------------+-----------------+-----------------------------------+
    //   | type 134 (8)    | code 0 (8)      | checksum (16): the kernel's       |
    //   +-----------------+-----------------+-----------------------------------+
    //   | hop limit 0 (8) | flags 0 (8)     | router lifetime 0 (16)            |
    //   +-----------------+-----------------+-----------------------------------+
    //   | reachable time 0 (32), retransmission timer 0 (32): none is said      |
    //   +-----------------------------------------------------------------------+
    public static byte[] Advertisement(MacAddress? ours) => Of(RouterWord.Advertisement, AdvertisementLength, ours);

    private static byte[] Of(RouterWord what, int length, MacAddress? ours)
    {
        var message = new byte[length + (ours == null ? 0 : 8)];
        message[0] = (byte)what;
        if (ours is not { } mac) return message;
        // Section 4.6.1: type 1, length in units of eight octets, the address.
        (message[length], message[length + 1]) = (SourceLinkLayer, 1);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(length + 2), (ushort)(mac.Value >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(length + 4), (uint)mac.Value);
        return message;
    }

    /// <summary>
    /// Sections 6.1.1 and 6.1.2, but for what the kernel has looked at (<see cref="RouterSocket"/>): the checksum and the hop limit.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> message, Address from, out RouterWord what)
    {
        what = default;
        if (message.Length < SolicitationLength || message[1] != 0) return false;
        what = (RouterWord)message[0];
        var isAdvertisement = what == RouterWord.Advertisement;
        if (!isAdvertisement && what != RouterWord.Solicitation) return false;
        var length = isAdvertisement ? AdvertisementLength : SolicitationLength;
        if (message.Length < length || (isAdvertisement && !from.IsLinkLocal)) return false;
        for (var options = message[length..]; !options.IsEmpty;)
        {
            if (options.Length < 2 || options[1] == 0 || options.Length < 8 * options[1]) return false;
            if (options[0] == SourceLinkLayer && from.IsUnspecified) return false;
            options = options[(8 * options[1])..];
        }
        return true;
    }
}
