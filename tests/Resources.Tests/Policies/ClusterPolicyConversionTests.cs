using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Tests.Policies;

/// <summary>ClusterNetworkPolicy and what it was called before (calico-policy-nat.md section 2.8).</summary>
public class ClusterPolicyConversionTests
{
    private const string Ns = "projectcalico.org/namespace", K8s = "projectcalico.org/orchestrator == 'k8s'";
    private const string Everywhere = "tier: Admin, priority: 7, subject: { namespaces: {} }";

    private static string Policy(string spec, string kind = "ClusterNetworkPolicy", string version = "v1alpha2") =>
        $"{{ apiVersion: policy.networking.k8s.io/{version}, kind: {kind}, metadata: {{ name: default }}, spec: {{ {spec} }} }}";

    private static PolicySpec One(string spec) => Manifest.One<ClusterNetworkPolicy>(Policy(spec)).Spec;

    [Theory]
    [InlineData("tier: Admin, priority: 0, subject: { namespaces: {} }", "kube-admin", 0, $"({K8s} && has({Ns}))")]
    [InlineData("tier: Baseline, priority: 1000, subject: { namespaces: { matchLabels: { t: x } } }", "kube-baseline", 1000,
        $"({K8s} && pcns.t == 'x')")]
    [InlineData("tier: Admin, priority: 3, subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { a: x } } } }",
        "kube-admin", 3, $"(has({Ns}) && {K8s} && a == 'x')")]
    public void It_applies_to(string spec, string tier, double order, string selector)
    {
        var policy = One(spec);
        Assert.Equal((tier, order, selector, true), (policy.Tier, policy.Order, policy.AppliesTo.ToString(), policy.WorkloadsOnly));
        Assert.Equal((PolicyTypes)0, policy.Types);
    }

    [Theory]
    [InlineData("{ action: Accept, from: [{ namespaces: {} }] }", $"Allow from <({K8s} && has({Ns}))>")]
    [InlineData("{ action: Pass, from: [{ namespaces: { matchLabels: { t: x } } }] }", $"Pass from <({K8s} && pcns.t == 'x')>")]
    [InlineData("{ action: Deny, from: [{ pods: { namespaceSelector: {}, podSelector: {} } }] }", $"Deny from <(has({Ns}) && {K8s})>")]
    [InlineData("{ action: Accept, name: dns, from: [{ namespaces: {} }], protocols: [{ udp: { destinationPort: { number: 53 } } }, "
        + "{ tcp: { destinationPort: { range: { start: 53, end: 54 } } } }] }",
        $"Allow proto 6 from <({K8s} && has({Ns}))> to ports [53:54]", $"Allow proto 17 from <({K8s} && has({Ns}))> to ports [53]")]
    [InlineData("{ action: Accept, from: [{ namespaces: {} }], protocols: [{ sctp: {} }] }",
        $"Allow proto 132 from <({K8s} && has({Ns}))>")]
    [InlineData("{ action: Deny, from: [{ namespaces: {} }], protocols: [{ destinationNamedPort: web }, "
        + "{ tcp: { destinationPort: { number: 80 } } }] }",
        $"Deny from <({K8s} && has({Ns}))> to ports [web]", $"Deny proto 6 from <({K8s} && has({Ns}))> to ports [80]")]
    public void An_ingress_rule_is(string rule, params string[] said)
    {
        var policy = One($"{Everywhere}, ingress: [{rule}]");
        Assert.Equal(said, policy.Ingress.Select(RuleText.Of));
        Assert.Equal(PolicyTypes.Ingress, policy.Types);
    }

    [Theory]
    [InlineData("{ action: Deny, to: [{ networks: [10.0.0.0/8, '2001:db8::/32'] }] }", "Deny to [10.0.0.0/8, 2001:db8::/32]")]
    [InlineData("{ action: Accept, to: [{ pods: { namespaceSelector: {}, podSelector: {} } }, { networks: [0.0.0.0/0] }] }",
        $"Allow to <(has({Ns}) && {K8s})>", "Allow to [0.0.0.0/0]")]
    public void An_egress_rule_is(string rule, params string[] said)
    {
        var policy = One($"{Everywhere}, egress: [{rule}]");
        Assert.Equal(said, policy.Egress.Select(RuleText.Of));
        Assert.Equal(PolicyTypes.Egress, policy.Types);
    }

    [Theory]
    [InlineData("action: ACTION, from: []", "ingress[0].from")]
    [InlineData("action: ACTION, from: [{}]", "ingress[0].from[0]")]
    [InlineData("action: ACTION, from: [{ networks: [10.0.0.0/8] }]", "ingress[0].from[0]", "ingress[0].from[0].networks")]
    [InlineData("action: ACTION, from: [{ namespaces: {}, pods: { namespaceSelector: {}, podSelector: {} } }]", "ingress[0].from[0]")]
    [InlineData("action: ACTION, from: [{ namespaces: {} }], protocols: [{ icmp: {} }]",
        "ingress[0].protocols[0].icmp", "ingress[0].protocols[0]")]
    [InlineData("action: ACTION, from: [{ namespaces: {} }], protocols: [{ tcp: { destinationPort: {} } }]",
        "ingress[0].protocols[0].tcp.destinationPort")]
    [InlineData("action: ACTION, from: [{ namespaces: {} }], protocols: [{ tcp: { destinationPort: { range: { start: 9, end: 8 } } } }]",
        "ingress[0].protocols[0].tcp.destinationPort.range.end")]
    [InlineData("action: ACTION, from: [{ namespaces: { matchLabels: { 'a b': x } } }]", "ingress[0].from[0].namespaces.matchLabels.a b")]
    [InlineData("action: ACTION, from: [{ namespaces: {} }], ports: []", "ingress[0].ports")]
    public void A_rule_that_cannot_be_read_fails_closed_and_warnings_say_so(string rule, params string[] fields)
    {
        foreach (var (action, left) in new[] { ("Accept", ""), ("Deny", "Deny"), ("Pass", "Deny") })
        {
            var yaml = Policy($"{Everywhere}, ingress: [{{ {rule.Replace("ACTION", action, StringComparison.Ordinal)} }}]");
            var definition = Assert.Single(Manifest.Read(yaml).Definitions);
            var spec = Assert.IsType<ClusterNetworkPolicy>(definition.Value).Spec;
            Assert.Equal(left, string.Join(", ", spec.Ingress.Select(RuleText.Of)));
            Assert.Equal(fields.Select(field => $"spec.{field}").Order(), definition.Problems.Select(problem => problem.Field).Order());
            Assert.All(definition.Problems, problem => Assert.Equal(ProblemSeverity.Warning, problem.Severity));
            var consequence = action == "Accept" ? ": the rule accepts nothing" : ": the rule denies everything instead";
            Assert.All(definition.Problems, problem => Assert.EndsWith(consequence, problem.Reason, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void What_nothing_here_can_match_fails_closed_with_the_reason()
    {
        var definition = Assert.Single(Manifest.Read(
            Policy($"{Everywhere}, egress: [{{ action: Deny, to: [{{ domainNames: ['*.example.org'] }}] }}]")).Definitions);
        Assert.Equal("Deny", RuleText.Of(((ClusterNetworkPolicy)definition.Value!).Spec.Egress[0]));
        Assert.Equal("can stand in a rule that accepts alone: the rule denies everything instead",
            Assert.Single(definition.Problems).Reason);
        definition = Assert.Single(Manifest.Read(
            Policy($"{Everywhere}, ingress: [{{ action: Allow, from: [{{ namespaces: {{}} }}] }}]")).Definitions);
        Assert.Equal("Deny", RuleText.Of(((ClusterNetworkPolicy)definition.Value!).Spec.Ingress[0]));
        Assert.Equal("spec.ingress[0].action", Assert.Single(definition.Problems).Field);
    }

    [Theory]
    [InlineData("priority: 1, subject: { namespaces: {} }", "spec.tier")]
    [InlineData("tier: Default, priority: 1, subject: { namespaces: {} }", "spec.tier")]
    [InlineData("tier: Admin, subject: { namespaces: {} }", "spec.priority")]
    [InlineData("tier: Admin, priority: 1001, subject: { namespaces: {} }", "spec.priority")]
    [InlineData("tier: Admin, priority: 1", "spec.subject")]
    [InlineData("tier: Admin, priority: 1, subject: {}", "spec.subject")]
    [InlineData("tier: Admin, priority: 1, subject: { namespaces: {}, pods: { namespaceSelector: {}, podSelector: {} } }", "spec.subject")]
    [InlineData("tier: Admin, priority: 1, subject: { pods: { podSelector: {} } }", "spec.subject.pods.namespaceSelector")]
    [InlineData("tier: Admin, priority: 1, subject: { namespaces: {} }, order: 1", "spec.order")]
    public void It_is_refused_for(string spec, string field)
    {
        var definition = Assert.Single(Manifest.Read(Policy(spec)).Definitions);
        Assert.Null(definition.Value);
        Assert.Equal(field, Assert.Single(definition.Problems).Field);
    }

    [Fact]
    public void AdminNetworkPolicy_is_the_same_in_words_of_its_own()
    {
        var policy = Manifest.One<AdminNetworkPolicy>(Policy("priority: 7, subject: { namespaces: {} }, "
            + "ingress: [{ name: a, action: Allow, from: [{ namespaces: {} }], ports: [{ portNumber: { protocol: TCP, port: 80 } }, "
            + "{ portRange: { protocol: UDP, start: 1, end: 9 } }, { namedPort: web }] }], "
            + "egress: [{ action: Pass, to: [{ networks: [10.0.0.0/8] }] }]", "AdminNetworkPolicy", "v1alpha1"));
        Assert.Equal(("adminnetworkpolicy", 7.0), (policy.Spec.Tier, policy.Spec.Order));
        Assert.Equal(
            [$"Allow from <({K8s} && has({Ns}))> to ports [web]", $"Allow proto 6 from <({K8s} && has({Ns}))> to ports [80]",
                $"Allow proto 17 from <({K8s} && has({Ns}))> to ports [1:9]"],
            policy.Spec.Ingress.Select(RuleText.Of));
        Assert.Equal(["Pass to [10.0.0.0/8]"], policy.Spec.Egress.Select(RuleText.Of));
        Assert.All(policy.Spec.Ingress, rule => Assert.Equal("{kubernetes.io/name=a}", rule.Annotations.ToString()));
    }

    [Fact]
    public void BaselineAdminNetworkPolicy_knows_no_Pass_and_no_priority()
    {
        var policy = Manifest.One<BaselineAdminNetworkPolicy>(Policy(
            "subject: { namespaces: {} }, ingress: [{ action: Deny, from: [{ namespaces: {} }] }]",
            "BaselineAdminNetworkPolicy", "v1alpha1"));
        Assert.Equal(("baselineadminnetworkpolicy", null), (policy.Spec.Tier, policy.Spec.Order));
        var definition = Assert.Single(Manifest.Read(Policy(
            "subject: { namespaces: {} }, ingress: [{ action: Pass, from: [{ namespaces: {} }] }]",
            "BaselineAdminNetworkPolicy", "v1alpha1")).Definitions);
        Assert.Equal("spec.ingress[0].action", Assert.Single(definition.Problems).Field);
        Assert.Equal("Deny", RuleText.Of(((BaselineAdminNetworkPolicy)definition.Value!).Spec.Ingress[0]));
    }

    /// <summary>An API server takes no other, and what reads manifests may not enforce what no cluster would.</summary>
    [Fact]
    public void A_BaselineAdminNetworkPolicy_is_called_default_or_is_refused()
    {
        var definition = Assert.Single(Manifest.Read(
            Policy("subject: { namespaces: {} }", "BaselineAdminNetworkPolicy", "v1alpha1").Replace("name: default", "name: mine"))
            .Definitions);
        Assert.Null(definition.Value);
        Assert.Equal("metadata.name: expected the name default, which is the only one there is, got \"mine\"",
            string.Concat(definition.Problems.Select(one => $"{one.Field}: {one.Reason}")));
    }

    [Fact]
    public void Nodes_as_a_peer_fail_closed()
    {
        var definition = Assert.Single(Manifest.Read(Policy("priority: 1, subject: { namespaces: {} }, "
            + "egress: [{ action: Deny, to: [{ nodes: {} }] }]", "AdminNetworkPolicy", "v1alpha1")).Definitions);
        Assert.Equal("spec.egress[0].to[0].nodes", Assert.Single(definition.Problems).Field);
        Assert.Equal("Deny", RuleText.Of(((AdminNetworkPolicy)definition.Value!).Spec.Egress[0]));
    }
}
