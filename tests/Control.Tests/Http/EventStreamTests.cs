using System.Net;
using Calico.Bgp.Dataplane.Dns;

namespace Calico.Bgp.Control.Tests.Http;

public sealed class EventStreamTests : IAsyncLifetime
{
    private readonly HttpLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    [Fact]
    public async Task The_first_events_carry_every_topic()
    {
        using var events = await OpenAsync("/v1/events");
        Assert.Equal(["status", "peers", "kernel"], [await NextAsync(events), await NextAsync(events), await NextAsync(events)]);
    }

    [Fact]
    public async Task A_change_is_told_and_only_its_topics()
    {
        using var events = await OpenAsync("/v1/events?topics=peers,kernel");
        await NextAsync(events);
        await NextAsync(events);
        lab.Speaker.KernelStatus = lab.Speaker.KernelStatus with { Writes = 3_000_000_001 };
        Assert.Equal("kernel", await NextAsync(events));
    }

    [Fact]
    public async Task A_reload_that_changed_nothing_is_told_too()
    {
        using var events = await OpenAsync("/v1/events?topics=status");
        await NextAsync(events);
        lab.Daemon.LastReload = lab.Daemon.LastReload! with { At = FakeSpeaker.Now };
        Assert.Equal("status", await NextAsync(events));
    }

    [Fact]
    public async Task Denied_flows_are_told_once_each_to_whoever_asks_for_them()
    {
        using var events = await OpenAsync("/v1/events?topics=denied");
        Assert.Equal(["1", "2"], await NumbersAsync());
        lab.Dataplane.Denied = lab.Dataplane.Denied with
        {
            Flows = [lab.Dataplane.Denied.Flows[1], lab.Dataplane.Denied.Flows[0] with { Number = 3 }],
        };
        Assert.Equal(["3"], await NumbersAsync());

        async Task<string[]> NumbersAsync()
        {
            Assert.Equal("denied", await NextAsync(events));
            var data = (await events.ReadLineAsync())!["data: ".Length..];
            return [.. System.Text.Json.Nodes.JsonNode.Parse(data)!.AsArray().Select(flow => flow!["number"]!.ToJsonString())];
        }
    }

    [Fact]
    public async Task Responses_of_the_DNS_are_told_once_each_from_when_somebody_watches()
    {
        using var events = await OpenAsync("/v1/events?topics=dns");
        Assert.Equal("[]", await DataAsync());
        const string server = "10.96.0.10";
        lab.Dataplane.Heard = new(5,
        [
            new("shop/web", "www.example.org", 28, server, DnsResult.Opened)
            {
                Number = 5,
                At = FakeSpeaker.Now,
                Addresses = ["2001:db8::1"],
                Opened = [new("2001:db8::1", "*.example.org", 330)],
                Held = TimeSpan.FromMilliseconds(0.25),
            },
        ]);
        Assert.Contains("\"endpoint\":\"shop/web\",\"name\":\"www.example.org\",\"type\":\"AAAA\",\"server\":\"10.96.0.10\","
            + "\"result\":\"opened\",\"heldMicroseconds\":250,\"addresses\":[\"2001:db8::1\"],\"opened\":[{\"address\":\"2001:db8::1\","
            + "\"by\":\"*.example.org\",\"secondsLeft\":330}]", await DataAsync(), StringComparison.Ordinal);
        lab.Dataplane.Heard = new(6, [.. lab.Dataplane.Heard.Lookups,
            new("", "", 0, server, DnsResult.Damaged) { Number = 6, At = FakeSpeaker.Now }]);
        Assert.Contains("[{\"number\":6,", await DataAsync(), StringComparison.Ordinal);

        async Task<string> DataAsync()
        {
            Assert.Equal("dns", await NextAsync(events));
            return (await events.ReadLineAsync())!["data: ".Length..];
        }
    }

    [Fact]
    public async Task An_unknown_topic_is_an_error()
    {
        var error = await lab.JsonAsync("/v1/events?topics=weather", HttpStatusCode.BadRequest);
        Assert.Contains("got \"weather\"", (string?)error["message"]);
    }

    [Fact]
    public async Task The_streams_end_with_the_server()
    {
        using var events = await OpenAsync("/v1/events?topics=kernel");
        await NextAsync(events);
        await lab.Server.DisposeAsync();
        Assert.Equal("end", await NextAsync(events));
    }

    private async Task<StreamReader> OpenAsync(string path) => new(await lab.Unix.GetStreamAsync(path));

    private static async Task<string> NextAsync(StreamReader events)
    {
        try
        {
            while (await events.ReadLineAsync() is { } line)
                if (line.StartsWith("event: ", StringComparison.Ordinal)) return line["event: ".Length..];
            return "end";
        }
        catch (IOException)
        {
            return "end";
        }
    }
}
