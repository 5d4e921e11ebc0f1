using System.ComponentModel;
using Calico.Bgp.Net;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Bfd;

/// <summary>What a datagram came with.</summary>
/// <param name="Stamp">When the kernel had it, in nanoseconds of its wall clock; 0: it does not say.</param>
internal readonly record struct Arrival(int Length, Address Source, int Interface, int HopLimit, long Stamp);

/// <summary>
/// The socket on which all sessions of a family and a kind hear: RFC 5881's port 3784, or RFC 5883's 4784. It never waits, and allocates
/// nothing for a datagram.
/// </summary>
internal sealed unsafe class BfdReceiver : IDisposable
{
    public const int SingleHopPort = 3784, MultihopPort = 4784;

    /// <summary>No control packet that we take is longer (authentication has 28 octets at most); the rest is for a remark.</summary>
    public const int LongestDatagram = 512;

    private const int ControlOctets = 256;

    /// <summary>Room for what comes while this process is held up: two thousand sessions of 50 ms for some 100 ms.</summary>
    private const int QueuedOctets = 4 << 20;

    /// <param name="isShared">A process that we go on for may have the port yet; what comes from now on comes here.</param>
    /// <exception cref="Win32Exception">The kernel gives no such socket: the port is another program's, say.</exception>
    public BfdReceiver(IpFamily family, bool multihop, bool isShared = false)
    {
        Hears = (family, multihop);
        var isIPv4 = family == IpFamily.IPv4;
        Descriptor = Libc.Check(socket(isIPv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
        try
        {
            Set(SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS");
            if (!Libc.TrySet(Descriptor, SOL_SOCKET, SO_RCVBUFFORCE, QueuedOctets))
                Libc.TrySet(Descriptor, SOL_SOCKET, SO_RCVBUF, QueuedOctets);
            if (isIPv4)
            {
                Set(IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO");
                Set(IPPROTO_IP, IP_RECVTTL, 1, "IP_RECVTTL");
            }
            else
            {
                Set(IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY");
                Set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO");
                Set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT");
            }
            Share(isShared);
            var any = stackalloc byte[sizeof(sockaddr_in6)];
            var length = Libc.Write(any, isIPv4 ? Address.AnyIPv4 : Address.AnyIPv6, Port, 0);
            Libc.Check(bind(Descriptor, (sockaddr*)any, length), $"UDP port {Port}");
            Share(false);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int Descriptor { get; }
    public (IpFamily Family, bool Multihop) Hears { get; }
    private int Port => Hears.Multihop ? MultihopPort : SingleHopPort;

    /// <summary>Another process may have the port too, and of those that have it the last one hears; or nobody else may.</summary>
    public void Share(bool withAnother) => Libc.TrySet(Descriptor, SOL_SOCKET, SO_REUSEADDR, withAnother ? 1 : 0);

    private void Set(int level, int option, int value, string name) =>
        Libc.Check(Libc.TrySet(Descriptor, level, option, value) ? 0 : -1, name);

    /// <summary>False: nothing waits.</summary>
    /// <param name="into">Of <see cref="LongestDatagram"/> octets; what a datagram has beyond is cut off.</param>
    public bool TryReceive(Span<byte> into, out Arrival arrival)
    {
        var source = stackalloc byte[sizeof(sockaddr_in6)];
        var control = stackalloc byte[ControlOctets];
        fixed (byte* first = into)
        {
            var piece = new iovec { iov_base = first, iov_len = into.Length };
            var message = new msghdr
            {
                msg_name = source,
                msg_namelen = sizeof(sockaddr_in6),
                msg_iov = &piece,
                msg_iovlen = 1,
                msg_control = control,
                msg_controllen = ControlOctets,
            };
            arrival = default;
            long length = recvmsg(Descriptor, &message, MSG_DONTWAIT);
            if (length < 0) return false;
            arrival = Read(&message, source, (int)length);
            return true;
        }
    }

    private Arrival Read(msghdr* message, byte* source, int length)
    {
        var arrival = new Arrival(length, SourceOf(source), 0, 0, 0);
        for (var one = CMSG_FIRSTHDR(message); one != null; one = CMSG_NXTHDR(message, one))
        {
            var data = CMSG_DATA(one);
            if (Is(one, SOL_SOCKET, SCM_TIMESTAMPNS))
                arrival = arrival with { Stamp = 1_000_000_000 * ((long*)data)[0] + ((long*)data)[1] };
            else if (Is(one, IPPROTO_IP, IP_TTL) || Is(one, IPPROTO_IPV6, IPV6_HOPLIMIT))
                arrival = arrival with { HopLimit = *(int*)data };
            else if (Is(one, IPPROTO_IP, IP_PKTINFO))
                arrival = arrival with { Interface = ((in_pktinfo*)data)->ipi_ifindex };
            else if (Is(one, IPPROTO_IPV6, IPV6_PKTINFO))
                arrival = arrival with { Interface = (int)((in6_pktinfo*)data)->ipi6_ifindex };
        }
        return arrival;
    }

    private static bool Is(cmsghdr* one, int level, int type) => one->cmsg_level == level && one->cmsg_type == type;

    private Address SourceOf(byte* source) => Hears.Family == IpFamily.IPv4
        ? Address.FromOctets(new((byte*)&((sockaddr_in*)source)->sin_addr, 4))
        : Address.FromOctets(new((byte*)&((sockaddr_in6*)source)->sin6_addr, 16));

    public void Dispose() => _ = close(Descriptor);
}
