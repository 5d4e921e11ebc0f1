using System.Net;

namespace Calico.Bgp.Control.Tests.Http;

public sealed class NatAnswersTests : IAsyncLifetime
{
    private readonly HttpLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    [Fact]
    public async Task Each_pool_is_told_with_who_translates_and_why()
    {
        var nat = await lab.JsonAsync("/v1/nat");
        Assert.Equal(
            """{"name":"rack","cidr":"10.64.0.0/16","natOutgoing":true,"disabled":false,"upstream":"prefer","""
            + """
            "applies":"upstream NAT","why":"tor1 translates","exceptTo":["0.0.0.0-127.255.255.255"]}
            """,
            nat["pools"]![1]!.ToJsonString());
        Assert.Equal("""{"transactions":3,"readings":1,"repairs":2}""", nat["table"]!.ToJsonString());
    }

    [Theory]
    [InlineData("src=192.168.1.1&dst=198.51.100.1", HttpStatusCode.OK)]
    [InlineData("src=192.168.1.1", HttpStatusCode.BadRequest)]
    [InlineData("src=192.168.1.1&dst=2001:db8::1", HttpStatusCode.BadRequest)]
    public async Task An_explanation_needs_two_addresses_of_one_family(string query, HttpStatusCode expected) =>
        await lab.JsonAsync($"/v1/nat/explain?{query}", expected);

    [Fact]
    public async Task Metrics_count_pools_repairs_and_refusals()
    {
        var text = await lab.Unix.GetStringAsync("/metrics");
        Assert.Contains("calico_bgp_nat_pools{treatment=\"upstream NAT\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("calico_bgp_nat_repairs_total 2\n", text, StringComparison.Ordinal);
        Assert.Contains("calico_bgp_nat_refused 1\n", text, StringComparison.Ordinal);
    }
}
