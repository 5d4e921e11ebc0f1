// A BGP neighbour that does what the test says, octet by octet: it can feed a daemon anything, and shows exactly what the daemon sent.
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Wire;

internal sealed class ScriptedPeer : IAsyncDisposable
{
    private readonly Socket socket;
    private readonly Task reading;
    private readonly ConcurrentQueue<byte[]> received = new();
    private readonly ConcurrentDictionary<string, UpdateSeen> routes = new();
    private volatile bool established;
    private volatile bool closed;
    private readonly byte[]? open;

    private ScriptedPeer(Socket socket, byte[]? open)
    {
        this.socket = socket;
        this.open = open;
        reading = ReadAsync();
    }

    /// <summary>Everything that came, headers included.</summary>
    public IReadOnlyCollection<byte[]> Received => received;
    public bool Closed => closed;
    public byte[]? Notification => received.FirstOrDefault(message => message[18] == Octets.Notification);

    /// <summary>What the daemon has announced and not withdrawn.</summary>
    public UpdateSeen? Route(string prefix) => routes.GetValueOrDefault(prefix);

    /// <summary>Dials until a session with the daemon is established; refusals and early closes are tried again.</summary>
    public static async Task<ScriptedPeer> EstablishAsync(
        Netns space, string source, string target, uint asn, string identifier, int hold = 90, int seconds = 90)
    {
        ScriptedPeer? up = null;
        await Until.TrueAsync($"{source} establishes a session with {target}", async () =>
        {
            var dialled = await DialAsync(space, source, target, Octets.OpenMessage(asn, identifier, hold));
            if (dialled == null) return false;
            // Hanging up early would be an error in the daemon's eyes, and GoBGP sulks long after one.
            await Until.WithinAsync(15, () => dialled.established || dialled.closed);
            if (dialled.established) up = dialled;
            else await dialled.DisposeAsync();
            return up != null;
        }, seconds);
        return up!;
    }

    /// <summary>Connects; with <paramref name="open"/> it sends that and keeps the session alive, without it stays silent.</summary>
    public static async Task<ScriptedPeer?> DialAsync(Netns space, string source, string target, byte[]? open)
    {
        var address = IPAddress.Parse(target);
        var socket = space.Socket(address.AddressFamily);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(IPAddress.Parse(source), 0));
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(3));
            await socket.ConnectAsync(new IPEndPoint(address, 179), patience.Token);
        }
        catch (Exception refused) when (refused is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            return null;
        }
        var peer = new ScriptedPeer(socket, open);
        if (open != null) await peer.SendAsync(open);
        return peer;
    }

    public Task<bool> SendAsync(byte[] octets) => Framing.SendAsync(socket, octets);

    public Task<bool> AnnounceAsync(string prefix, string nextHop, byte[] attributes) =>
        SendAsync(Octets.Announce(prefix, nextHop, attributes));

    private async Task ReadAsync()
    {
        while (await Framing.ReadMessageAsync(socket) is { } message)
        {
            received.Enqueue(message);
            if (message[18] is Octets.Open or Octets.Keepalive && open != null) await SendAsync(Octets.Message(Octets.Keepalive));
            if (message[18] == Octets.Keepalive) established = true;
            if (message[18] == Octets.Update) Apply(UpdateReader.Read(message));
        }
        closed = true;
    }

    private void Apply(UpdateSeen update)
    {
        foreach (var prefix in update.Withdrawn) routes.TryRemove(prefix, out _);
        foreach (var prefix in update.Announced) routes[prefix] = update;
    }

    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        await reading;
    }
}
