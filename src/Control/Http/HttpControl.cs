// Metrics, health, status and orders over HTTP/1.1, for scrapers, probes and bgpctl. Kestrel without the hosting around it: no
// configuration files, no dependency injection, no logging of its own beyond warnings, one I/O queue.

using Calico.Bgp.Dataplane;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Calico.Bgp.Control.Http;

/// <summary>The HTTP side of the daemon. One per process; stopped by disposing.</summary>
public sealed class HttpControl : IAsyncDisposable
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1), Silence = TimeSpan.FromSeconds(20);

    /// <summary>Octets in a second, asked of whoever leaves an answer lying; he is ended some 20 s after he stopped.</summary>
    private static readonly MinDataRate SlowestReader = new(bytesPerSecond: 4096, gracePeriod: TimeSpan.FromSeconds(5));

    private readonly IReadOnlyList<string> endpoints;
    private readonly TimeProvider time;
    private readonly HttpRoutes routes;
    private readonly HttpRequests requests;
    private readonly ILoggerFactory logs;
    private readonly Entrance sockets, ports;
    private readonly CancellationTokenSource stopping = new();
    private KestrelServer? server;

    public HttpControl(
        IReadOnlyList<string> endpoints, ISpeaker speaker, IDaemon daemon, Loops loops, TimeProvider time, ILoggerFactory logs)
    {
        this.endpoints = endpoints;
        this.time = time;
        this.logs = logs;
        var log = logs.CreateLogger<HttpControl>();
        (sockets, ports) = (new(isTrusted: true, time, log), new(isTrusted: false, time, log));
        routes = new(speaker, daemon, loops, time, stopping.Token);
        requests = new(routes, log);
    }

    /// <summary>What is done to packets; null: nothing.</summary>
    public IDataplane? Dataplane
    {
        init => routes.Dataplane = value;
    }

    /// <summary>Names beside localhost and the node's that a port may be asked under.</summary>
    public IReadOnlyCollection<string> Hosts
    {
        init => routes.Doorkeeper = new(value);
    }

    /// <summary>What <c>/live</c> would answer, for a watchdog; null: live.</summary>
    public Task<string?> NotLiveBecauseAsync(CancellationToken stop) => routes.Health.NotLiveBecauseAsync(stop);

    /// <summary>Where it listens, with the port that 0 became: <c>http://127.0.0.1:9179</c>, <c>http://unix:/run/…</c>.</summary>
    public IReadOnlyCollection<string> Addresses => [.. server?.Features.Get<IServerAddressesFeature>()?.Addresses ?? []];

    /// <exception cref="IOException">An endpoint is malformed or taken; the message names it and says what to do.</exception>
    public async Task StartAsync(CancellationToken stop = default)
    {
        if (endpoints.Count == 0) return;
        var transport = new SocketTransportOptions { IOQueueCount = 1, CreateBoundListenSocket = ListenSocket.Bind };
        server = new KestrelServer(Options.Create(Settings()), new SocketTransportFactory(Options.Create(transport), logs), logs);
        await server.StartAsync(requests, stop).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested) return;
        await stopping.CancelAsync().ConfigureAwait(false);
        if (server != null)
        {
            using var patience = new CancellationTokenSource(Farewell, time);
            await server.StopAsync(patience.Token).ConfigureAwait(false);
            server.Dispose();
        }
        stopping.Dispose();
    }

    private KestrelServerOptions Settings()
    {
        var options = new KestrelServerOptions { AddServerHeader = false, ApplicationServices = NoServices.Instance };
        // How many there may be is the entrances' to say.
        options.Limits.KeepAliveTimeout = Silence;
        options.Limits.RequestHeadersTimeout = Silence;
        options.Limits.MinResponseDataRate = SlowestReader;
        options.Limits.MaxRequestBodySize = 64 * 1024;
        options.Limits.MaxRequestBufferSize = 64 * 1024;
        foreach (var text in endpoints)
        {
            if (!HttpEndpoint.TryParse(text, out var endpoint, out var problem)) throw new IOException($"control.http: {problem}");
            options.Listen(endpoint.EndPoint, listen => Configure(listen, endpoint));
        }
        return options;
    }

    private void Configure(ListenOptions listen, HttpEndpoint endpoint)
    {
        listen.Protocols = HttpProtocols.Http1;
        var entrance = endpoint.IsUnix ? sockets : ports;
        listen.Use(next => connection => entrance.ReceiveAsync(connection, next));
    }

    private sealed class NoServices : IServiceProvider
    {
        public static readonly NoServices Instance = new();

        public object? GetService(Type serviceType) => null;
    }
}
