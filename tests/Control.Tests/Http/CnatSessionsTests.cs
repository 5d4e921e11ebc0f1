using System.Net;

namespace Calico.Bgp.Control.Tests.Http;

public sealed class CnatSessionsTests : IAsyncLifetime
{
    private readonly HttpLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    [Fact]
    public async Task A_session_is_told_with_its_ends_its_state_and_the_translation_that_made_it()
    {
        var told = await lab.JsonAsync("/v1/cnat/sessions");
        Assert.Equal(2, (int)told["count"]!);
        Assert.Equal(
            """
            {"id":7,"translation":0,"protocol":"tcp","source":"10.0.0.9:40001","destination":"30.0.0.2:80","backend":"20.0.0.1:8080",
            "as":"10.0.0.9:40001","state":"established","left":3599,"since":"SINCE","asked":{"packets":5,"octets":500},
            "answered":{"packets":4,"octets":4000}}
            """.ReplaceLineEndings("").Replace("SINCE", (string)told["sessions"]![0]!["since"]!),
            told["sessions"]![0]!.ToJsonString().Replace("\\u002B", "+"));
        Assert.Equal(FakeSpeaker.Now.AddMinutes(-2), (DateTimeOffset)told["sessions"]![0]!["since"]!);
        Assert.Equal(
            """
            {"id":8,"translation":1,"protocol":"udp","source":"[2001:db8::9]:5353","destination":"[2001:db8:1::1]:53",
            "backend":"[2001:db8:2::1]:53","as":"[2001:db8:3::1]:1024","state":"unanswered","left":12,"since":null,"asked":null,
            "answered":null}
            """.ReplaceLineEndings(""),
            told["sessions"]![1]!.ToJsonString());
    }

    [Fact]
    public async Task So_many_are_told_as_are_wanted_and_all_are_counted()
    {
        var told = await lab.JsonAsync("/v1/cnat/sessions?max=1");
        Assert.Equal((2, 1), ((int)told["count"]!, told["sessions"]!.AsArray().Count));
    }

    [Fact]
    public async Task What_the_query_says_chooses_and_those_are_ended()
    {
        const string Query = "?id=7&translation=3&protocol=tcp&ip=2001:db8::1&port=80";
        await lab.JsonAsync("/v1/cnat/sessions" + Query);
        using var answer = await lab.Unix.DeleteAsync("/v1/cnat/sessions" + Query);
        Assert.Equal("""{"count":2}""", await answer.Content.ReadAsStringAsync());
        const string Which = "SessionFilter { Id = 7, Translation = 3, Protocol = Tcp, Address = 2001:db8::1, Port = 80 }";
        Assert.Equal([$"tell {Which}", $"end {Which}"], lab.Dataplane.SessionOrders);
    }

    [Theory]
    [InlineData("ip=10.0.0", "ip")]
    [InlineData("port=65536", "port")]
    [InlineData("protocol=bgp", "protocol")]
    [InlineData("max=all", "max")]
    [InlineData("weather=fine", "weather")]
    public async Task What_is_wrong_is_refused_with_its_key(string query, string key) =>
        Assert.Equal(key, (string?)(await lab.JsonAsync($"/v1/cnat/sessions?{query}", HttpStatusCode.BadRequest))["where"]);

    [Fact]
    public async Task An_order_by_a_port_ends_nothing()
    {
        using var answer = await lab.Tcp.DeleteAsync("/v1/cnat/sessions");
        Assert.Equal((HttpStatusCode.Forbidden, 0), (answer.StatusCode, lab.Dataplane.SessionOrders.Count));
    }

    [Fact]
    public async Task Without_services_the_answer_says_so()
    {
        lab.Dataplane.HasServices = false;
        Assert.Equal("servicesOff", (string?)(await lab.JsonAsync("/v1/cnat/sessions", HttpStatusCode.NotFound))["code"]);
    }
}
