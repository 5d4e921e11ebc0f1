using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Tests;

/// <summary>Gateways, their policies, and the annotations that choose them (section 3.1 of calico-policy-nat.md).</summary>
public class EgressTests
{
    private static string Gateway(string spec) =>
        $"{{ apiVersion: operator.tigera.io/v1, kind: EgressGateway, metadata: {{ name: red, namespace: edge }}, spec: {{ {spec} }} }}";

    private static string Policy(string rules) =>
        $"{{ apiVersion: projectcalico.org/v3, kind: EgressGatewayPolicy, metadata: {{ name: p }}, spec: {{ rules: [{rules}] }} }}";

    private static string Pod(string annotations, string spec = "") => "{ apiVersion: v1, kind: Pod, metadata: { name: a, namespace: n, "
        + $"annotations: {{ {annotations} }} }}, spec: {{ nodeName: n1, {spec} }}, status: {{ podIP: 10.0.0.1 }} }}";

    private const string Choice = "gateway: { selector: all(), namespaceSelector: all() }";

    [Fact]
    public void A_gateway_has_its_nodes_its_pools_and_the_labels_that_pods_choose_it_by()
    {
        var gateway = Manifest.One<EgressGateway>(Gateway("replicas: 2, logSeverity: Info, "
            + "ipPools: [{ name: a }, { cidr: 10.10.10.0/30 }], "
            + "template: { metadata: { labels: { code: red } }, spec: { nodeSelector: { egress: 'true' } } }"));
        Assert.Equal((2, "[a, 10.10.10.0/30]", "{code=red}", "{egress=true}"),
            (gateway.Replicas, gateway.Pools.ToString(), gateway.GatewayLabels.ToString(), gateway.NodeSelector.ToString()));
        var plain = Manifest.One<EgressGateway>(Gateway("ipPools: [{ name: a }]"));
        Assert.Equal("{projectcalico.org/egw=red}", plain.GatewayLabels.ToString());
    }

    [Theory]
    [InlineData("", "spec.ipPools")]
    [InlineData("ipPools: []", "spec.ipPools")]
    [InlineData("ipPools: [{}]", "spec.ipPools[0]")]
    [InlineData("ipPools: [{ cidr: 10.0.0.1/24 }]", "spec.ipPools[0].cidr")]
    [InlineData("ipPools: [{ name: a }], replicas: -1", "spec.replicas")]
    [InlineData("ipPools: [{ name: a }], logSeverity: Loud", "spec.logSeverity")]
    [InlineData("ipPools: [{ name: a }], externalNetworks: [x, y]", "spec.externalNetworks")]
    [InlineData("ipPools: [{ name: a }], aws: { nativeIP: Enabled }", "spec.aws")]
    [InlineData("ipPools: [{ name: a }], template: { spec: { affinity: {} } }", "spec.template.spec.affinity")]
    [InlineData("ipPools: [{ name: a }], egressGatewayFailureDetection: { icmpProbe: { ips: [host] } }",
        "spec.egressGatewayFailureDetection.icmpProbe.ips[0]")]
    [InlineData("ipPools: [{ name: a }], egressGatewayFailureDetection: { icmpProbe: { intervalSeconds: 5 } }",
        "spec.egressGatewayFailureDetection.icmpProbe.ips")]
    [InlineData("ipPools: [{ name: a }], egressGatewayFailureDetection: { httpProbe: { urls: ['ftp://a/'], timeoutSeconds: 0 } }",
        "spec.egressGatewayFailureDetection.httpProbe.urls[0]", "spec.egressGatewayFailureDetection.httpProbe.timeoutSeconds")]
    public void A_gateway_is_refused_for(string spec, params string[] fields) => Refused(Gateway(spec), fields);

    [Fact]
    public void A_gateway_has_probes_with_the_operators_times_where_it_says_none()
    {
        var probes = Manifest.One<EgressGateway>(Gateway("ipPools: [{ name: a }], egressGatewayFailureDetection: { "
            + "icmpProbe: { ips: [192.0.2.1, '2001:db8::1'], intervalSeconds: 2 }, httpProbe: { urls: ['https://a.example/'] } }")).Probes;
        Assert.Equal(
            [
                new(EgressProbeKind.Icmp, ["192.0.2.1", "2001:db8::1"], TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(15)),
                new(EgressProbeKind.Http, ["https://a.example/"], TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30)),
            ],
            probes);
        Assert.Empty(Manifest.One<EgressGateway>(
            Gateway("ipPools: [{ name: a }], egressGatewayFailureDetection: { httpProbe: { urls: [] } }")).Probes);
    }

    [Theory]
    [InlineData("icmpProbe: { ips: [192.0.2.1], timeoutSeconds: 5 }", "icmpProbe", 10)]
    [InlineData("httpProbe: { urls: ['http://a'], intervalSeconds: 60 }", "httpProbe", 90)]
    public void A_silence_that_is_shorter_than_from_question_to_question_counts_from_the_next_one(string probe, string named, int seconds)
    {
        var read = Assert.Single(Manifest.Read(Gateway(
            $"ipPools: [{{ name: a }}], egressGatewayFailureDetection: {{ {probe} }}")).Definitions);
        Assert.Equal(seconds, Assert.Single(Assert.IsType<EgressGateway>(read.Value).Probes).Timeout.TotalSeconds);
        var problem = Assert.Single(read.Problems);
        Assert.Equal(($"spec.egressGatewayFailureDetection.{named}.timeoutSeconds", ProblemSeverity.Warning),
            (problem.Field, problem.Severity));
    }

    [Fact]
    public void A_policy_has_a_rule_for_each_destination()
    {
        var policy = Manifest.One<EgressGatewayPolicy>(Policy("{ destination: { cidr: 10.0.0.0/8 }, description: home }, "
            + "{ gateway: { selector: \"code == 'red'\", namespaceSelector: all(), maxNextHops: 2 }, "
            + "gatewayPreference: PreferNodeLocal }"));
        Assert.Equal(["10.0.0.0/8", ""], policy.Rules.Select(rule => rule.Destination?.ToString() ?? ""));
        Assert.Equal([null, 2], policy.Rules.Select(rule => rule.Gateway?.MaxNextHops));
    }

    [Theory]
    [InlineData("", "spec.rules")]
    [InlineData("{ description: nothing }", "spec.rules[0]")]
    [InlineData("{ destination: { cidr: 10.0.0.0/8 } }, { destination: { cidr: 10.0.0.0/8 } }", "spec.rules[1].destination")]
    [InlineData("{ destination: { cidr: 0.0.0.0/0 } }, { " + Choice + " }", "spec.rules[1].destination")]
    [InlineData("{ gateway: { selector: all() } }", "spec.rules[0].gateway.namespaceSelector")]
    [InlineData("{ gateway: { namespaceSelector: all(), selector: '' } }", "spec.rules[0].gateway.selector")]
    [InlineData("{ gateway: { namespaceSelector: all(), selector: 'a =' } }", "spec.rules[0].gateway.selector")]
    [InlineData("{ gateway: { namespaceSelector: all(), selector: all(), maxNextHops: -1 } }", "spec.rules[0].gateway.maxNextHops")]
    [InlineData("{ " + Choice + ", gatewayPreference: Local }", "spec.rules[0].gatewayPreference")]
    [InlineData("{ destination: { cidr: 10.0.0.1/8 } }", "spec.rules[0].destination.cidr")]
    [InlineData("{ " + Choice + ", unknown: 1 }", "spec.rules[0].unknown")]
    public void A_policy_is_refused_for(string rules, params string[] fields) => Refused(Policy(rules), fields);

    [Fact]
    public void An_external_network_has_a_table_and_a_gateway_may_name_one()
    {
        var read = Assert.Single(Manifest.Read(Manifest.Calico("ExternalNetwork", "routeTableIndex: 500")).Definitions);
        Assert.Equal(500, Assert.IsType<ExternalNetwork>(read.Value).RouteTable);
        Assert.Empty(read.Problems);
        foreach (var table in (int[])[0, 253, 254, 255, 700_001, 700_005, 765_535])
            Refused(Manifest.Calico("ExternalNetwork", $"routeTableIndex: {table}"), "spec.routeTableIndex");
        foreach (var table in (int[])[1, 252, 256, 700_000, 765_536])
            Assert.Equal(table, Manifest.One<ExternalNetwork>(Manifest.Calico("ExternalNetwork", $"routeTableIndex: {table}")).RouteTable);
        Refused(Manifest.Calico("ExternalNetwork", "x: 1"), "spec.routeTableIndex");
        Assert.Equal("lab", Manifest.One<EgressGateway>(Gateway("ipPools: [{ name: a }], externalNetworks: [lab]")).ExternalNetwork);
        Assert.Null(Manifest.One<EgressGateway>(Gateway("ipPools: [{ name: a }]")).ExternalNetwork);
    }

    [Theory]
    [InlineData("a: b", null)]
    [InlineData("egress.projectcalico.org/egressGatewayPolicy: p", "policy p")]
    [InlineData("egress.projectcalico.org/selector: code == 'red'", "code == 'red' in its own, 0")]
    [InlineData("egress.projectcalico.org/selector: code == 'red', egress.projectcalico.org/namespaceSelector: all(), "
        + "egress.projectcalico.org/maxNextHops: '2'", "code == 'red' in all(), 2")]
    public void Annotations_say_which_gateways(string annotations, string? expected)
    {
        var pod = Manifest.One<Pod>(Pod(annotations));
        Assert.Equal(expected, Words(pod.Egress));
        Assert.Equal(expected, Words(pod.Endpoint("cali")!.Egress));
        Assert.Equal(expected, Words(Manifest.One<KubernetesNamespace>(
            $"{{ apiVersion: v1, kind: Namespace, metadata: {{ name: n, annotations: {{ {annotations} }} }} }}").Egress));
    }

    private static string? Words(EgressWish? wish) => wish == null ? null : wish.Policy is { } policy ? $"policy {policy}"
        : $"{wish.Gateway!.Gateways} in {wish.Gateway.Namespaces?.ToString() ?? "its own"}, {wish.Gateway.MaxNextHops}";

    [Theory]
    [InlineData("egress.projectcalico.org/selector: 'code ='", "egress.projectcalico.org/selector")]
    [InlineData("egress.projectcalico.org/selector: all(), egress.projectcalico.org/namespaceSelector: '('",
        "egress.projectcalico.org/namespaceSelector")]
    [InlineData("egress.projectcalico.org/selector: all(), egress.projectcalico.org/maxNextHops: many",
        "egress.projectcalico.org/maxNextHops")]
    [InlineData("egress.projectcalico.org/selecter: code == 'red'", "egress.projectcalico.org/selecter")]
    [InlineData("egress.projectcalico.org/egressgatewaypolicy: p", "egress.projectcalico.org/egressgatewaypolicy")]
    [InlineData("egress.projectcalico.org/Selector: all(), egress.projectcalico.org/namespaceSelector: all()",
        "egress.projectcalico.org/Selector")]
    [InlineData("egress.projectcalico.org/selector: '', egress.projectcalico.org/gatewayPolicy: p",
        "egress.projectcalico.org/gatewayPolicy")]
    [InlineData("egress.projectcalico.org/namespaceSelector: all()", "egress.projectcalico.org/namespaceSelector")]
    [InlineData("egress.projectcalico.org/maxNextHops: '1'", "egress.projectcalico.org/maxNextHops")]
    public void A_wrong_annotation_is_a_problem_of_the_pod_that_stays_what_it_is(string annotations, string named)
    {
        var read = Assert.Single(Manifest.Read(Pod(annotations)).Definitions);
        var pod = Assert.IsType<Pod>(read.Value);
        Assert.StartsWith($"annotation {named}: ", pod.Egress!.Problem, StringComparison.Ordinal);
        Assert.Equal("[10.0.0.1/32]", pod.Nets.ToString());
        var problem = Assert.Single(read.Problems);
        Assert.Equal(($"metadata.annotations.{named}", ProblemSeverity.Warning), (problem.Field, problem.Severity));
    }

    /// <summary>Whoever has these alone leaves as if he had none, and is told.</summary>
    [Theory]
    [InlineData("egress.projectcalico.org/selector: ''", "selector", "is empty, which chooses no gateway and has no effect")]
    [InlineData("egress.projectcalico.org/selector: '', egress.projectcalico.org/namespaceSelector: all()", "selector",
        "is empty, which chooses no gateway and has no effect")]
    public void What_chooses_no_gateway_is_warned_of(string annotations, string named, string reason)
    {
        foreach (var manifest in (string[])[Pod(annotations),
            $"{{ apiVersion: v1, kind: Namespace, metadata: {{ name: n, annotations: {{ {annotations} }} }} }}"])
        {
            var read = Assert.Single(Manifest.Read(manifest).Definitions);
            Assert.Null(read.Value is Pod pod ? pod.Egress : Assert.IsType<KubernetesNamespace>(read.Value).Egress);
            var problem = Assert.Single(read.Problems);
            Assert.Equal(($"metadata.annotations.egress.projectcalico.org/{named}", reason, ProblemSeverity.Warning),
                (problem.Field, problem.Reason, problem.Severity));
        }
    }

    [Theory]
    [InlineData("egress.projectcalico.org/egressGatewayPolicy: p, egress.projectcalico.org/maxnexthops: '1'",
        "egress.projectcalico.org/maxnexthops")]
    [InlineData("egress.projectcalico.org/selector: all(), egress.projectcalico.org/namespaceselector: all()",
        "egress.projectcalico.org/namespaceselector")]
    [InlineData("egress.projectcalico.org/gatewayMaintenanceGatewayIP: 10.0.0.1, other.org/selector: a", null)]
    [InlineData("egress.projectcalico.org/externalNetworkNames: '[\"lab\"]'", null)] // on gateways
    public void A_misspelt_annotation_beside_one_that_chooses_is_warned_of_with_those_that_are_known(string annotations, string? named)
    {
        var read = Assert.Single(Manifest.Read(Pod(annotations)).Definitions);
        Assert.Equal((named != null, null), (Assert.IsType<Pod>(read.Value).Egress != null, ((Pod)read.Value!).Egress?.Problem));
        var problems = read.Problems;
        Assert.Equal(named is { } one ? [$"metadata.annotations.{one}"] : [], problems.Select(problem => problem.Field));
        Assert.All(problems, problem => Assert.Contains("egress.projectcalico.org/egressGatewayPolicy", problem.Reason,
            StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("GatewayIP: 10.0.0.1", "10.0.0.1 from  until ")]
    [InlineData("GatewayIP: '2001:db8::1', StartedTimestamp: '2026-01-31T12:00:00Z', FinishedTimestamp: '2026-01-31T13:00:30.5+01:00'",
        "2001:db8::1 from 2026-01-31T12:00:00.0000000+00:00 until 2026-01-31T12:00:30.5000000+00:00")]
    [InlineData("StartedTimestamp: '2026-01-31T12:00:00Z'", null)]
    [InlineData("GatewayIP: ''", null)]
    public void A_pod_may_be_told_of_a_gateways_maintenance(string annotations, string? expected)
    {
        var pod = Manifest.One<Pod>(Pod(Maintenance(annotations)));
        Assert.Equal(expected, Words(pod.Maintenance));
        Assert.Equal(expected, Words(pod.Endpoint("cali")!.Maintenance));
    }

    [Theory]
    [InlineData("GatewayIP: egw-1", "GatewayIP")]
    [InlineData("GatewayIP: 10.0.0.1, StartedTimestamp: soon", "StartedTimestamp")]
    [InlineData("GatewayIP: 10.0.0.1, FinishedTimestamp: '2026-01-31'", "FinishedTimestamp")]
    public void A_maintenance_that_cannot_be_read_is_warned_of_and_has_no_effect(string annotations, string named)
    {
        var read = Assert.Single(Manifest.Read(Pod(Maintenance(annotations))).Definitions);
        Assert.Null(Assert.IsType<Pod>(read.Value).Maintenance);
        var problem = Assert.Single(read.Problems);
        Assert.Equal(($"metadata.annotations.egress.projectcalico.org/gatewayMaintenance{named}", ProblemSeverity.Warning),
            (problem.Field, problem.Severity));
        Assert.Contains("has no effect", problem.Reason, StringComparison.Ordinal);
    }

    private static string Maintenance(string annotations) => string.Join(", ",
        annotations.Split(", ").Select(one => "egress.projectcalico.org/gatewayMaintenance" + one));

    private static string? Words(EgressMaintenance? said) => said == null ? null
        : $"{said.Gateway} from {said.Started?.ToUniversalTime():O} until {said.Finished?.ToUniversalTime():O}";

    [Fact]
    public void A_pod_of_the_hosts_own_network_has_no_gateway() =>
        Assert.Null(Manifest.One<Pod>(Pod("egress.projectcalico.org/selector: all()", "hostNetwork: true")).Egress);

    private static void Refused(string manifest, params string[] fields)
    {
        var definition = Assert.Single(Manifest.Read(manifest).Definitions);
        Assert.Null(definition.Value);
        Assert.Equal(fields, definition.Problems.Where(one => one.Severity == ProblemSeverity.Error).Select(one => one.Field));
    }
}
