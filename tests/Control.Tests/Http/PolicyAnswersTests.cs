using System.Net;

namespace Calico.Bgp.Control.Tests.Http;

public sealed class PolicyAnswersTests : IAsyncLifetime
{
    private readonly HttpLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    [Fact]
    public async Task An_explanation_is_told_program_by_program_with_what_NAT_does()
    {
        var told = await lab.JsonAsync("/v1/policy/explain?src=192.0.2.9&dst=10.0.0.1&protocol=tcp:80");
        Assert.Equal(
            """{"verdict":"deny","programs":[{"program":"normal-in","endpoint":"eth0-hep","verdict":"deny","tier":"default","""
            + """
            "policy":"no-web","rule":1,"reason":"10.0.0.1 80"}],"nat":{"destination":null,"source":null,"why":"no service"}}
            """,
            told.ToJsonString());
    }

    [Theory]
    [InlineData("src=192.0.2.9&dst=10.0.0.1", "expected tcp:PORT, udp:PORT")]
    [InlineData("src=192.0.2.9&dst=10.0.0.1&protocol=tcp:x", "expected a port")]
    [InlineData("src=nobody/there&dst=10.0.0.1&protocol=tcp:80", "expected an address or a pod")]
    public async Task A_question_that_makes_no_sense_is_refused(string query, string problem)
    {
        var told = await lab.JsonAsync($"/v1/policy/explain?{query}", HttpStatusCode.BadRequest);
        Assert.StartsWith(problem, told["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }
}
