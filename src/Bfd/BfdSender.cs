using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Bfd;

/// <summary>
/// A session's own socket for sending: RFC 5881 section 4 asks for one source port of the upper range for all of its packets, and for hop
/// limit 255. Where the configuration names no address of ours, the route to the neighbour says which when the socket is made.
/// </summary>
/// <param name="handedPort">That of another process's session, whose socket may be there yet; 0: it has none.</param>
internal sealed unsafe class BfdSender(BfdTarget target, Random random, int handedPort = 0) : IDisposable
{
    private const int FirstPort = 49152, LastPort = 65535, Tries = 64, None = -1;

    private int descriptor = None, lastError;
    private bool isShared = handedPort != 0;

    /// <summary>Why the last packet could not be sent; null: it was.</summary>
    public string? Problem { get; private set; }

    /// <summary>Its own; 0: nothing was sent yet.</summary>
    public int Port { get; private set; } = handedPort;

    /// <summary>Another process may have the same port, or may not.</summary>
    public void Share(bool withAnother)
    {
        if (descriptor != None) Libc.TrySet(descriptor, SOL_SOCKET, SO_REUSEADDR, withAnother ? 1 : 0);
    }

    /// <summary>Never waits.</summary>
    public void Send(ReadOnlySpan<byte> packet)
    {
        if (descriptor == None && !Open()) return;
        fixed (byte* first = packet)
        {
            // The first try may only hear what became of an earlier packet (an ICMP error), and sends nothing.
            if (send(descriptor, first, packet.Length, MSG_DONTWAIT) >= 0 || send(descriptor, first, packet.Length, MSG_DONTWAIT) >= 0)
                Problem = null;
            else Fail("send");
        }
    }

    /// <summary>The next packet looks for its way anew: with a neighbour that does not answer, it may be another by now.</summary>
    public void Renew()
    {
        if (descriptor != None) _ = close(descriptor);
        descriptor = None;
    }

    private bool Open()
    {
        var isIPv4 = target.Key.Peer.IsIPv4;
        descriptor = socket(isIPv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (descriptor < 0) return Fail("socket");
        Libc.TrySet(descriptor, SOL_SOCKET, SO_PRIORITY, Libc.FirstBand);
        Libc.TrySet(descriptor, isIPv4 ? IPPROTO_IP : IPPROTO_IPV6, isIPv4 ? IP_TTL : IPV6_UNICAST_HOPS, 255);
        Libc.TrySet(descriptor, isIPv4 ? IPPROTO_IP : IPPROTO_IPV6, isIPv4 ? IP_TOS : IPV6_TCLASS, Libc.NetworkControl);
        if (target.Key.Interface != 0) Libc.TrySet(descriptor, SOL_SOCKET, Libc.BindToInterface, target.Key.Interface);
        return BindTo() && Connect();
    }

    private bool BindTo()
    {
        var any = target.Key.Peer.IsIPv4 ? Address.AnyIPv4 : Address.AnyIPv6;
        var local = stackalloc byte[sizeof(sockaddr_in6)];
        for (var tries = 0; tries < Tries; tries++)
        {
            if (Port == 0) Port = random.Next(FirstPort, LastPort + 1);
            Share(isShared);
            isShared = false;
            var length = Libc.Write(local, target.Local ?? any, Port, target.Key.Interface);
            if (bind(descriptor, (sockaddr*)local, length) == 0)
            {
                Share(false);
                return true;
            }
            if (Marshal.GetLastPInvokeError() != EADDRINUSE) break;
            Port = 0;
        }
        return Fail("bind");
    }

    private bool Connect()
    {
        var remote = stackalloc byte[sizeof(sockaddr_in6)];
        var remotePort = target.Key.Multihop ? BfdReceiver.MultihopPort : BfdReceiver.SingleHopPort;
        var length = Libc.Write(remote, target.Key.Peer, remotePort, target.Key.Peer.IsLinkLocal ? target.Key.Interface : 0);
        return connect(descriptor, (sockaddr*)remote, length) == 0 || Fail("connect");
    }

    /// <summary>The words are made once for the same error in a row.</summary>
    private bool Fail(string call)
    {
        var error = Marshal.GetLastPInvokeError();
        if (Problem == null || error != lastError) Problem = $"{call}: {Marshal.GetPInvokeErrorMessage(error)}";
        lastError = error;
        Renew();
        return false;
    }

    public void Dispose() => Renew();
}
