using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Calico.Bgp.Net;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Session;

/// <summary>
/// What a BGP session asks of its sockets: no Nagle delay, TCP MD5 (RFC 2385), hop limits and GTSM (RFC 5082), source address and
/// interface. The options that .NET has no name for are set by their numbers in libc's headers.
/// </summary>
internal static class TcpOptions
{
    private const short MostHops = 255;
    private const int MaxKeyOctets = 80;

    /// <summary>linux/tcp.h: TCP_MD5SIG with a length of the address, which TCP_MD5SIG_FLAG_PREFIX says is there.</summary>
    private const int Md5WithPrefix = 32, PrefixFlag = 1;

    /// <summary>linux/in6.h: IPV6_FREEBIND.</summary>
    private const int FreeBindIPv6 = 78;

    /// <summary>The socket with which a session calls its peer; all but the connection itself.</summary>
    /// <exception cref="SocketException">The source address is not ours, the interface does not exist, ….</exception>
    public static Socket Dialling(SessionSettings our)
    {
        var socket = new Socket(FamilyOf(our.PeerAddress), SocketType.Stream, ProtocolType.Tcp);
        try
        {
            Apply(socket, our);
            SetKey(socket, new(our.PeerAddress, our.PeerAddress.Family.Bits()), our.Password);
            // A link-local address names its interface by the scope.
            if (our.Interface is { } name && !our.PeerAddress.IsLinkLocal)
                socket.SetRawSocketOption(SOL_SOCKET, SO_BINDTODEVICE, Encoding.UTF8.GetBytes(name + '\0'));
            if (our.SourceAddress is { } source) socket.Bind(EndPoint(source, our.Interface, 0));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Options of every connection, whoever opened it.</summary>
    public static void Apply(Socket socket, SessionSettings our)
    {
        socket.NoDelay = true;
        if (Hops(our) is { } hops) socket.Ttl = hops;
        if (LeastHops(our) is var least && least > 0) RequireHops(socket, least);
    }

    /// <summary>
    /// A SYN-ACK leaves before the peer is known, so it has to satisfy neighbours that use GTSM. An address that is not there yet is bound
    /// all the same (ip(7), IP_FREEBIND), and from the moment that it is there, whenever that is, connections come in.
    /// </summary>
    public static Socket Listening(Address address, int port)
    {
        var socket = new Socket(FamilyOf(address), SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // .NET's ReuseAddress also sets SO_REUSEPORT, with which a second daemon could take half of our connections.
            socket.SetRawSocketOption(SOL_SOCKET, SO_REUSEADDR, MemoryMarshal.AsBytes([1]));
            if (!address.IsIPv4) socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.IPv6Only, true);
            var (level, freeBind) = address.IsIPv4 ? (IPPROTO_IP, IP_FREEBIND) : (IPPROTO_IPV6, FreeBindIPv6);
            socket.SetRawSocketOption(level, freeBind, MemoryMarshal.AsBytes([1]));
            socket.Ttl = MostHops;
            socket.NoDelay = true;
            socket.Bind(new IPEndPoint(address.ToIPAddress(), port));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Whether the kernel takes packets to it for its own: those of interfaces, and what routes of type local add (ip-route(8)).
    /// </summary>
    public static bool IsLocal(Address address)
    {
        try
        {
            using var probe = new Socket(FamilyOf(address), SocketType.Dgram, ProtocolType.Udp);
            probe.Bind(new IPEndPoint(address.ToIPAddress(), 0));
            return true;
        }
        catch (SocketException refused)
        {
            // Out of descriptors, for one: what cannot be tried is not known to be missing.
            return refused.SocketErrorCode != SocketError.AddressNotAvailable;
        }
    }

    /// <summary>The TTL that a peer's packets must still have; 0: any. RFC 5082 section 3.</summary>
    public static byte LeastHops(SessionSettings our) => our.TtlSecurity ? (byte)(MostHops + 1 - our.Multihop) : (byte)0;

    /// <summary>Drops in the kernel what came from farther away; 0 lifts the demand.</summary>
    public static void RequireHops(Socket socket, byte least)
    {
        var octets = MemoryMarshal.AsBytes([(int)least]);
        if (socket.AddressFamily == AddressFamily.InterNetwork) socket.SetRawSocketOption(IPPROTO_IP, IP_MINTTL, octets);
        else socket.SetRawSocketOption(IPPROTO_IPV6, IPV6_MINHOPCOUNT, octets);
    }

    //  struct tcp_md5sig
    //  +-------------------------------------------------------------------------+
    //  | sockaddr_storage (128): the peer                                        |
    //  +-----------+----------------+-----------------+--------------------------+
    //  | flags (8) | prefix len (8) | key length (16) | interface index (32)     |
    //  +-----------+----------------+-----------------+--------------------------+
    //  | key (80)                                                                |
    //  +-------------------------------------------------------------------------+
    /// <summary>
    /// Signs what goes to the peers of these addresses, and ignores what comes from them unsigned; of several keys the one of the longest
    /// prefix counts. An empty key removes the one that was set.
    /// </summary>
    public static void SetKey(Socket socket, Prefix peers, string? key)
    {
        const int Flags = 128, PrefixLength = 129, KeyLength = 130, Key = 136;
        if (key == null) return;
        var octets = Encoding.UTF8.GetBytes(key);
        Span<byte> signature = stackalloc byte[Key + MaxKeyOctets];
        signature.Clear();
        new IPEndPoint(peers.Address.ToIPAddress(), 0).Serialize().Buffer.Span.CopyTo(signature);
        MemoryMarshal.Write(signature[KeyLength..], (ushort)Math.Min(octets.Length, MaxKeyOctets));
        octets.AsSpan(0, Math.Min(octets.Length, MaxKeyOctets)).CopyTo(signature[Key..]);
        if (!peers.IsHost) (signature[Flags], signature[PrefixLength]) = (PrefixFlag, peers.Length);
        socket.SetRawSocketOption(IPPROTO_TCP, peers.IsHost ? TCP_MD5SIG : Md5WithPrefix, signature);
    }

    /// <summary>The address with the interface's scope where it needs one.</summary>
    /// <exception cref="SocketException">There is no such interface.</exception>
    public static IPEndPoint EndPoint(Address address, string? device, int port)
    {
        var plain = address.ToIPAddress();
        if (!address.IsLinkLocal) return new(plain, port);
        var scope = ScopeOf(device);
        if (scope == 0) throw new SocketException((int)SocketError.NetworkUnreachable, $"no interface \"{device}\"");
        return new(new IPAddress(plain.GetAddressBytes(), scope), port);
    }

    /// <summary>The index of an interface; 0 where there is none of that name (now).</summary>
    public static long ScopeOf(string? device) => IPAddress.TryParse($"fe80::1%{device}", out var scoped) ? scoped.ScopeId : 0;

    // RFC 4271 leaves it open; every implementation keeps single-hop external sessions on the link.
    private static short? Hops(SessionSettings our) =>
        our.TtlSecurity ? MostHops : our.LocalAs == our.PeerAs ? null : (short)our.Multihop;

    private static AddressFamily FamilyOf(Address address) => address.IsIPv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
}
