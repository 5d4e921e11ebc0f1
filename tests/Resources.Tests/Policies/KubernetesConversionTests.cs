using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Tests.Policies;

/// <summary>Kubernetes' policies as Calico's (calico-policy-nat.md section 2.8), a row for each kind of peer, of port, of
/// mistake.</summary>
public class KubernetesConversionTests
{
    private const string Ns = "projectcalico.org/namespace", K8s = "projectcalico.org/orchestrator == 'k8s'";

    private static string Policy(string spec) =>
        $"{{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{ name: p, namespace: n }}, spec: {{ {spec} }} }}";

    private static KubernetesNetworkPolicy One(string spec) => Manifest.One<KubernetesNetworkPolicy>(Policy(spec));

    [Fact]
    public void It_is_a_policy_of_the_default_tier_for_the_pods_of_its_namespace()
    {
        var policy = One("podSelector: {}");
        Assert.Equal("KubernetesNetworkPolicy/n/p", policy.Id.ToString());
        Assert.Equal(("default", 1000.0, PolicyTypes.Ingress, true, false),
            (policy.Spec.Tier, policy.Spec.Order, policy.Spec.Types, policy.Spec.WorkloadsOnly, policy.IsStaged));
        Assert.Equal($"({Ns} == 'n' && {K8s})", policy.Spec.AppliesTo.ToString());
    }

    [Theory]
    [InlineData("{}", "")]
    [InlineData("{ matchLabels: { b: z, a: x } }", " && a == 'x' && b == 'z'")]
    [InlineData("{ matchExpressions: [{ key: a, operator: In, values: [z, x] }] }", " && a in {'x', 'z'}")]
    [InlineData("{ matchExpressions: [{ key: a, operator: NotIn, values: [x] }] }", " && a not in {'x'}")]
    [InlineData("{ matchExpressions: [{ key: a, operator: Exists }] }", " && has(a)")]
    [InlineData("{ matchLabels: { a: yes } }", " && a == 'true'")]
    [InlineData("{ matchExpressions: [{ key: a, operator: DoesNotExist }] }", " && !has(a)")]
    [InlineData("{ matchLabels: { a: x }, matchExpressions: [{ key: c, operator: Exists }] }", " && a == 'x' && has(c)")]
    public void Its_pods_are_selected_by(string selector, string said) =>
        Assert.Equal($"({Ns} == 'n' && {K8s}{said})", One($"podSelector: {selector}").Spec.AppliesTo.ToString());

    [Theory]
    [InlineData("policyTypes: [Ingress]", PolicyTypes.Ingress)]
    [InlineData("policyTypes: [Egress]", PolicyTypes.Egress)]
    [InlineData("policyTypes: [Egress, Ingress]", PolicyTypes.Ingress | PolicyTypes.Egress)]
    [InlineData("policyTypes: []", PolicyTypes.Ingress)]
    [InlineData("ingress: []", PolicyTypes.Ingress)]
    public void Its_types_are_said_or_ingress_alone(string spec, PolicyTypes types) =>
        Assert.Equal(types, One($"podSelector: {{}}, {spec}").Spec.Types);

    [Fact]
    public void Egress_rules_without_the_type_have_no_effect_and_a_warning_says_so()
    {
        var definition = Assert.Single(Manifest.Read(Policy("podSelector: {}, egress: [{}]")).Definitions);
        Assert.Equal(PolicyTypes.Ingress, ((KubernetesNetworkPolicy)definition.Value!).Spec.Types);
        Assert.Equal(("spec.egress", ProblemSeverity.Warning), (definition.Problems[0].Field, definition.Problems[0].Severity));
    }

    [Theory]
    [InlineData("{}", "Allow")]
    [InlineData("{ from: [] }", "Allow")]
    [InlineData("{ from: [{ podSelector: {} }] }", $"Allow from <({Ns} == 'n' && {K8s})>")]
    [InlineData("{ from: [{ podSelector: { matchLabels: { a: x } } }] }", $"Allow from <({Ns} == 'n' && {K8s} && a == 'x')>")]
    [InlineData("{ from: [{ namespaceSelector: {} }] }", $"Allow from <(has({Ns}) && {K8s})>")]
    [InlineData("{ from: [{ namespaceSelector: { matchLabels: { t: x } } }] }", $"Allow from <(pcns.t == 'x' && {K8s})>")]
    [InlineData("{ from: [{ namespaceSelector: { matchLabels: { t: x } }, podSelector: { matchLabels: { a: z } } }] }",
        $"Allow from <(pcns.t == 'x' && {K8s} && a == 'z')>")]
    [InlineData("{ from: [{ namespaceSelector: {}, podSelector: {} }] }", $"Allow from <(has({Ns}) && {K8s})>")]
    [InlineData("{ from: [{ namespaceSelector: { matchExpressions: [{ key: t, operator: DoesNotExist }] } }] }",
        $"Allow from <(!has(pcns.t) && {K8s})>")]
    [InlineData("{ from: [{ ipBlock: { cidr: 10.0.0.0/8 } }] }", "Allow from [10.0.0.0/8]")]
    [InlineData("{ from: [{ ipBlock: { cidr: 10.1.2.3/8, except: [10.1.0.0/16, 10.2.0.0/16] } }] }",
        "Allow from [10.0.0.0/8] from not [10.1.0.0/16, 10.2.0.0/16]")]
    [InlineData("{ from: [{ ipBlock: { cidr: '2001:db8::/32' }, podSelector: {} }] }", "Allow from [2001:db8::/32]")]
    [InlineData("{ from: [{ ipBlock: { cidr: 0.0.0.0/0 } }, { podSelector: {} }] }", "Allow from [0.0.0.0/0]",
        $"Allow from <({Ns} == 'n' && {K8s})>")]
    public void A_peer_is(string rule, params string[] said)
    {
        Assert.Equal(said, One($"podSelector: {{}}, ingress: [{rule}]").Spec.Ingress.Select(RuleText.Of));
        var egress = rule.Replace("from:", "to:", StringComparison.Ordinal);
        Assert.Equal(said.Select(one => one.Replace("from ", "to ", StringComparison.Ordinal)),
            One($"podSelector: {{}}, policyTypes: [Egress], egress: [{egress}]").Spec.Egress.Select(RuleText.Of));
    }

    [Theory]
    [InlineData("[]", "Allow")]
    [InlineData("[{}]", "Allow proto 6")]
    [InlineData("[{ port: 80 }]", "Allow proto 6 to ports [80]")]
    [InlineData("[{ protocol: UDP, port: 53 }]", "Allow proto 17 to ports [53]")]
    [InlineData("[{ protocol: SCTP }]", "Allow proto 132")]
    [InlineData("[{ port: http }]", "Allow proto 6 to ports [http]")]
    [InlineData("[{ port: 8000, endPort: 8010 }]", "Allow proto 6 to ports [8000:8010]")]
    [InlineData("[{ port: 81 }, { port: 80 }, { port: 82 }, { port: 9090 }]", "Allow proto 6 to ports [80:82, 9090]")]
    [InlineData("[{ port: 80, endPort: 90 }, { port: 85 }, { port: 91 }, { port: 93 }]", "Allow proto 6 to ports [80:91, 93]")]
    [InlineData("[{ port: 80 }, { port: http }, { port: 81 }]", "Allow proto 6 to ports [http, 80:81]")]
    [InlineData("[{ port: 80 }, {}]", "Allow proto 6")]
    [InlineData("[{ protocol: UDP, port: 53 }, { port: 53 }]", "Allow proto 6 to ports [53]", "Allow proto 17 to ports [53]")]
    [InlineData("[{ port: 65535 }, { port: 65534 }]", "Allow proto 6 to ports [65534:65535]")]
    public void Ports_are(string ports, params string[] said)
    {
        Assert.Equal(said, One($"podSelector: {{}}, ingress: [{{ ports: {ports} }}]").Spec.Ingress.Select(RuleText.Of));
        Assert.Equal(said,
            One($"podSelector: {{}}, policyTypes: [Egress], egress: [{{ ports: {ports} }}]").Spec.Egress.Select(RuleText.Of));
    }

    [Fact]
    public void There_is_a_rule_for_each_protocol_and_peer()
    {
        var rules = One("podSelector: {}, ingress: [{ ports: [{ port: 1 }, { protocol: UDP, port: 2 }], "
            + "from: [{ ipBlock: { cidr: 10.0.0.0/8 } }, { ipBlock: { cidr: 11.0.0.0/8 } }] }]").Spec.Ingress;
        Assert.Equal(
            ["Allow proto 6 from [10.0.0.0/8] to ports [1]", "Allow proto 6 from [11.0.0.0/8] to ports [1]",
                "Allow proto 17 from [10.0.0.0/8] to ports [2]", "Allow proto 17 from [11.0.0.0/8] to ports [2]"],
            rules.Select(RuleText.Of));
    }

    [Theory]
    [InlineData("{ ports: [{ port: 0 }] }", "ports[0].port")]
    [InlineData("{ ports: [{ port: A_B }] }", "ports[0].port")]
    [InlineData("{ ports: [{ port: http, endPort: 90 }] }", "ports[0].endPort")]
    [InlineData("{ ports: [{ endPort: 90 }] }", "ports[0].endPort")]
    [InlineData("{ ports: [{ port: 90, endPort: 80 }] }", "ports[0].endPort")]
    [InlineData("{ ports: [{ protocol: ICMP }] }", "ports[0].protocol")]
    [InlineData("{ ports: [{ protcol: TCP }] }", "ports[0].protcol")]
    [InlineData("{ from: [{}] }", "from[0]")]
    [InlineData("{ from: [{ ipBlock: { cidr: 10.0.0.1 } }] }", "from[0].ipBlock.cidr")]
    [InlineData("{ from: [{ ipBlock: {} }] }", "from[0].ipBlock.cidr")]
    [InlineData("{ from: [{ ipBlock: { cidr: 10.0.0.0/8, except: [11.0.0.0/16] } }] }", "from[0].ipBlock.except")]
    [InlineData("{ from: [{ podSelector: { matchExpressions: [{ key: '', operator: Exists }] } }] }",
        "from[0].podSelector.matchExpressions[0].key")]
    [InlineData("{ from: [{ podSelector: { matchExpressions: [{ key: a, operator: Like }] } }] }",
        "from[0].podSelector.matchExpressions[0].operator")]
    [InlineData("{ from: [{ podSelector: { matchExpressions: [{ key: a, operator: In }] } }] }",
        "from[0].podSelector.matchExpressions[0].values")]
    [InlineData("{ from: [{ podSelector: { matchLabels: { a: \"it's\" } } }] }", "from[0].podSelector.matchLabels.a")]
    [InlineData("{ to: [{ podSelector: {} }] }", "to")]
    public void A_rule_that_cannot_be_read_allows_nothing_and_a_warning_says_so(string rule, string field)
    {
        var definition = Assert.Single(Manifest.Read(
            Policy($"podSelector: {{}}, ingress: [{rule}, {{ ports: [{{ port: 443 }}] }}]")).Definitions);
        Assert.Equal(["Allow proto 6 to ports [443]"],
            Assert.IsType<KubernetesNetworkPolicy>(definition.Value).Spec.Ingress.Select(RuleText.Of));
        var problem = Assert.Single(definition.Problems);
        Assert.Equal(($"spec.ingress[0].{field}", ProblemSeverity.Warning), (problem.Field, problem.Severity));
        Assert.EndsWith(": the rule allows nothing", problem.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("podSelector: { matchLabel: { a: x } }", "spec.podSelector.matchLabel")]
    [InlineData("podSelector: { matchLabels: { 'a b': x } }", "spec.podSelector.matchLabels.a b")]
    [InlineData("podSelector: {}, policyTypes: [Both]", "spec.policyTypes[0]")]
    [InlineData("podSelector: {}, order: 5", "spec.order")]
    public void It_is_refused_for(string spec, string field)
    {
        var definition = Assert.Single(Manifest.Read(Policy(spec)).Definitions);
        Assert.Null(definition.Value);
        Assert.Equal(field, Assert.Single(definition.Problems).Field);
    }

    [Fact]
    public void A_staged_one_is_the_same_and_staged()
    {
        var policy = Manifest.One<StagedKubernetesNetworkPolicy>(
            "StagedKubernetesNetworkPolicy", "podSelector: { matchLabels: { a: x } }, ingress: [{}], stagedAction: Learn");
        Assert.Equal((true, StagedAction.Learn, 1000.0), (policy.IsStaged, policy.StagedAction, policy.Spec.Order));
        Assert.Equal($"({Ns} == 'default' && {K8s} && a == 'x')", policy.Spec.AppliesTo.ToString());
        Assert.Equal("Allow", RuleText.Of(policy.Spec.Ingress[0]));
    }
}
