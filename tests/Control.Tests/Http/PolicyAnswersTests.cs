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

    [Fact]
    public async Task Denied_flows_are_told_with_who_denied_them()
    {
        var told = await lab.JsonAsync("/v1/policy/denied");
        Assert.Equal(
            ("true", "3", "10.65.0.2", "40000", "10.65.0.3", "81", "tcp", "12", "NetworkPolicy shop/no-81", "2", "shop/web"),
            ($"{told["logged"]}", $"{told["lost"]}", Said("source"), Said("sourcePort"), Said("destination"), Said("port"),
                Said("protocol"), Said("packets"), Said("policy"), Said("rule"), Said("endpoint")));
        var other = told["flows"]![1]!;
        Assert.Equal(("icmpv6", 128), (other["protocol"]!.GetValue<string>(), other["icmpType"]!.GetValue<int>()));

        string Said(string key) => $"{told["flows"]![0]![key]}";
    }

    [Fact]
    public async Task What_is_known_of_names_is_told_with_where_they_lead_and_of_one_name_alone_where_it_is_asked_for()
    {
        var all = (await lab.JsonAsync("/v1/dns/cache"))["names"]!.AsArray();
        Assert.Equal(["www.example.org", "cdn.example.net"], all.Select(one => one!["name"]!.GetValue<string>()));
        var told = await lab.JsonAsync("/v1/dns/cache?name=cdn.example.net");
        var one = Assert.Single(told["names"]!.AsArray())!;
        Assert.Equal(("true", "shop/web", "false", "203.0.113.7", "10.96.0.10", "20", "21"),
            ($"{told["inUse"]}", $"{one["endpoint"]}", $"{one["allowed"]}", $"{one["addresses"]![0]!["to"]}",
                $"{one["addresses"]![0]!["server"]}", $"{one["addresses"]![0]!["ttl"]}", $"{one["addresses"]![0]!["secondsLeft"]}"));
    }

    [Fact]
    public async Task Metrics_count_what_each_policy_has_decided_in_each_direction()
    {
        var text = await lab.Unix.GetStringAsync("/metrics");
        string[] expected =
        [
            "# TYPE calico_bgp_policy_packets_total counter",
            Sample("packets", "NetworkPolicy", "default/web", "ingress", "allow", 7),
            Sample("packets", "NetworkPolicy", "default/web", "ingress", "deny", 2),
            Sample("bytes", "NetworkPolicy", "default/web", "ingress", "allow", 420),
            Sample("packets", "GlobalNetworkPolicy", "dns", "egress", "allow", 5),
            "calico_bgp_policy_policies 3", "calico_bgp_policy_endpoints{kind=\"workload\"} 2", "calico_bgp_policy_closed 1",
            "calico_bgp_policy_endpoints_without_interface 0",
            "calico_bgp_policy_denied_packets_total{by=\"rule\"} 2", "calico_bgp_policy_denied_packets_total{by=\"end of tier\"} 4",
            "calico_bgp_policy_sets 9", "calico_bgp_policy_last_transaction_timestamp_seconds 1.5",
            "calico_bgp_policy_log_lost_total 3", "calico_bgp_policy_connections_cut_total 6",
            "calico_bgp_dns_queries_total 50", "calico_bgp_dns_responses_total{result=\"held\"} 20",
            "calico_bgp_dns_responses_total{result=\"unasked\"} 3", "calico_bgp_dns_responses_total{result=\"damaged\"} 4",
            "calico_bgp_dns_responses_total{result=\"passed\"} 13", "calico_bgp_dns_held_seconds_total 2.5",
            "calico_bgp_dns_released_unprogrammed_total 1", "calico_bgp_dns_opened_total 21", "calico_bgp_dns_name_lists 2",
            "calico_bgp_dns_open 7", "calico_bgp_dns_unheard 0", "calico_bgp_dns_names 9", "calico_bgp_dns_given_up_total 2",
            "calico_bgp_dns_streams 6", "calico_bgp_dns_denied_delayed_total 5", "calico_bgp_dns_unheld 0",
        ];
        Assert.Equal([], expected.Except(text.Split('\n')));

        static string Sample(string what, string kind, string policy, string direction, string verdict, int count) =>
            $"calico_bgp_policy_{what}_total{{kind=\"{kind}\",policy=\"{policy}\",direction=\"{direction}\",verdict=\"{verdict}\"}} "
            + count;
    }

    [Theory]
    [InlineData("list", "v1_policy_list.json")]
    [InlineData("show?name=web", "v1_policy_show.json")]
    [InlineData("endpoints", "v1_policy_endpoints.json")]
    public async Task What_there_is_is_listed_in_the_order_in_which_it_is_asked(string path, string file) =>
        Golden.Check(file, Golden.Pretty(await lab.JsonAsync($"/v1/policy/{path}")));

    [Theory]
    [InlineData("list")]
    [InlineData("show?name=web")]
    [InlineData("endpoints")]
    [InlineData("lint")]
    [InlineData("explain?src=192.0.2.9&dst=10.0.0.1&protocol=tcp:80")]
    public async Task Where_no_policy_is_enforced_that_is_an_error_of_its_own(string path)
    {
        lab.Dataplane.HasPolicy = false;
        var told = await lab.JsonAsync($"/v1/policy/{path}", HttpStatusCode.NotFound);
        Assert.Equal("policyOff", told["code"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(true, "noSources")]
    [InlineData(false, "policyOff")]
    public async Task Nothing_is_tried_where_policy_is_off(bool isOn, string code)
    {
        lab.Dataplane.HasPolicy = isOn;
        using var answer = await lab.Unix.PostAsync("/v1/policy/try?file=web.yaml", new StringContent("kind: Tier"));
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains($"\"code\":\"{code}\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    /// <summary>Nobody may take what bgpd.yaml asks for, and the kernel does not let us do, for something that is not asked for.</summary>
    [Fact]
    public async Task What_cannot_be_in_force_is_said_with_its_reason_and_not_taken_for_missing()
    {
        Assert.Null((await lab.JsonAsync("/v1/status"))["notInForce"]);
        lab.Dataplane.HasPolicy = false;
        lab.Dataplane.View = lab.Dataplane.View with { Problem = "nat, policy: Operation not permitted" };
        Assert.Equal(
            "network policy is not in force: nat, policy: Operation not permitted",
            (await lab.JsonAsync("/v1/policy/list", HttpStatusCode.NotFound))["message"]!.GetValue<string>());
        Assert.Equal("policyOff", (await lab.JsonAsync("/v1/policy/denied", HttpStatusCode.NotFound))["code"]!.GetValue<string>());
        Assert.Equal("nat, policy: Operation not permitted", (await lab.JsonAsync("/v1/status"))["notInForce"]!.GetValue<string>());
    }

    [Fact]
    public async Task Lint_says_which_connection_it_was_asked_about()
    {
        var alone = await lab.JsonAsync("/v1/policy/lint");
        Assert.Null(alone["ssh"]);
        var finding = Assert.Single(alone["findings"]!.AsArray())!;
        Assert.Equal(("selectsNothing", "NetworkPolicy/shop/web", "no endpoint that is known matches its selector"),
            (finding["trap"]!.GetValue<string>(), finding["object"]!.GetValue<string>(), finding["reason"]!.GetValue<string>()));
        var told = await lab.JsonAsync("/v1/policy/lint?ssh=192.0.2.9%2051234%2010.0.0.1%2022");
        Assert.Equal(("192.0.2.9 51234 10.0.0.1 22", "locksOut"),
            (told["ssh"]!.GetValue<string>(), told["findings"]![0]!["trap"]!.GetValue<string>()));
        var wrong = await lab.JsonAsync("/v1/policy/lint?ssh=here", HttpStatusCode.BadRequest);
        Assert.Equal("expected an SSH_CONNECTION (CLIENT PORT SERVER PORT), got \"here\"", wrong["message"]!.GetValue<string>());
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
