using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Services.Kubernetes;

/// <summary>A service whose load balancer asks each node whether it has endpoints (healthCheckNodePort).</summary>
/// <param name="Endpoints">Ready ones on this node.</param>
internal record HealthCheck(ushort Port, ResourceKey Service, int Endpoints)
{
    /// <summary>As kube-proxy answers (pkg/proxy/healthcheck/service_health.go), whatever is asked for.</summary>
    public virtual byte[] Answer(bool withBody)
    {
        var body = $$"""
            {
            	"service": {
            		"namespace": "{{Service.Namespace}}",
            		"name": "{{Service.Name}}"
            	},
            	"localEndpoints": {{Endpoints}},
            	"serviceProxyHealthy": true
            }
            """;
        return Encoding.UTF8.GetBytes(string.Join("\r\n",
        [
            Endpoints > 0 ? "HTTP/1.1 200 OK" : "HTTP/1.1 503 Service Unavailable", "Content-Type: application/json",
            "X-Content-Type-Options: nosniff", $"X-Load-Balancing-Endpoint-Weight: {Endpoints}", "Connection: close",
            $"Content-Length: {Encoding.UTF8.GetByteCount(body)}", "", withBody ? body : "",
        ]));
    }
}

/// <summary>Listens on the ports that load balancers ask. Belongs to the dataplane's loop; each port has a loop of its own.</summary>
internal sealed class HealthPorts(Loops loops, TimeProvider clock, ILogger log) : IAsyncDisposable
{
    private readonly Dictionary<ushort, HealthPort> open = [];

    /// <summary>Ports that somebody else has, and why nobody is answered there; each is tried again whenever this is asked.</summary>
    private readonly SortedDictionary<ushort, ServiceProblem> refused = [];

    /// <summary>Of which service no load balancer is answered, and why.</summary>
    public IEnumerable<ServiceProblem> Problems => refused.Values;

    /// <summary>From now on these and no others, each with a port of its own.</summary>
    public async Task HaveAsync(IEnumerable<HealthCheck> checks)
    {
        var wanted = checks.ToDictionary(check => check.Port);
        foreach (var port in refused.Keys.Where(port => !wanted.ContainsKey(port)).ToArray()) refused.Remove(port);
        foreach (var (port, gone) in open.Where(one => !wanted.ContainsKey(one.Key)).ToArray())
        {
            open.Remove(port);
            await gone.DisposeAsync().ConfigureAwait(false);
        }
        foreach (var check in wanted.Values)
            if (open.TryGetValue(check.Port, out var port)) port.Now = check;
            else if (Open(check) is { } opened) open[check.Port] = opened;
    }

    private HealthPort? Open(HealthCheck check)
    {
        try
        {
            var opened = new HealthPort(check, loops, clock);
            refused.Remove(check.Port);
            return opened;
        }
        catch (SocketException taken)
        {
            if (!refused.ContainsKey(check.Port)) DataplaneLog.NoHealthPort(log, check.Service, check.Port, taken.Message);
            refused[check.Port] = new($"{Kinds.Service.Word}/{check.Service}",
                $"health check port {check.Port} is not to be had, and tried again: {taken.Message}");
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var port in open.Values) await port.DisposeAsync().ConfigureAwait(false);
        open.Clear();
    }
}

/// <summary>One port, and those that ask there; with each the newest is said.</summary>
internal sealed class HealthPort : IAsyncDisposable
{
    private const int MostClients = 32, LongestRequest = 8192;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), AcceptPause = TimeSpan.FromMilliseconds(200);

    private readonly Socket listener;
    private readonly Loops loops;
    private readonly TimeProvider clock;
    private readonly CancellationTokenSource ending = new();
    private readonly ConcurrentDictionary<Loop, byte> clients = new();
    private readonly Loop accepting;
    private volatile HealthCheck now;

    /// <exception cref="SocketException">The port is not to be had.</exception>
    public HealthPort(HealthCheck check, Loops loops, TimeProvider clock)
    {
        (now, this.loops, this.clock) = (check, loops, clock);
        var six = Socket.OSSupportsIPv6;
        listener = new(six ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (six) listener.DualMode = true;
            listener.Bind(new IPEndPoint(six ? IPAddress.IPv6Any : IPAddress.Any, check.Port));
            listener.Listen();
        }
        catch (SocketException)
        {
            listener.Dispose();
            throw;
        }
        accepting = loops.Start("health check port", OnDefect.EndProcess, AcceptAsync, of: $"{LocalPort}", stop: ending.Token);
    }

    public int LocalPort => ((IPEndPoint)listener.LocalEndPoint!).Port;

    public HealthCheck Now
    {
        set => now = value;
    }

    private async Task AcceptAsync(Loop loop)
    {
        while (!ending.IsCancellationRequested)
            try
            {
                loop.Rest();
                var client = await listener.AcceptAsync(ending.Token).ConfigureAwait(false);
                loop.Beat();
                if (clients.Count >= MostClients) client.Dispose();
                else Track(loops.Start("health check client", OnDefect.EndLoop, turns => AnswerAsync(turns, client), stop: ending.Token));
            }
            catch (Exception gone) when (ending.IsCancellationRequested && gone is ObjectDisposedException or SocketException)
            {
                return;
            }
            catch (SocketException)
            {
                // Out of descriptors, most likely: whoever asks finds out by himself, and asks again.
                await Task.Delay(AcceptPause, clock, ending.Token).ConfigureAwait(false);
            }
    }

    private void Track(Loop client)
    {
        clients[client] = 0;
        _ = client.Ended.ContinueWith(_ => clients.TryRemove(client, out byte _), TaskScheduler.Default);
    }

    private async Task AnswerAsync(Loop loop, Socket client)
    {
        using var _ = client;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ending.Token);
        patience.CancelAfter(Patience);
        loop.Rest();
        try
        {
            var request = await ReadAsync(client, patience.Token).ConfigureAwait(false);
            if (request == null) return;
            var answer = now.Answer(withBody: !request.StartsWith("HEAD ", StringComparison.Ordinal));
            await client.SendAsync(answer, patience.Token).ConfigureAwait(false);
            client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception gone) when (gone is SocketException or OperationCanceledException)
        {
            // He has hung up, or says nothing.
        }
    }

    /// <returns>Null: it is no request.</returns>
    private static async Task<string?> ReadAsync(Socket client, CancellationToken stop)
    {
        var octets = new byte[LongestRequest];
        for (var length = 0; length < octets.Length;)
        {
            var count = await client.ReceiveAsync(octets.AsMemory(length), stop).ConfigureAwait(false);
            if (count == 0) return null;
            length += count;
            if (octets.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0) return Encoding.ASCII.GetString(octets, 0, length);
        }
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync().ConfigureAwait(false);
        listener.Dispose();
        await accepting.Ended.ConfigureAwait(false);
        await Task.WhenAll(clients.Keys.Select(client => client.Ended)).ConfigureAwait(false);
        ending.Dispose();
    }
}
