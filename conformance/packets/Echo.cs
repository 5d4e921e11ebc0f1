// A server that answers with the address and the port that it saw, and those who ask it.
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Calico.Bgp.Conformance.Machine;

namespace Calico.Bgp.Conformance.Packets;

internal enum Transport { Tcp, Udp, Icmp }

/// <summary>Listens on one address: TCP and UDP on <see cref="Port"/>, and pings by a raw socket, whose askers it remembers.</summary>
internal sealed class Echo : IDisposable
{
    public const int Port = 7000;
    private const int TokenOctets = 8;
    private static readonly ConcurrentDictionary<(string Address, long Token), IPAddress> Pings = [];
    private static long tokens = Environment.ProcessId << 20;

    private readonly Socket tcp, udp, icmp;

    public Echo(Netns space, string address)
    {
        var at = IPAddress.Parse(address);
        (tcp, udp) = (space.Socket(at.AddressFamily), space.Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        icmp = space.Socket(at.AddressFamily, SocketType.Raw, IcmpOf(at));
        tcp.Bind(new IPEndPoint(at, Port));
        udp.Bind(new IPEndPoint(at, Port));
        icmp.Bind(new IPEndPoint(at, 0));
        tcp.Listen();
        _ = ServeTcpAsync();
        _ = ServeUdpAsync();
        _ = WatchPingsAsync(address);
    }

    private static ProtocolType IcmpOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? ProtocolType.Icmp : ProtocolType.IcmpV6;

    private static EndPoint Anybody(Socket socket) => new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);

    private static async Task UntilClosedAsync(Func<Task> serve)
    {
        try
        {
            while (true) await serve();
        }
        catch (Exception closed) when (closed is ObjectDisposedException or SocketException) { }
    }

    private Task ServeTcpAsync() => UntilClosedAsync(async () =>
    {
        var client = await tcp.AcceptAsync();
        _ = AnswerAsync(client);
    });

    /// <summary>The first line is who was seen; after that every octet comes back, for transfers that last.</summary>
    private static async Task AnswerAsync(Socket client)
    {
        using var _ = client;
        await UntilClosedAsync(async () =>
        {
            await client.SendAsync(Encoding.ASCII.GetBytes(client.RemoteEndPoint + "\n"));
            var octets = new byte[4096];
            while (await client.ReceiveAsync(octets) is > 0 and var count) await client.SendAsync(octets.AsMemory(0, count));
            client.Close();
        });
    }

    private Task ServeUdpAsync() => UntilClosedAsync(async () =>
    {
        var got = await udp.ReceiveFromAsync(new byte[64], Anybody(udp));
        await udp.SendToAsync(Encoding.ASCII.GetBytes(got.RemoteEndPoint.ToString()!), got.RemoteEndPoint);
    });

    private Task WatchPingsAsync(string address) => UntilClosedAsync(async () =>
    {
        var octets = new byte[256];
        var got = await icmp.ReceiveFromAsync(octets, Anybody(icmp));
        if (got.ReceivedBytes >= TokenOctets)
            Pings[(address, BinaryPrimitives.ReadInt64BigEndian(octets.AsSpan(got.ReceivedBytes - TokenOctets)))] = ((IPEndPoint)got.RemoteEndPoint).Address;
    });

    /// <summary>Who the server at <paramref name="to"/> saw when this namespace's address asked it; null: no answer, however long one waits.</summary>
    public static async Task<IPEndPoint?> SeenAsync(Netns from, string source, string to, Transport transport, int port = Port, int attempts = 4)
    {
        for (var attempt = 1; attempt <= attempts; attempt++)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2 * attempt));
            try
            {
                return await AskAsync(from, IPAddress.Parse(source), IPAddress.Parse(to), transport, port, patience.Token);
            }
            catch (Exception nobody) when (nobody is OperationCanceledException or SocketException) { }
        }
        return null;
    }

    private static async Task<IPEndPoint?> AskAsync(Netns from, IPAddress source, IPAddress to, Transport transport, int port, CancellationToken stop)
    {
        if (transport == Transport.Icmp) return await PingAsync(from, source, to, stop);
        using var socket = transport == Transport.Tcp
            ? from.Socket(source.AddressFamily) : from.Socket(source.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(source, 0));
        await socket.ConnectAsync(new IPEndPoint(to, port), stop);
        if (transport == Transport.Udp) await socket.SendAsync(new byte[1], stop);
        var octets = new byte[64];
        var count = await socket.ReceiveAsync(octets, stop);
        return IPEndPoint.Parse(Encoding.ASCII.GetString(octets, 0, count).TrimEnd('\n'));
    }

    private static async Task<IPEndPoint?> PingAsync(Netns from, IPAddress source, IPAddress to, CancellationToken stop)
    {
        var token = Interlocked.Increment(ref tokens);
        using var socket = from.Socket(source.AddressFamily, SocketType.Raw, IcmpOf(source));
        socket.Bind(new IPEndPoint(source, 0));
        await socket.ConnectAsync(new IPEndPoint(to, 0), stop);
        await socket.SendAsync(EchoRequest(source.AddressFamily == AddressFamily.InterNetwork ? (byte)8 : (byte)128, token), stop);
        var octets = new byte[256];
        // The answer has come back to whom it was meant for, whatever was translated on the way.
        while (true)
        {
            var count = await socket.ReceiveAsync(octets, stop);
            var answer = octets.AsSpan(0, count);
            if (count >= TokenOctets && BinaryPrimitives.ReadInt64BigEndian(answer[^TokenOctets..]) == token) break;
        }
        // The kernel answers by itself, and may be faster than the one who watches.
        IPAddress? seen;
        while (!Pings.TryRemove((to.ToString(), token), out seen)) await Task.Delay(10, stop);
        return new(seen, 0);
    }

    /// <summary>Type, code, checksum (ICMPv6's is the kernel's work), identifier, number, token.</summary>
    private static byte[] EchoRequest(byte type, long token)
    {
        var octets = new byte[8 + TokenOctets];
        octets[0] = type;
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(4), (ushort)token);
        BinaryPrimitives.WriteInt64BigEndian(octets.AsSpan(8), token);
        var sum = 0u;
        for (var i = 0; i < octets.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(octets.AsSpan(i));
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(2), (ushort)~sum);
        return octets;
    }

    public void Dispose()
    {
        foreach (var socket in (Socket[])[tcp, udp, icmp]) socket.Dispose();
    }
}
