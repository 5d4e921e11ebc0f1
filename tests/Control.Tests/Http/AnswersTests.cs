using System.Text.RegularExpressions;

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

    [GeneratedRegex("\"resident\": [0-9]+")]
    private static partial Regex Resident();
}
