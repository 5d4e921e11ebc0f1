using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

/// <summary>One question to the scripted server.</summary>
/// <param name="Number">Of how many of its kind (lists and watches apart) it is, from 1.</param>
internal sealed record Question(HttpContext Http, string Plural, bool IsWatch, int Number)
{
    public string this[string parameter] => Http.Request.Query[parameter].ToString();
    public string Token => Http.Request.Headers.Authorization.ToString();

    public Task AnswerAsync(int status, string message, string more = "")
    {
        Http.Response.StatusCode = status;
        return Http.Response.WriteAsync($$"""{"kind":"Status","code":{{status}},"message":"{{message}}"{{more}}}""");
    }

    public async Task SayAsync(string text)
    {
        await Http.Response.WriteAsync(text);
        await Http.Response.Body.FlushAsync();
    }

    public Task HangAsync() => Task.Delay(Timeout.Infinite, Http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);

    public void Break() => Http.Abort();
}

/// <summary>
/// An API server that makes mistakes on order. Without an order each collection is what <see cref="Objects"/> says, and a watch tells what
/// is pushed into it.
/// </summary>
internal sealed class ScriptedApi : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, int> counts = new();
    private readonly ConcurrentDictionary<string, ConcurrentBag<Channel<string>>> watches = new();
    private readonly ConcurrentDictionary<string, Func<Question, Task<bool>>> orders = new();

    private ScriptedApi(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, port));
        app = builder.Build();
        app.Run(HandleAsync);
    }

    /// <summary>Of each plural, by name.</summary>
    public ConcurrentDictionary<string, ConcurrentDictionary<string, string>> Objects { get; } = new();
    public int Version { get; set; } = 10;
    public int Minor { get; set; } = 31;
    public string[] Groups { get; set; } = ["crd.projectcalico.org", "discovery.k8s.io"];
    /// <summary>Paths with their questions, in the order in which they came.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();
    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <param name="port">Of one before it that was ended; null: its own, at which another may be begun.</param>
    public static async Task<ScriptedApi> StartAsync(int? port = null)
    {
        var api = new ScriptedApi(port ?? Ports.Next("127.0.0.1"));
        await api.app.StartAsync();
        return api;
    }

    public bool WasAsked(string part, string end) =>
        Asked.Any(asked => asked.Contains(part, StringComparison.Ordinal) && asked.EndsWith(end, StringComparison.Ordinal));

    /// <param name="order">False: it leaves the question to the usual answer.</param>
    public void On(string plural, Func<Question, Task<bool>> order) => orders[plural] = order;

    public static string Bookmark(int version, string more = "") =>
        $$$$"""{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"{{{{version}}}}"{{{{more}}}}}}}""" + "\n";

    /// <summary>Into the watches that are open.</summary>
    public void Push(string plural, string text)
    {
        foreach (var watch in watches.GetValueOrDefault(plural) ?? []) watch.Writer.TryWrite(text);
    }

    public void EndWatches(string plural)
    {
        foreach (var watch in watches.GetValueOrDefault(plural) ?? []) watch.Writer.TryComplete();
    }

    public int WatchesOf(string plural) => counts.GetValueOrDefault($"{plural} True");
    public int ListsOf(string plural) => counts.GetValueOrDefault($"{plural} False");

    private async Task HandleAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        Asked.Enqueue(path + http.Request.QueryString);
        if (path == "/version") await http.Response.WriteAsync($$"""{"major":"1","minor":"{{Minor}}"}""");
        else if (path == "/apis")
            await http.Response.WriteAsync("{\"groups\":[" + string.Join(',', Groups.Select(one => $$"""{"name":"{{one}}"}""")) + "]}");
        else
        {
            var (plural, isWatch) = (path[(path.LastIndexOf('/') + 1)..], http.Request.Query.ContainsKey("watch"));
            var question = new Question(http, plural, isWatch, counts.AddOrUpdate($"{plural} {isWatch}", 1, (_, count) => count + 1));
            if (orders.TryGetValue(plural, out var order) && await order(question)) return;
            await (isWatch ? WatchAsync(question) : ListAsync(question));
        }
    }

    private Task ListAsync(Question question) => question.SayAsync(ListOf(question.Plural));

    public string ListOf(string plural) =>
        $$$"""{"metadata":{"resourceVersion":"{{{Version}}}"},"items":[{{{string.Join(",", ItemsOf(plural))}}}]}""";

    private ICollection<string> ItemsOf(string plural) => Objects.TryGetValue(plural, out var items) ? items.Values : [];

    private async Task WatchAsync(Question question)
    {
        var watch = Channel.CreateUnbounded<string>();
        await question.SayAsync("");
        watches.GetOrAdd(question.Plural, _ => []).Add(watch);
        if (question["sendInitialEvents"] == "true")
        {
            foreach (var item in ItemsOf(question.Plural)) await question.SayAsync($$"""{"type":"ADDED","object":{{item}}}""" + "\n");
            await question.SayAsync(Bookmark(Version, ""","annotations":{"k8s.io/initial-events-end":"true"}"""));
        }
        try
        {
            await foreach (var text in watch.Reader.ReadAllAsync(question.Http.RequestAborted)) await question.SayAsync(text);
        }
        catch (OperationCanceledException) { }
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }
}
