using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Net;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Neighbours;

/// <summary>Where the routers of one link are heard, and hear of us.</summary>
public interface IRouterSocket : IDisposable
{
    /// <summary>To all nodes of the link; or to the one that has asked.</summary>
    /// <exception cref="SocketException">Not now: the link is down, or its own address is not ready.</exception>
    void Advertise(Address? to = null);

    /// <summary>To all routers of the link.</summary>
    /// <exception cref="SocketException">As above.</exception>
    void Solicit();

    /// <summary>The next sound word of somebody else's; what is not sound is passed over.</summary>
    /// <exception cref="SocketException">The link is gone.</exception>
    ValueTask<(RouterWord What, Address From)> ReceiveAsync(CancellationToken stop);
}

/// <summary>
/// A raw ICMPv6 socket on one link, for <see cref="RouterMessage"/>'s two types. The kernel's own handling of them (accept_ra) goes on
/// beside it, and does not
/// matter to it.
/// </summary>
public sealed class RouterSocket : IRouterSocket
{
    // linux/in6.h, linux/icmpv6.h; a word is sent and taken with the hop limit that no router lets through (RFC 4861 section 6).
    private const int Unicast = 16, MulticastInterface = 17, MulticastHops = 18, MulticastLoop = 19, AddMembership = 20;
    private const int IcmpLevel = 58, IcmpFilter = 1;
    private const int MostHops = 255;

    private static readonly byte[] AllNodes = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    private static readonly byte[] AllRouters = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

    private readonly Socket socket;
    private readonly int index;
    private readonly byte[] advertisement, solicitation;
    private readonly byte[] buffer = new byte[1500];

    /// <exception cref="SocketException">No such link, or no right to open such a socket (CAP_NET_RAW).</exception>
    public RouterSocket(Link link)
    {
        index = link.Index;
        (advertisement, solicitation) = (RouterMessage.Advertisement(link.Mac), RouterMessage.Solicitation(link.Mac));
        socket = new(AddressFamily.InterNetworkV6, SocketType.Raw, ProtocolType.IcmpV6);
        try
        {
            Prepare(link.Name);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Prepare(string name)
    {
        // Before the address: a packet of another link must not be waiting by then.
        Span<uint> blocked = stackalloc uint[8];
        blocked.Fill(uint.MaxValue);
        foreach (var type in (ReadOnlySpan<RouterWord>)[RouterWord.Solicitation, RouterWord.Advertisement])
            blocked[(int)type / 32] &= ~(1u << ((int)type % 32));
        socket.SetRawSocketOption(IcmpLevel, IcmpFilter, MemoryMarshal.AsBytes(blocked));
        DropWhatCameFarther();
        socket.SetRawSocketOption(SOL_SOCKET, SO_BINDTODEVICE, Encoding.UTF8.GetBytes(name + '\0'));
        Set(MulticastInterface, index);
        Set(MulticastHops, MostHops);
        Set(Unicast, MostHops);
        Set(MulticastLoop, 0);
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        // struct ipv6_mreq: the group, and the interface.
        socket.SetRawSocketOption(IPPROTO_IPV6, AddMembership, [.. AllRouters, .. BitConverter.GetBytes(index)]);
    }

    private void Set(int option, int value) => socket.SetRawSocketOption(IPPROTO_IPV6, option, BitConverter.GetBytes(value));

    /// <summary>IPV6_MINHOPCOUNT is TCP's alone: a filter looks at the IPv6 header's eighth octet, before the ICMPv6 one.</summary>
    /// <exception cref="SocketException">The kernel has no socket filters.</exception>
    private void DropWhatCameFarther()
    {
        const uint NetworkHeader = 0xfff00000, HopLimit = 7; // SKF_NET_OFF (linux/filter.h)
        var isAttached = Libc.TryAttachFilter(socket.SafeHandle,
        [
            NetlinkSocket.Instruction(0x30, 0, 0, NetworkHeader + HopLimit), // load one octet
            NetlinkSocket.Instruction(0x15, 0, 1, MostHops),
            NetlinkSocket.Instruction(0x06, 0, 0, uint.MaxValue),            // keep
            NetlinkSocket.Instruction(0x06, 0, 0, 0),                        // drop
        ]);
        if (!isAttached) throw new SocketException((int)SocketError.OperationNotSupported, "SO_ATTACH_FILTER is refused");
    }

    public void Advertise(Address? to = null) => Send(advertisement, to);

    public void Solicit() => socket.SendTo(solicitation, new IPEndPoint(new IPAddress(AllRouters, index), 0));

    private void Send(byte[] message, Address? to)
    {
        var octets = AllNodes;
        if (to is { } one) one.Write(octets = new byte[16]);
        socket.SendTo(message, new IPEndPoint(new IPAddress(octets, index), 0));
    }

    public async ValueTask<(RouterWord What, Address From)> ReceiveAsync(CancellationToken stop)
    {
        var anybody = new IPEndPoint(IPAddress.IPv6Any, 0);
        while (true)
        {
            var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, anybody, stop).ConfigureAwait(false);
            var from = Address.From(((IPEndPoint)received.RemoteEndPoint).Address);
            if (RouterMessage.TryRead(buffer.AsSpan(0, received.ReceivedBytes), from, out var what)) return (what, from);
        }
    }

    public void Dispose() => socket.Dispose();
}
