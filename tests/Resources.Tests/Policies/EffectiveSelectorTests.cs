using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Tests.Policies;

/// <summary>What becomes of selectors, namespaces and service accounts (calico-policy-nat.md sections 2.2 and 2.3).</summary>
public class EffectiveSelectorTests
{
    private const string Ns = "projectcalico.org/namespace", Sa = "projectcalico.org/serviceaccount";

    [Theory]
    [InlineData("", $"{Ns} == 'default'")]
    [InlineData("selector: all()", $"{Ns} == 'default'")]
    [InlineData("selector: has(a) || has(b)", $"({Ns} == 'default' && (has(a) || has(b)))")]
    [InlineData("selector: has(a) && has(b)", $"({Ns} == 'default' && has(a) && has(b))")]
    [InlineData("serviceAccountSelector: 'team == \"x\"'", $"({Ns} == 'default' && pcsa.team == 'x')")]
    [InlineData("serviceAccountSelector: all()", $"({Ns} == 'default' && has({Sa}))")]
    public void A_policy_in_a_namespace_applies_to(string spec, string selector)
    {
        var policy = Manifest.One<NetworkPolicy>("NetworkPolicy", spec).Spec;
        Assert.Equal(selector, policy.AppliesTo.ToString());
        Assert.True(policy.WorkloadsOnly);
    }

    [Theory]
    [InlineData("", "all()")]
    [InlineData("selector: has(a)", "has(a)")]
    [InlineData("namespaceSelector: all()", $"has({Ns})")]
    [InlineData("namespaceSelector: 'env == \"prod\"', selector: has(a)", $"(has({Ns}) && pcns.env == 'prod' && has(a))")]
    [InlineData("namespaceSelector: '!has(env)'", $"(has({Ns}) && !has(pcns.env))")]
    [InlineData("serviceAccountSelector: 'team in {\"x\", \"y\"}'", "pcsa.team in {'x', 'y'}")]
    public void A_global_policy_applies_to(string spec, string selector)
    {
        var policy = Manifest.One<GlobalNetworkPolicy>("GlobalNetworkPolicy", spec).Spec;
        Assert.Equal(selector, policy.AppliesTo.ToString());
        Assert.False(policy.WorkloadsOnly);
    }

    // Of each row: the end of the rule; what it is in a policy of the namespace default; what it is in a global policy.
    [Theory]
    [InlineData("nets: [10.0.0.0/8]", "Deny from [10.0.0.0/8]", "Deny from [10.0.0.0/8]")]
    [InlineData("selector: has(a)", $"Deny from <({Ns} == 'default' && has(a))>", "Deny from <has(a)>")]
    [InlineData("selector: all()", $"Deny from <{Ns} == 'default'>", "Deny from <all()>")]
    [InlineData("notSelector: has(a)", $"Deny from <({Ns} == 'default' && !has(a))>", "Deny from not <has(a)>")]
    [InlineData("selector: has(a), notSelector: has(b)", $"Deny from <({Ns} == 'default' && has(a) && !has(b))>",
        "Deny from <(has(a) && !has(b))>")]
    [InlineData("selector: all(), notSelector: has(b)", $"Deny from <({Ns} == 'default' && !has(b))>", "Deny from <!has(b)>")]
    [InlineData("namespaceSelector: all()", $"Deny from <has({Ns})>", $"Deny from <has({Ns})>")]
    [InlineData("namespaceSelector: global()", $"Deny from <!has({Ns})>", $"Deny from <!has({Ns})>")]
    [InlineData("namespaceSelector: global(), selector: has(a)", $"Deny from <(!has({Ns}) && has(a))>",
        $"Deny from <(!has({Ns}) && has(a))>")]
    [InlineData("namespaceSelector: 'env == \"x\" || all()'", $"Deny from <(pcns.env == 'x' || has({Ns}))>",
        $"Deny from <(pcns.env == 'x' || has({Ns}))>")]
    [InlineData("namespaceSelector: 'env == \"x\"', notSelector: has(b)", "Deny from <(pcns.env == 'x' && !has(b))>",
        "Deny from <(pcns.env == 'x' && !has(b))>")]
    [InlineData("serviceAccounts: { names: [y, x] }", $"Deny from <({Ns} == 'default' && {Sa} in {{'x', 'y'}})>",
        $"Deny from <{Sa} in {{'x', 'y'}}>")]
    [InlineData("serviceAccounts: { selector: has(t), names: [x] }, selector: has(a)",
        $"Deny from <({Ns} == 'default' && has(pcsa.t) && {Sa} in {{'x'}} && has(a))>",
        $"Deny from <(has(pcsa.t) && {Sa} in {{'x'}} && has(a))>")]
    [InlineData("serviceAccounts: {}", "Deny", "Deny")]
    [InlineData("services: { name: web, namespace: shop }", "Deny from service shop/web", "Deny from service shop/web")]
    public void An_end_of_a_rule_is_selected_by(string end, string inANamespace, string global)
    {
        var spec = $"ingress: [{{ action: Deny, source: {{ {end} }} }}]";
        Assert.Equal(inANamespace, RuleText.Of(Manifest.One<NetworkPolicy>("NetworkPolicy", spec).Spec.Ingress[0]));
        Assert.Equal(global, RuleText.Of(Manifest.One<GlobalNetworkPolicy>("GlobalNetworkPolicy", spec).Spec.Ingress[0]));
    }

    [Theory]
    [InlineData("protocol: ICMP", "Deny IPv4 proto 1")]
    [InlineData("protocol: ICMPv6, icmp: { type: 128, code: 0 }", "Deny IPv6 proto 58 icmp 128/0")]
    [InlineData("notProtocol: ICMP, ipVersion: 4", "Deny IPv4 not proto 1")]
    [InlineData("notProtocol: ICMP", "Deny not proto 1")]
    [InlineData("notICMP: { type: 8 }", "Deny not icmp 8")]
    [InlineData("protocol: UDPLite", "Deny proto 136")]
    [InlineData("protocol: SCTP, destination: { ports: [80, 8000:8010, http] }", "Deny proto 132 to ports [80, 8000:8010, http]")]
    [InlineData("protocol: '6', source: { notPorts: ['22'] }", "Deny proto 6 from not ports [22]")]
    [InlineData("source: { notNets: [10.0.0.0/8] }, destination: { nets: [0.0.0.0/0] }", "Deny from not [10.0.0.0/8] to [0.0.0.0/0]")]
    [InlineData("metadata: { annotations: { a: b } }", "Deny")]
    public void A_rule_says(string rule, string said) =>
        Assert.Equal(said, RuleText.Of(Manifest.One<GlobalNetworkPolicy>("GlobalNetworkPolicy",
            $"egress: [{{ action: Deny, {rule} }}]").Spec.Egress[0]));

    [Fact]
    public void A_rules_annotations_are_kept() =>
        Assert.Equal("{a=b}", Manifest.One<GlobalNetworkPolicy>("GlobalNetworkPolicy",
            "egress: [{ action: Deny, metadata: { annotations: { a: b } } }]").Spec.Egress[0].Annotations.ToString());

    [Theory]
    [InlineData("", PolicyTypes.Ingress)]
    [InlineData("ingress: [{ action: Deny }]", PolicyTypes.Ingress)]
    [InlineData("egress: [{ action: Deny }]", PolicyTypes.Egress)]
    [InlineData("ingress: [{ action: Deny }], egress: [{ action: Deny }]", PolicyTypes.Ingress | PolicyTypes.Egress)]
    [InlineData("types: [Egress], ingress: [{ action: Deny }]", PolicyTypes.Egress)]
    [InlineData("types: [Egress, Ingress]", PolicyTypes.Ingress | PolicyTypes.Egress)]
    [InlineData("types: []", PolicyTypes.Ingress)]
    public void Types_are_said_or_follow_from_the_rules(string spec, PolicyTypes types) =>
        Assert.Equal(types, Manifest.One<NetworkPolicy>("NetworkPolicy", spec).Spec.Types);

    [Theory]
    [InlineData("projectcalico.org/v3", "default.web", "", "web")]
    [InlineData("crd.projectcalico.org/v1", "default.web", "tier: default", "web")]
    [InlineData("crd.projectcalico.org/v1", "security.web", "tier: security", "security.web")]
    [InlineData("crd.projectcalico.org/v1", "web", "", "web")]
    [InlineData("crd.projectcalico.org/v1", "default.web", "tier: security", "default.web")]
    [InlineData("crd.projectcalico.org/v1", "knp.default.web", "", "knp.default.web")]
    public void A_policy_of_the_default_tier_is_called_as_Calicos_API_calls_it(string api, string stored, string spec, string name)
    {
        var yaml = $"{{ apiVersion: {api}, kind: NetworkPolicy, metadata: {{ name: {stored}, namespace: n }}, spec: {{ {spec} }} }}";
        Assert.Equal($"NetworkPolicy/n/{name}", Assert.Single(Manifest.Read(yaml).Definitions).Id.ToString());
        Assert.Equal(name, Manifest.One<NetworkPolicy>(yaml).Name);
    }

    [Fact]
    public void Policies_of_a_tier_are_asked_by_order_then_by_name()
    {
        AnyNetworkPolicy Policy(string name, string spec, string kind = "GlobalNetworkPolicy") =>
            (AnyNetworkPolicy)Assert.Single(Manifest.Read(Manifest.Calico(kind, spec, name)).Definitions).Value!;
        AnyNetworkPolicy[] policies =
        [
            Policy("a", ""), Policy("b", "order: 10"), Policy("c", "order: -1"), Policy("a", "order: 10"), Policy("a", "", "NetworkPolicy"),
            Policy("z", "order: 10", "NetworkPolicy"), Policy("a-b", "order: 10"),
        ];
        // A dash is lower than a slash; so "a-b" comes before "a".
        Assert.Equal(
            ["c GlobalNetworkPolicy", "a-b GlobalNetworkPolicy", "a GlobalNetworkPolicy", "b GlobalNetworkPolicy", "z NetworkPolicy",
                "a GlobalNetworkPolicy", "a NetworkPolicy"],
            policies.Order(AnyNetworkPolicy.ApplicationOrder).Select(policy => $"{policy.Name} {policy.Kind}"));
    }
}
