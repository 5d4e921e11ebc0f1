// Metrics, health, status and orders over HTTP/1.1, for scrapers, probes and bgpctl.

using Calico.Bgp.Dataplane;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Http;

/// <summary>The HTTP side of the daemon. One per process; stopped by disposing.</summary>
public sealed class HttpControl : IAsyncDisposable
{
    private readonly HttpRoutes routes;
    private readonly HttpServer server;
    private readonly CancellationTokenSource stopping = new();

    public HttpControl(
        IReadOnlyList<string> endpoints, ISpeaker speaker, IDaemon daemon, Loops loops, TimeProvider time, ILoggerFactory logs)
    {
        routes = new(speaker, daemon, loops, time, stopping.Token);
        server = new(endpoints, routes.AnswerAsync, time, logs);
    }

    /// <summary>What is done to packets; null: nothing.</summary>
    public IDataplane? Dataplane
    {
        init => routes.Dataplane = value;
    }

    /// <summary>Translations that outlive the daemon; null: none does.</summary>
    public SavedTranslations? Saved
    {
        init => routes.Saved = value;
    }

    /// <summary>Names beside localhost and the node's that a port may be asked under.</summary>
    public IReadOnlyCollection<string> Hosts
    {
        init => routes.Doorkeeper = new(value);
    }

    /// <summary>What <c>/live</c> would answer, for a watchdog; null: live.</summary>
    public Task<string?> NotLiveBecauseAsync(CancellationToken stop) => routes.Health.NotLiveBecauseAsync(stop);

    /// <summary>Where it listens, with the port that 0 became: <c>http://127.0.0.1:9179</c>, <c>http://unix:/run/…</c>.</summary>
    public IReadOnlyCollection<string> Addresses => server.Addresses;

    /// <exception cref="IOException">An endpoint is malformed or taken; the message names it and says what to do.</exception>
    public Task StartAsync(CancellationToken stop = default) => server.StartAsync(stop);

    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested) return;
        await stopping.CancelAsync().ConfigureAwait(false);
        await server.DisposeAsync().ConfigureAwait(false);
        stopping.Dispose();
    }
}
