using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Conformance.Packets;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>A connection that lasts: octets go and come back, one after the other, until somebody cuts it.</summary>
internal sealed class Flow : IDisposable
{
    private readonly Socket socket;

    private Flow(Socket socket, string name) => (this.socket, Name) = (socket, name);

    public string Name { get; }

    /// <exception cref="SocketException">It cannot begin.</exception>
    /// <exception cref="OperationCanceledException">It does not.</exception>
    public static async Task<Flow> BeginAsync(PolicySite site, string from, string to, int port, bool isIPv6 = false)
    {
        var (source, target) = (site.Town[from], site.Town[to]);
        var flow = new Flow(site.SocketOf(source, isIPv6), $"{from} to {to}:{port}{(isIPv6 ? ", IPv6" : "")}");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(PolicySite.Patience));
        await flow.socket.ConnectAsync(new IPEndPoint(target.Address(isIPv6), port), patience.Token);
        return await flow.GoesOnAsync() ? flow : throw new OperationCanceledException($"{flow.Name} does not begin");
    }

    /// <param name="seconds">For so long an answer may take.</param>
    public Task<bool> GoesOnAsync(int seconds = 30) => socket.GoesOnAsync(seconds);

    public void Dispose() => socket.Dispose();
}

/// <summary>Flows that go on all the while, and which of them did not.</summary>
internal sealed class Flows : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly List<Flow> flows = [];
    private readonly CancellationTokenSource end = new();
    private Task<string?[]>? running;

    public static async Task<Flows> BeginAsync(IEnumerable<Task<Flow>> flows)
    {
        var made = new Flows();
        made.flows.AddRange(await Task.WhenAll(flows));
        made.running = Task.WhenAll(made.flows.Select(made.RunAsync));
        return made;
    }

    private async Task<string?> RunAsync(Flow flow)
    {
        var rounds = 0;
        while (!end.IsCancellationRequested)
        {
            if (!await flow.GoesOnAsync()) return $"{flow.Name} was cut after {rounds} rounds";
            rounds++;
            await Task.Delay(Pause);
        }
        return null;
    }

    /// <summary>They end, and those that had ended before are named.</summary>
    public async Task<IEnumerable<string>> EndAsync()
    {
        await end.CancelAsync();
        return (await running!).OfType<string>();
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        foreach (var flow in flows) flow.Dispose();
        end.Dispose();
    }
}
