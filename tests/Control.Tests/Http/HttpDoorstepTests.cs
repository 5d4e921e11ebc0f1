using System.Text.Json.Nodes;
using Calico.Bgp.Control.Http;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Control.Tests.Http;

/// <summary>What is answered before there is anybody to ask.</summary>
public sealed class HttpDoorstepTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("bgp-http-");
    private readonly Loops loops = new(TimeProvider.System, NullLogger<Loops>.Instance, (_, _) => { });

    private string Socket => Path.Combine(folder.FullName, "bgpd.sock");

    public void Dispose() => folder.Delete(recursive: true);

    private static async Task<(int Status, JsonNode Said)> AskAsync(HttpClient http, string path, HttpMethod? method = null)
    {
        using var answer = await http.SendAsync(new(method ?? HttpMethod.Get, path));
        return ((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);
    }

    [Fact]
    public async Task A_daemon_that_waits_is_alive_and_not_ready_and_says_what_it_waits_for()
    {
        var waitsFor = "the sources: kubernetes in-cluster (it is being read)";
        await using var doorstep = new HttpDoorstep(
            [$"unix:{Socket}"], "node-1", [], () => waitsFor, loops, TimeProvider.System, NullLoggerFactory.Instance);
        await doorstep.StartAsync(default);
        using var http = HttpLab.Client(Socket);
        var (live, lives) = await AskAsync(http, "/live");
        Assert.Equal((200, true), (live, (bool)lives["live"]!));
        var (ready, why) = await AskAsync(http, "/ready");
        Assert.Equal((503, $"waiting for {waitsFor}"), (ready, (string?)why["reason"]));
        waitsFor = "the sources: kubernetes in-cluster (Connection refused)";
        foreach (var (path, method) in ((string, HttpMethod)[])[
            ("/v1/status", HttpMethod.Get), ("/v1/reload", HttpMethod.Post), ("/metrics", HttpMethod.Get)])
        {
            var (status, error) = await AskAsync(http, path, method);
            Assert.Equal(
                (503, "starting", $"bgpd has begun, and is waiting for {waitsFor}"),
                (status, (string?)error["code"], (string?)error["message"]));
        }
    }

    [Fact]
    public async Task The_daemon_takes_its_place_at_the_same_endpoints()
    {
        string[] endpoints = [$"unix:{Socket}"];
        var doorstep = new HttpDoorstep(endpoints, "node-1", [], () => "", loops, TimeProvider.System, NullLoggerFactory.Instance);
        await doorstep.StartAsync(default);
        await doorstep.DisposeAsync();
        await using var control = new HttpControl(
            endpoints, new FakeSpeaker(), new FakeDaemon(), loops, TimeProvider.System, NullLoggerFactory.Instance);
        await control.StartAsync();
        using var http = HttpLab.Client(Socket);
        Assert.Equal(200, (await AskAsync(http, "/v1/status")).Status);
    }
}
