using System.Net;
using System.Text.RegularExpressions;
using Calico.Bgp.Answers;

namespace Calico.Bgp.Control.Tests.Http;

/// <summary>What programs read of each answer: names, order, and null for what is absent.</summary>
public sealed partial class AnswersTests : IAsyncLifetime
{
    private readonly HttpLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    [Theory]
    [InlineData("/live")]
    [InlineData("/ready")]
    [InlineData("/v1/status")]
    [InlineData("/v1/peers")]
    [InlineData("/v1/peers/tor1")]
    [InlineData("/v1/bfd")]
    [InlineData("/v1/routes")]
    [InlineData("/v1/kernel")]
    [InlineData("/v1/kernel/routes")]
    [InlineData("/v1/nat")]
    [InlineData("/v1/nat/explain?src=192.168.1.1&dst=198.51.100.1")]
    [InlineData("/v1/explain/route?prefix=203.0.113.0/24")]
    [InlineData("/v1/explain/peer/tor1")]
    public async Task An_answer_is_written_as_it_always_was(string path)
    {
        var json = Golden.Pretty(await lab.JsonAsync(path));
        Golden.Check($"{path.Split('?')[0][1..].Replace('/', '_')}.json", Resident().Replace(json, "\"resident\": 0"));
    }

    [Theory]
    [InlineData("/v1/reload", """{"changes":["peer tor1: import accept -> only-default","peer tor9: added"]}""")]
    [InlineData("/v1/peers/tor1/enable", """{"peer":"tor1","order":"enable"}""")]
    public async Task What_an_order_did_is_written_as_it_always_was(string path, string expected)
    {
        using var answer = await lab.Unix.PostAsync(path, null);
        Assert.Equal(expected, await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/v2", HttpStatusCode.NotFound, "unknownPath", "/v2")]
    [InlineData("/v1/reload", HttpStatusCode.MethodNotAllowed, "wrongMethod", "/v1/reload")]
    [InlineData("/v1/routes?scope=under", HttpStatusCode.BadRequest, "badQuery", "scope")]
    [InlineData("/v1/routes?peer=tor7", HttpStatusCode.NotFound, "unknownPeer", "peer")]
    [InlineData("/v1/routes?protocol=tor7", HttpStatusCode.NotFound, "unknownProtocol", "protocol")]
    [InlineData("/v1/events?topics=weather", HttpStatusCode.BadRequest, "badQuery", "topics")]
    [InlineData("/v1/explain/route?prefix=10", HttpStatusCode.BadRequest, "badQuery", "prefix")]
    [InlineData("/v1/explain/peer/tor7", HttpStatusCode.NotFound, "unknownPeer", "/v1/explain/peer/tor7")]
    [InlineData("/v1/explain/service/default/web", HttpStatusCode.NotFound, "noSources", "/v1/explain/service/default/web")]
    [InlineData("/v1/nat/explain?src=10.0.0.1", HttpStatusCode.BadRequest, "badQuery", "src, dst")]
    public async Task An_error_says_of_which_kind_it_is_and_where(string path, HttpStatusCode status, string code, string where)
    {
        var error = await lab.JsonAsync(path, status);
        Assert.Equal((code, where, 3), ((string?)error["code"], (string?)error["where"], error.AsObject().Count));
    }

    [Fact]
    public void Only_our_own_mistakes_and_want_of_room_are_the_servers_fault() => Assert.Equal(
        [AnswerCode.Other, AnswerCode.Busy, AnswerCode.Starting, AnswerCode.Defect],
        Enum.GetValues<AnswerCode>().Where(code => code.Status() >= 500));

    [Theory]
    [InlineData("/live")]
    [InlineData("/metrics")]
    [InlineData("/v1/status")]
    [InlineData("/v1/routes")]
    [InlineData("/v2")]
    public async Task Every_answer_says_which_release_gives_it(string path)
    {
        using var answer = await lab.Unix.GetAsync(path);
        Assert.Equal($"bgpd/{Release.Version}", answer.Headers.Server.ToString());
    }

    [GeneratedRegex("\"resident\": [0-9]+")]
    private static partial Regex Resident();
}
