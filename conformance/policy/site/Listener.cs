using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>Listens at an address on the ports that tests ask for, and remembers who came.</summary>
internal sealed class Listener : IDisposable
{
    private const int LongestDatagram = 512;
    private readonly Arrivals arrivals;
    private readonly List<Socket> sockets = [];

    public Listener(Netns space, string address, IReadOnlyList<int> ports, Arrivals arrivals)
    {
        this.arrivals = arrivals;
        var at = IPAddress.Parse(address);
        var family = at.AddressFamily;
        int[] rawProtocols = [family == AddressFamily.InterNetwork ? Protocols.Icmp : Protocols.IcmpV6, Protocols.Sctp, Protocols.UdpLite];
        space.Inside(() =>
        {
            foreach (var protocol in rawProtocols)
            {
                var raw = Netns.RawSocket(family, protocol);
                raw.Bind(new IPEndPoint(at, 0));
                Serve(raw, () => HearRawAsync(raw, address, protocol));
            }
            foreach (var port in ports)
            {
                var tcp = new Socket(family, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                var udp = new Socket(family, SocketType.Dgram, ProtocolType.Udp);
                tcp.Bind(new IPEndPoint(at, port));
                udp.Bind(new IPEndPoint(at, port));
                tcp.Listen(512);
                Serve(tcp, () => AcceptAsync(tcp, address));
                Serve(udp, () => AnswerAsync(udp, address));
            }
            return true;
        });
    }

    private void Serve(Socket socket, Func<Task> once)
    {
        sockets.Add(socket);
        _ = UntilClosedAsync(once);
    }

    private static async Task UntilClosedAsync(Func<Task> once)
    {
        while (true)
        {
            try
            {
                await once();
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException problem) when (problem.SocketErrorCode == SocketError.OperationAborted)
            {
                return;
            }
            catch (SocketException) { } // An answer that was refused is told to whoever listens next.
        }
    }

    private static IPEndPoint Anybody(Socket socket) =>
        new(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);

    /// <summary>
    /// Of ICMP, requests alone: the answer to one has its token, too, and an error that comes back the packet that it speaks of.
    /// </summary>
    private async Task HearRawAsync(Socket socket, string address, int protocol)
    {
        const int IPv4Header = 20, IcmpHeader = 8;
        var octets = new byte[LongestDatagram];
        var got = await socket.ReceiveFromAsync(octets, Anybody(socket));
        var carried = got.ReceivedBytes - (protocol == Protocols.Icmp ? IPv4Header : 0);
        if (protocol is Protocols.Icmp or Protocols.IcmpV6 && (carried != IcmpHeader + Wire.TokenOctets
            || octets[got.ReceivedBytes - carried] is 0 or 14 or 129)) return;
        Came(octets.AsSpan(0, got.ReceivedBytes), address, (IPEndPoint)got.RemoteEndPoint);
    }

    private async Task AnswerAsync(Socket udp, string address)
    {
        var octets = new byte[LongestDatagram];
        var got = await udp.ReceiveFromAsync(octets, Anybody(udp));
        Came(octets.AsSpan(0, got.ReceivedBytes), address, (IPEndPoint)got.RemoteEndPoint);
        await udp.SendToAsync(octets.AsMemory(0, got.ReceivedBytes), got.RemoteEndPoint);
    }

    private async Task AcceptAsync(Socket tcp, string address)
    {
        var client = await tcp.AcceptAsync();
        _ = EchoAsync(client, address);
    }

    /// <summary>The first octets are a token; whatever comes goes back, for transfers that last.</summary>
    private async Task EchoAsync(Socket client, string address)
    {
        using var _ = client;
        try
        {
            var (octets, isFirst) = (new byte[LongestDatagram], true);
            while (await client.ReceiveAsync(octets) is > 0 and var count)
            {
                if (isFirst) Came(octets.AsSpan(0, Wire.TokenOctets), address, (IPEndPoint)client.RemoteEndPoint!);
                isFirst = false;
                await client.SendAsync(octets.AsMemory(0, count));
            }
        }
        catch (SocketException) { } // Cut: whoever was at the other end says so.
    }

    private void Came(ReadOnlySpan<byte> packet, string address, IPEndPoint from)
    {
        if (Wire.TokenOf(packet) is { } token) arrivals.Add(token, new(address, from));
    }

    public void Dispose()
    {
        foreach (var socket in sockets) socket.Dispose();
    }
}
