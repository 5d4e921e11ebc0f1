// A server that answers with its own address, and with whom it saw.
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Calico.Bgp.Conformance.Services;

/// <param name="Server">Who answered, however it was called.</param>
/// <param name="Seen">Whom it saw.</param>
internal sealed record Answered(string Server, IPEndPoint Seen);

/// <summary>Listens on one address and port, TCP and UDP. What comes over TCP after that comes back.</summary>
internal sealed class Answerer : IDisposable
{
    private readonly Socket tcp, udp;
    private readonly string name;

    public Answerer(Netns space, string address, int port)
    {
        var at = IPAddress.Parse(address);
        name = address;
        (tcp, udp) = (space.Socket(at.AddressFamily), space.Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        tcp.Bind(new IPEndPoint(at, port));
        udp.Bind(new IPEndPoint(at, port));
        tcp.Listen(512);
        _ = UntilClosedAsync(async () => _ = AnswerAsync(await tcp.AcceptAsync()));
        _ = UntilClosedAsync(async () =>
        {
            var got = await udp.ReceiveFromAsync(new byte[8192], new IPEndPoint(
                at.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
            await udp.SendToAsync(Words(got.RemoteEndPoint), got.RemoteEndPoint);
        });
    }

    private byte[] Words(EndPoint seen) => Encoding.ASCII.GetBytes($"{name} {seen}\n");

    private Task AnswerAsync(Socket client) => UntilClosedAsync(async () =>
    {
        using var _ = client;
        await client.SendAsync(Words(client.RemoteEndPoint!));
        var octets = new byte[4096];
        while (await client.ReceiveAsync(octets) is > 0 and var count) await client.SendAsync(octets.AsMemory(0, count));
        client.Close();
    });

    private static async Task UntilClosedAsync(Func<Task> serve)
    {
        try
        {
            while (true) await serve();
        }
        catch (Exception closed) when (closed is ObjectDisposedException or SocketException) { }
    }

    /// <summary>Who answers; null: nobody, however long one waits.</summary>
    /// <param name="octets">What a datagram has.</param>
    public static async Task<Answered?> AskAsync(
        Netns from, string source, string to, int port, bool tcp, int sourcePort = 0, int octets = 1, int attempts = 3)
    {
        for (var attempt = 1; attempt <= attempts; attempt++)
            try
            {
                using var socket = await ConnectAsync(from, source, to, port, tcp, sourcePort, 2 * attempt);
                return await AnswerAsync(socket, tcp ? 0 : octets, 2 * attempt);
            }
            catch (Exception nobody) when (nobody is OperationCanceledException or SocketException) { }
        return null;
    }

    public static async Task<Socket> ConnectAsync(
        Netns from, string source, string to, int port, bool tcp = true, int sourcePort = 0, int seconds = 10)
    {
        var own = IPAddress.Parse(source);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        var socket = tcp ? from.Socket(own.AddressFamily) : from.Socket(own.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(new IPEndPoint(own, sourcePort));
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(to), port), patience.Token);
            return socket;
        }
        catch (Exception refused) when (refused is OperationCanceledException or SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The first line that a server says.</summary>
    public static async Task<Answered> AnswerAsync(Socket socket, int octets = 0, int seconds = 10)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        if (octets > 0) await socket.SendAsync(new byte[octets], patience.Token);
        var heard = new byte[128];
        var count = await socket.ReceiveAsync(heard, patience.Token);
        var words = Encoding.ASCII.GetString(heard, 0, count).Trim().Split(' ');
        return new(words[0], IPEndPoint.Parse(words[1]));
    }

    public void Dispose()
    {
        tcp.Dispose();
        udp.Dispose();
    }
}
