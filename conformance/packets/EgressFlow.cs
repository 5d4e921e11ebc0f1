using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>A flow of UDP that lasts: the server says each time whom it sees.</summary>
internal sealed class EgressFlow : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10), Pause = TimeSpan.FromMilliseconds(20);

    private readonly Socket socket;
    private readonly byte[] octets = new byte[64];

    public EgressFlow(Netns from, string source, string to, int port)
    {
        var at = IPAddress.Parse(source);
        socket = from.Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(at, 0));
        socket.Connect(new IPEndPoint(IPAddress.Parse(to), port));
    }

    /// <summary>So many of the site's pod a to who is outside, each of which has been answered once.</summary>
    /// <param name="into">Whoever is asked to end them has them, be they answered or not.</param>
    public static async Task<EgressFlow[]> BeginAsync(EgressSite site, int count, List<EgressFlow> into)
    {
        EgressFlow[] begun = [.. Enumerable.Range(0, count).Select(_ =>
            new EgressFlow(site["a"], EgressSite.AddressOf("a"), EgressSite.Outside4, Echo.Port))];
        into.AddRange(begun);
        foreach (var flow in begun) Assert.NotNull(await flow.AskAsync());
        return begun;
    }

    public IPEndPoint Source => (IPEndPoint)socket.LocalEndPoint!;

    /// <summary>Whom the server saw last.</summary>
    public IPEndPoint? Seen { get; private set; }

    /// <returns>Null: no answer, however long one waits.</returns>
    public async Task<IPEndPoint?> AskAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await socket.SendAsync(new byte[1], patience.Token);
            var count = await socket.ReceiveAsync(octets, patience.Token);
            return Seen = IPEndPoint.Parse(Encoding.ASCII.GetString(octets, 0, count));
        }
        catch (Exception nobody) when (nobody is OperationCanceledException or SocketException)
        {
            return null;
        }
    }

    /// <summary>One question after the other.</summary>
    /// <returns>How many had no answer.</returns>
    public async Task<int> KeepAskingAsync(CancellationToken enough)
    {
        var unanswered = 0;
        while (!enough.IsCancellationRequested)
        {
            if (await AskAsync() == null) unanswered++;
            await Task.WhenAny(Task.Delay(Pause, enough));
        }
        return unanswered;
    }

    public void Dispose() => socket.Dispose();
}
