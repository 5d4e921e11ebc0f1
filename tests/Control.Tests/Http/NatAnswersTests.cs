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
    public async Task What_else_is_said_of_the_packet_is_taken_and_the_rule_the_address_and_the_interface_are_told()
    {
        var told = await lab.JsonAsync(
            "/v1/nat/explain?src=192.168.1.1&dst=198.51.100.1&protocol=udp&sport=1000&dport=53&mark=0x10&in=lo&out=eth0");
        Assert.Equal(("172.20.0.1", "eth0", true),
            (told["address"]!.GetValue<string>(), told["interface"]!.GetValue<string>(), told["translated"]!.GetValue<bool>()));
        Assert.StartsWith("chain postrouting: ", told["rule"]!.GetValue<string>(), StringComparison.Ordinal);
        var packet = told["trail"]![0]!.GetValue<string>();
        Assert.Contains("Protocol = Udp, SourcePort = 1000, DestinationPort = 53, ", packet, StringComparison.Ordinal);
        Assert.Contains("Mark = 16", packet, StringComparison.Ordinal);
        Assert.Contains("In = lo, Out = eth0", packet, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_gateway_of_another_node_makes_of_the_source_is_told_and_that_this_node_does_not()
    {
        var told = await lab.JsonAsync($"/v1/nat/explain?src={FakeDataplane.LeavesByGateway}&dst=198.51.100.1");
        Assert.Equal((false, "10.10.10.0, by gateway edge/shared on gate", "10.10.10.0"), (told["translated"]!.GetValue<bool>(),
            told["to"]!.GetValue<string>(), told["address"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("protocol=", "bgp", "tcp, udp, icmp, icmp6, sctp or a number")]
    [InlineData("dport=", "70000", "a port")]
    [InlineData("mark=", "0xg", "a mark (1, 0x1)")]
    public async Task What_is_said_wrongly_is_refused_with_its_key(string key, string value, string expected)
    {
        var told = await lab.JsonAsync($"/v1/nat/explain?src=192.168.1.1&dst=198.51.100.1&{key}{value}", HttpStatusCode.BadRequest);
        Assert.Equal((key.TrimEnd('='), $"expected {expected}, got {value}"),
            (told["where"]!.GetValue<string>(), told["message"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("in")]
    [InlineData("out")]
    public async Task An_interface_that_is_not_there_is_a_mistake(string key)
    {
        await lab.JsonAsync($"/v1/nat/explain?src=192.168.1.1&dst=198.51.100.1&{key}=eth0");
        var told = await lab.JsonAsync($"/v1/nat/explain?src=192.168.1.1&dst=198.51.100.1&{key}=nosuch", HttpStatusCode.BadRequest);
        Assert.Equal((key, "expected an interface of this host, got nosuch"), ((string?)told["where"], (string?)told["message"]));
    }

    [Fact]
    public async Task Metrics_count_pools_repairs_and_refusals()
    {
        var text = await lab.Unix.GetStringAsync("/metrics");
        Assert.Contains("calico_bgp_nat_pools{treatment=\"upstream NAT\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("calico_bgp_nat_repairs_total 2\n", text, StringComparison.Ordinal);
        Assert.Contains("calico_bgp_nat_refused 1\n", text, StringComparison.Ordinal);
    }
}
