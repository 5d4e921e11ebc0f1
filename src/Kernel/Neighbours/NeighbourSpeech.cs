using System.Buffers.Binary;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Neighbours;

/// <summary>
/// What is said on a link of who has an address: ARP (RFC 826, 5227) in frames of Ethernet, neighbour discovery (RFC 4861 sections 4.3 and
/// 4.4) in ICMPv6: heard in frames, said without them, because the kernel puts its checksum in.
/// </summary>
internal static class NeighbourSpeech
{
    public const int FrameOctets = 42;
    private const ushort Arp = 0x0806, Ethernet = 1, IPv4 = 0x0800;
    private const int Request = 1, Reply = 2;
    private const byte Advertisement = 136, IcmpV6 = 58, MostHops = 255;
    private const int SourceAt = 22, TargetAt = 62;

    public const byte Solicitation = 135;
    public const int NextHeaderAt = 20, HopLimitAt = 21, TypeAt = 54;

    private static readonly byte[] Everybody = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

    // |  0: to (48) | 6: from (48) | 12: 0x0806 | 14: 1, 0x0800, 6, 4 | 20: what | 22: sender's MAC, address | 32: target's MAC, address |

    /// <summary>That somebody has an address: in the form of a question for it, which all who know an older answer take over.</summary>
    public static byte[] Announcement(Address address, MacAddress mac) => Frame(Request, address, mac, Everybody, address, new byte[6]);

    /// <summary>To whoever asks.</summary>
    public static byte[] Answer(Address address, MacAddress mac, Address asker, ReadOnlySpan<byte> askersMac) =>
        Frame(Reply, address, mac, askersMac, asker, askersMac);

    private static byte[] Frame(
        ushort what, Address address, MacAddress mac, ReadOnlySpan<byte> to, Address target, ReadOnlySpan<byte> targetsMac)
    {
        var frame = new byte[FrameOctets];
        to.CopyTo(frame);
        Write(mac, frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), Arp);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(14), Ethernet);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(16), IPv4);
        (frame[18], frame[19]) = (6, 4);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(20), what);
        Write(mac, frame.AsSpan(22));
        address.Write(frame.AsSpan(28, 4));
        targetsMac.CopyTo(frame.AsSpan(32));
        target.Write(frame.AsSpan(38, 4));
        return frame;
    }

    /// <summary>Somebody asks who has an address, and is not only told that he may not take it.</summary>
    public static bool TryReadQuestion(ReadOnlySpan<byte> frame, out Address asked, out Address asker, out ReadOnlySpan<byte> askersMac)
    {
        (asked, asker) = (default, default);
        askersMac = default;
        if (frame.Length < FrameOctets || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != Arp
            || BinaryPrimitives.ReadUInt16BigEndian(frame[14..]) != Ethernet || BinaryPrimitives.ReadUInt16BigEndian(frame[16..]) != IPv4
            || frame[18] != 6 || frame[19] != 4 || BinaryPrimitives.ReadUInt16BigEndian(frame[20..]) != Request) return false;
        (asked, asker) = (Address.FromOctets(frame[38..42]), Address.FromOctets(frame[28..32]));
        askersMac = frame[22..28];
        return asked != asker;
    }

    /// <summary>That we have an address; who knows another answer takes this one (O).</summary>
    /// <param name="isAsked">S: an answer, and no news.</param>
    public static byte[] Advertise(Address address, MacAddress mac, bool isAsked)
    {
        const byte solicited = 0x40, overrides = 0x20, targetsMac = 2;
        var message = new byte[32];
        message[0] = Advertisement;
        message[4] = (byte)(overrides | (isAsked ? solicited : 0));
        address.Write(message.AsSpan(8, 16));
        (message[24], message[25]) = (targetsMac, 1);
        Write(mac, message.AsSpan(26));
        return message;
    }

    // |  0: to (48) | 6: from (48) | 12: 0x86dd | 14: IPv6's header: 20: 58, 21: 255, 22: source | 54: 135, 0, … | 62: target |

    /// <summary>Somebody on the link asks who has an address.</summary>
    /// <param name="asker">Unspecified: whoever asks has none yet.</param>
    public static bool TryReadSolicitation(ReadOnlySpan<byte> frame, out Address asked, out Address asker)
    {
        (asked, asker) = (default, default);
        if (frame.Length < TargetAt + 16 || frame[NextHeaderAt] != IcmpV6 || frame[HopLimitAt] != MostHops
            || frame[TypeAt] != Solicitation || frame[TypeAt + 1] != 0) return false;
        (asked, asker) = (Address.FromOctets(frame.Slice(TargetAt, 16)), Address.FromOctets(frame.Slice(SourceAt, 16)));
        return true;
    }

    /// <summary>Where those who ask for an address ask at first (RFC 4291 section 2.7.1).</summary>
    public static Address SolicitedGroup(Address address)
    {
        Span<byte> group = stackalloc byte[16];
        address.Write(group);
        ReadOnlySpan<byte> first = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff];
        first.CopyTo(group);
        return Address.FromOctets(group);
    }

    private static void Write(MacAddress mac, Span<byte> into)
    {
        for (var at = 0; at < 6; at++) into[at] = (byte)(mac.Value >> (40 - 8 * at));
    }
}
