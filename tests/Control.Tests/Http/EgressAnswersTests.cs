using System.Net;
using Calico.Bgp.Dataplane.Egress;

namespace Calico.Bgp.Control.Tests.Http;

public sealed class EgressAnswersTests : IAsyncLifetime
{
    private readonly HttpLab lab = new();

    public Task InitializeAsync()
    {
        lab.Dataplane.Egress = FakeDataplane.Gateways;
        return lab.InitializeAsync();
    }

    public Task DisposeAsync() => lab.DisposeAsync();

    [Fact]
    public async Task Each_gateway_is_told_with_its_nodes_and_who_leaves_by_it()
    {
        var egress = await lab.JsonAsync("/v1/egress");
        Assert.Equal(
            """{"name":"edge/blue","replicas":[{"node":"gate1","addresses":["10.10.11.0"],"byHost":false,"usable":true,"""
            + """
            "state":"this node"}],"problems":[],"pods":[]}
            """, egress["gateways"]![0]!.ToJsonString());
        Assert.Equal("""{"pod":"bad/x","node":"client","reason":"EgressGatewayPolicy/nowhere does not exist"}""",
            egress["blocked"]![0]!.ToJsonString());
    }

    [Fact]
    public async Task Flows_are_told_to_whoever_asks_of_gateways_that_are_here()
    {
        Assert.Null((await lab.JsonAsync("/v1/egress"))["gateways"]![1]!["flows"]);
        var egress = await lab.JsonAsync("/v1/egress?flows=true");
        Assert.Null(egress["gateways"]![0]!["flows"]);
        Assert.Equal("""{"total":8,"whole":true,"byPod":[{"pod":"alpha/a","flows":7},{"pod":null,"flows":1}]}""",
            egress["gateways"]![1]!["flows"]!.ToJsonString());
        Assert.Null(egress["flowLog"]);
    }

    [Fact]
    public async Task Where_the_kernel_does_not_tell_flows_the_rest_is_told()
    {
        lab.Dataplane.RefusesFlows = true;
        var egress = await lab.JsonAsync("/v1/egress?flows=true");
        Assert.StartsWith("the kernel does not tell its connections", egress["uncounted"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(2, egress["gateways"]!.AsArray().Count);
    }

    [Fact]
    public async Task The_flow_log_is_told_with_what_it_lacks()
    {
        lab.Dataplane.Egress = FakeDataplane.Gateways with { FlowLog = new(5, 2, null) };
        Assert.Equal("""{"logged":5,"lost":2,"problem":null}""", (await lab.JsonAsync("/v1/egress"))["flowLog"]!.ToJsonString());
    }

    [Fact]
    public async Task The_status_names_who_is_blocked() => Assert.Equal(
        """{"gateways":2,"blocked":[{"pod":"bad/x","node":"client","reason":"EgressGatewayPolicy/nowhere does not exist"}]}""",
        (await lab.JsonAsync("/v1/status"))["egress"]!.ToJsonString());

    [Theory]
    [InlineData("pod=alpha/a&to=198.51.100.1", HttpStatusCode.OK)]
    [InlineData("pod=alpha&to=198.51.100.1", HttpStatusCode.BadRequest)]
    [InlineData("pod=alpha/a&to=there", HttpStatusCode.BadRequest)]
    public async Task An_explanation_needs_a_pod_and_an_address(string query, HttpStatusCode expected) =>
        await lab.JsonAsync($"/v1/egress/explain?{query}", expected);

    [Fact]
    public async Task Where_it_is_off_it_says_so()
    {
        lab.Dataplane.Egress = EgressView.Off;
        Assert.False((await lab.JsonAsync("/v1/egress"))["enabled"]!.GetValue<bool>());
        Assert.Null((await lab.JsonAsync("/v1/status"))["egress"]);
        var refused = await lab.JsonAsync("/v1/egress/explain?pod=alpha/a&to=198.51.100.1", HttpStatusCode.NotFound);
        Assert.Equal("egressOff", refused["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Where_it_cannot_be_in_force_it_says_why()
    {
        lab.Dataplane.Egress = EgressView.Off;
        lab.Dataplane.View = lab.Dataplane.View with { Problem = "egress: no rights" };
        Assert.Equal("egress: no rights", (await lab.JsonAsync("/v1/egress"))["notInForce"]!.GetValue<string>());
        var refused = await lab.JsonAsync("/v1/egress/explain?pod=alpha/a&to=198.51.100.1", HttpStatusCode.NotFound);
        Assert.Equal("egress is not in force: egress: no rights", refused["message"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_the_kernel_refuses_is_told_by_all_who_are_asked_of_gateways()
    {
        Assert.Null((await lab.JsonAsync("/v1/egress"))["refused"]);
        lab.Dataplane.Egress = FakeDataplane.Gateways with { Refused = ["link egress.calico: File exists"] };
        Assert.Equal("""["link egress.calico: File exists"]""", (await lab.JsonAsync("/v1/egress"))["refused"]!.ToJsonString());
        Assert.Equal("""["link egress.calico: File exists"]""",
            (await lab.JsonAsync("/v1/status"))["egress"]!["refused"]!.ToJsonString());
    }

    [Fact]
    public async Task Metrics_have_what_somebody_would_be_woken_for()
    {
        var (listed, since) = (DateTimeOffset.FromUnixTimeSeconds(100), DateTimeOffset.FromUnixTimeSeconds(90));
        Assert.DoesNotContain("calico_bgp_egress_replication", await lab.Unix.GetStringAsync("/metrics"), StringComparison.Ordinal);
        lab.Dataplane.Egress = FakeDataplane.Gateways with
        {
            Refused = ["link egress.calico: File exists"],
            FlowLog = new(5, 2, null),
            Counts = new(Taken: 3, GivenUp: 2, Ended: 7, FlowsGiven: 40, FlowsTaken: 30, FlowsRefused: 1, Unwaited: 4),
            Replication = new(IsBehind: true, "no port",
            [
                new("gate2", [], new([], IsWhole: true, since, Listed: 12, Told: 5, null) { ListedAt = listed },
                    new(since, Listed: 8, Told: 3, Waiting: 6)),
                new("gate3", [], new([], IsWhole: false, since, Listed: 0, Told: 0, "it has not been asked yet"), null),
            ]),
        };
        var text = await lab.Unix.GetStringAsync("/metrics");
        Assert.All((string[])
        [
            """egress_replica_usable{gateway="edge/red",node="gate1"} 1""", """egress_replica_usable{gateway="edge/red",node="gate2"} 0""",
            "egress_pods_blocked 1", "egress_refused 1", "egress_flows_logged_total 5", "egress_flows_unlogged_total 2",
            """egress_address_moves_total{direction="here"} 3""", """egress_address_moves_total{direction="away"} 2""",
            "egress_connections_ended_total 7", "egress_replication_waits 1", "egress_replication_closed 1",
            """egress_replication_in_sync{peer="gate2"} 1""", """egress_replication_in_sync{peer="gate3"} 0""",
            """egress_replication_asked{peer="gate2"} 1""", """egress_replication_asked{peer="gate3"} 0""",
            """egress_replication_waiting_flows{peer="gate2"} 6""",
            """egress_replication_listed_flows{peer="gate2",direction="in"} 12""",
            """egress_replication_listed_flows{peer="gate2",direction="out"} 8""",
            """egress_replication_list_timestamp_seconds{peer="gate2",direction="in"} 100""",
            """egress_replication_list_timestamp_seconds{peer="gate2",direction="out"} 90""",
            """egress_replication_flows_total{result="given"} 40""", """egress_replication_flows_total{result="taken"} 30""",
            """egress_replication_flows_total{result="refused"} 1""", "egress_replication_unwaited_total 4",
        ], line => Assert.Contains($"\ncalico_bgp_{line}\n", text, StringComparison.Ordinal));
        lab.Dataplane.Egress = EgressView.Off;
        Assert.DoesNotContain("calico_bgp_egress", await lab.Unix.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }
}
