// A server that answers with the address and the port that it saw, and those who ask it.
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Calico.Bgp.Conformance.Packets;

internal enum Transport { Tcp, Udp, Icmp }

/// <summary>Listens on one address: TCP and UDP on <see cref="Port"/>, and pings by a raw socket, whose askers it remembers.</summary>
internal sealed class Echo : IDisposable
{
    public const int Port = 7000;
    private static readonly ConcurrentDictionary<(string Address, long Token), TaskCompletionSource<IPAddress>> Pings = [];

    private readonly Socket tcp, udp, icmp;

    public Echo(Netns space, string address)
    {
        var at = IPAddress.Parse(address);
        (tcp, udp) = (space.Socket(at.AddressFamily), space.Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        icmp = Ping.Socket(space, at.AddressFamily);
        tcp.Bind(new IPEndPoint(at, Port));
        udp.Bind(new IPEndPoint(at, Port));
        icmp.Bind(new IPEndPoint(at, 0));
        tcp.Listen();
        _ = ServeTcpAsync();
        _ = ServeUdpAsync();
        _ = WatchPingsAsync(address);
    }

    private static EndPoint Anybody(Socket socket) =>
        new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);

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
        if (Ping.TokenOf(octets.AsSpan(0, got.ReceivedBytes)) is { } token)
            Asker(address, token).TrySetResult(((IPEndPoint)got.RemoteEndPoint).Address);
    });

    /// <summary>Who the server at <paramref name="to"/> saw when this namespace's address asked it; null: no answer, however long one
    /// waits.</summary>
    public static async Task<IPEndPoint?> SeenAsync(
        Netns from, string source, string to, Transport transport, int port = Port, int attempts = 4)
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

    private static async Task<IPEndPoint?> AskAsync(
        Netns from, IPAddress source, IPAddress to, Transport transport, int port, CancellationToken stop)
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

    /// <summary>The kernel answers by itself, and may be faster than the one who watches.</summary>
    private static async Task<IPEndPoint?> PingAsync(Netns from, IPAddress source, IPAddress to, CancellationToken stop)
    {
        var token = Ping.NewToken();
        await Ping.SendAsync(from, source, to, token, stop);
        var asker = await Asker(to.ToString(), token).Task.WaitAsync(stop);
        Pings.TryRemove((to.ToString(), token), out _);
        return new(asker, 0);
    }

    private static TaskCompletionSource<IPAddress> Asker(string address, long token) =>
        Pings.GetOrAdd((address, token), _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

    public void Dispose()
    {
        foreach (var socket in (Socket[])[tcp, udp, icmp]) socket.Dispose();
    }
}
