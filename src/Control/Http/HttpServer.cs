// Kestrel without the hosting around it: no configuration files, no dependency injection, no logging of its own beyond warnings, one I/O
// queue.

using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Calico.Bgp.Control.Http;

/// <summary>Listens on <c>control.http</c>, with an entrance for the Unix sockets and one for the ports.</summary>
internal sealed class HttpServer(
    IReadOnlyList<string> endpoints, Func<HttpContext, Task> answer, TimeProvider time, ILoggerFactory logs) : IAsyncDisposable
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1), Silence = TimeSpan.FromSeconds(20);

    /// <summary>Octets in a second, asked of whoever leaves an answer lying; he is ended some 20 s after he stopped.</summary>
    private static readonly MinDataRate SlowestReader = new(bytesPerSecond: 4096, gracePeriod: TimeSpan.FromSeconds(5));

    private readonly ILogger log = logs.CreateLogger<HttpControl>();
    private Entrance? sockets, ports;
    private KestrelServer? server;

    /// <summary>Where it listens, with the port that 0 became: <c>http://127.0.0.1:9179</c>, <c>http://unix:/run/…</c>.</summary>
    public IReadOnlyCollection<string> Addresses => [.. server?.Features.Get<IServerAddressesFeature>()?.Addresses ?? []];

    /// <exception cref="IOException">An endpoint is malformed or taken; the message names it and says what to do.</exception>
    public async Task StartAsync(CancellationToken stop)
    {
        if (endpoints.Count == 0) return;
        (sockets, ports) = (new(isTrusted: true, time, log), new(isTrusted: false, time, log));
        var transport = new SocketTransportOptions { IOQueueCount = 1, CreateBoundListenSocket = ListenSocket.Bind };
        server = new KestrelServer(Options.Create(Settings()), new SocketTransportFactory(Options.Create(transport), logs), logs);
        await server.StartAsync(new HttpRequests(answer, log), stop).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not { } ending) return;
        server = null;
        using var patience = new CancellationTokenSource(Farewell, time);
        await ending.StopAsync(patience.Token).ConfigureAwait(false);
        ending.Dispose();
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
        var entrance = endpoint.IsUnix ? sockets! : ports!;
        listen.Use(next => connection => entrance.ReceiveAsync(connection, next));
    }

    private sealed class NoServices : IServiceProvider
    {
        public static readonly NoServices Instance = new();

        public object? GetService(Type serviceType) => null;
    }
}
