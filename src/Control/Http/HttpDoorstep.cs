// What HTTP answers while the daemon waits for its first full state, before there is anybody to ask: a probe hears that it lives, and
// people what it waits for. It stands where HttpControl will, which takes its place.

using Calico.Bgp.Answers;
using Calico.Bgp.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Http;

/// <summary>The HTTP side of a daemon that has begun and waits. Stopped by disposing.</summary>
public sealed class HttpDoorstep : IAsyncDisposable
{
    private readonly Loops loops;
    private readonly Func<string> waitsFor;
    private readonly string node;
    private readonly Doorkeeper doorkeeper;
    private readonly HttpServer server;

    /// <param name="node">This node's name, under which a port may be asked; as <paramref name="hosts"/>.</param>
    /// <param name="waitsFor">In words that follow "waiting for".</param>
    public HttpDoorstep(
        IReadOnlyList<string> endpoints, string node, IReadOnlyCollection<string> hosts, Func<string> waitsFor, Loops loops,
        TimeProvider time, ILoggerFactory logs)
    {
        (this.loops, this.waitsFor, this.node, doorkeeper) = (loops, waitsFor, node, new(hosts));
        server = new(endpoints, AnswerAsync, time, logs);
    }

    /// <exception cref="IOException">An endpoint is malformed or taken; the message names it and says what to do.</exception>
    public Task StartAsync(CancellationToken stop) => server.StartAsync(stop);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private Task AnswerAsync(HttpContext http) => doorkeeper.Refuse(http, node) is { } refusal
        ? Answer.ErrorAsync(http, refusal)
        : Visit.Of(http).Entrance.Places.HoldAsync(http, PlaceKind.Probe, _ => FindAsync(http));

    private Task FindAsync(HttpContext http) => http.Request.Path.Value?.Trim('/') switch
    {
        "live" => loops.NotLiveBecause is { } reason
            ? Answer.JsonAsync(http, new(false, reason), Answer.Json.LiveAnswer, 503)
            : Answer.JsonAsync(http, new(true, null), Answer.Json.LiveAnswer),
        "ready" => Answer.JsonAsync(http, new(false, $"waiting for {waitsFor()}"), Answer.Json.ReadyAnswer, 503),
        _ => Answer.ErrorAsync(http, AnswerCode.Starting, $"bgpd has begun, and is waiting for {waitsFor()}"),
    };
}
