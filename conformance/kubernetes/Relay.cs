using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Kubernetes;

/// <summary>A way out of a namespace: what is said to an address there goes on to a host that the tests' own process reaches.</summary>
/// <param name="space">Where it is said.</param>
/// <param name="at">To which address.</param>
/// <param name="host">Where it goes.</param>
/// <param name="port">There.</param>
internal sealed class Relay(Netns space, IPEndPoint at, string host, int port) : IAsyncDisposable
{
    private readonly Lock latch = new();
    private readonly List<Socket> ends = [];
    private readonly List<Task> ways = [];
    private Socket? listener;

    /// <summary>It listens, until it is cut.</summary>
    public void Open()
    {
        listener = space.Socket(AddressFamily.InterNetwork);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(at);
        listener.Listen();
        ways.Add(AcceptAsync(listener));
    }

    private async Task AcceptAsync(Socket from)
    {
        var all = new List<Task>();
        try
        {
            while (true) all.Add(CarryAsync(await from.AcceptAsync()));
        }
        catch (Exception cut) when (cut is SocketException or ObjectDisposedException) { }
        await Task.WhenAll(all);
    }

    private async Task CarryAsync(Socket near)
    {
        using var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (near)
            try
            {
                lock (latch)
                {
                    // Accepted in the moment of the cut.
                    if (listener == null) return;
                    ends.AddRange([near, far]);
                }
                await far.ConnectAsync(host, port);
                await Task.WhenAll(CopyAsync(near, far), CopyAsync(far, near));
            }
            catch (Exception broken) when (broken is SocketException or IOException or ObjectDisposedException) { }
            finally
            {
                lock (latch) ends.RemoveAll(one => one == near || one == far);
            }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        using var source = new NetworkStream(from);
        using var sink = new NetworkStream(to);
        await source.CopyToAsync(sink);
        to.Shutdown(SocketShutdown.Send);
    }

    /// <summary>As a machine's end is seen from outside: who calls is refused, and what stands is reset.</summary>
    public async Task CutAsync()
    {
        lock (latch)
        {
            listener?.Dispose();
            listener = null;
            foreach (var end in ends) end.Close(0);
        }
        await Task.WhenAll(ways);
        ways.Clear();
    }

    public async ValueTask DisposeAsync() => await CutAsync();
}
