using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Tests.Policies;

/// <summary>Each row differs from a good policy in one thing, and names the fields that it is refused for.</summary>
public class PolicyValidationTests
{
    [Theory]
    [InlineData("")]
    [InlineData("selector: all()")]
    [InlineData("tier: security, order: 10.5, selector: 'role == \"db\"', types: [Ingress, Egress]")]
    [InlineData("types: [], ingress: [], egress: []")]
    [InlineData("serviceAccountSelector: 'team == \"a\"', performanceHints: [AssumeNeededOnEveryNode]")]
    [InlineData("ingress: [{ action: Allow }, { action: Deny }, { action: Pass }, { action: Log }]")]
    [InlineData("ingress: [{ action: Allow, metadata: { annotations: { why: because } } }]")]
    public void These_policies_are_good_in_a_namespace_and_without(string spec)
    {
        Assert.NotNull(Manifest.One<NetworkPolicy>("NetworkPolicy", spec).Spec);
        Assert.NotNull(Manifest.One<GlobalNetworkPolicy>("GlobalNetworkPolicy", spec).Spec);
        Assert.True(Manifest.One<StagedNetworkPolicy>("StagedNetworkPolicy", spec).IsStaged);
        Assert.True(Manifest.One<StagedGlobalNetworkPolicy>("StagedGlobalNetworkPolicy", spec).IsStaged);
    }

    [Theory]
    [InlineData("order: first", "spec.order")]
    [InlineData("order: '10'", "spec.order")]
    [InlineData("order: .inf", "spec.order")]
    [InlineData("tier: a.b", "spec.tier")]
    [InlineData("tier: Security", "spec.tier")]
    [InlineData("selector: 'a =='", "spec.selector")]
    [InlineData("selector: global()", "spec.selector")]
    [InlineData("selector: 'has(a) && global()'", "spec.selector")]
    [InlineData("serviceAccountSelector: global()", "spec.serviceAccountSelector")]
    [InlineData("types: [Ingress, Ingress]", "spec.types[1]")]
    [InlineData("types: [ingress]", "spec.types[0]")]
    [InlineData("types: [null]", "spec.types[0]")]
    [InlineData("types: [Ingress, { action: Allow }]", "spec.types[1]")]
    [InlineData("types: Ingress", "spec.types")]
    [InlineData("ingress: { action: Allow }", "spec.ingress")]
    [InlineData("rules: []", "spec.rules")]
    [InlineData("ingres: [{ action: Allow }]", "spec.ingres")]
    public void A_policy_is_refused_for(string spec, params string[] fields)
    {
        Refusals.Refused("NetworkPolicy", spec, fields);
        Refusals.Refused("GlobalNetworkPolicy", spec, fields);
        Refusals.Refused("StagedNetworkPolicy", spec, fields);
        Refusals.Refused("StagedGlobalNetworkPolicy", spec, fields);
    }

    [Theory]
    [InlineData("namespaceSelector: all()", "spec.namespaceSelector")]
    [InlineData("doNotTrack: true", "spec.doNotTrack")]
    [InlineData("preDNAT: true", "spec.preDNAT")]
    [InlineData("applyOnForward: true", "spec.applyOnForward")]
    public void What_global_policies_alone_know_refuses_one_in_a_namespace(string spec, params string[] fields) =>
        Refusals.Refused("NetworkPolicy", spec, fields);

    [Theory]
    [InlineData("preDNAT: true, applyOnForward: true, ingress: [{ action: Deny }]")]
    [InlineData("preDNAT: true, applyOnForward: true, types: [Ingress]")]
    [InlineData("doNotTrack: true, applyOnForward: true, egress: [{ action: Allow }]")]
    [InlineData("applyOnForward: true, namespaceSelector: 'has(a)'")]
    public void These_global_policies_are_good(string spec) =>
        Assert.NotNull(Manifest.One<GlobalNetworkPolicy>("GlobalNetworkPolicy", spec));

    [Theory]
    [InlineData("preDNAT: true, doNotTrack: true, applyOnForward: true", "spec.preDNAT")]
    [InlineData("preDNAT: true", "spec.applyOnForward")]
    [InlineData("preDNAT: true, applyOnForward: false", "spec.applyOnForward")]
    [InlineData("doNotTrack: true", "spec.applyOnForward")]
    [InlineData("preDNAT: true, applyOnForward: true, egress: [{ action: Allow }]", "spec.egress")]
    [InlineData("preDNAT: true, applyOnForward: true, types: [Ingress, Egress]", "spec.types")]
    [InlineData("namespaceSelector: global()", "spec.namespaceSelector")]
    [InlineData("preDNAT: 'true', applyOnForward: true", "spec.preDNAT")]
    public void A_global_policy_is_refused_for(string spec, params string[] fields)
    {
        Refusals.Refused("GlobalNetworkPolicy", spec, fields);
        Refusals.Refused("StagedGlobalNetworkPolicy", spec, fields);
    }

    [Theory]
    [InlineData("protocol: TCP, destination: { ports: [80, '443', 8000:8010, http] }")]
    [InlineData("protocol: 6, source: { notPorts: [1, 65535] }")]
    [InlineData("protocol: '17', source: { ports: [53] }")]
    [InlineData("protocol: SCTP, destination: { notPorts: ['1:65535'] }")]
    [InlineData("protocol: UDPLite")]
    [InlineData("notProtocol: 255")]
    [InlineData("destination: { ports: [http, https] }")]
    [InlineData("protocol: ICMP, icmp: { type: 8, code: 0 }, ipVersion: 4")]
    [InlineData("protocol: ICMPv6, icmp: { type: 254, code: 255 }, ipVersion: 6")]
    [InlineData("protocol: 1, icmp: { type: 8 }")]
    [InlineData("protocol: ICMP, notICMP: { type: 8 }")]
    [InlineData("protocol: ICMP, icmp: {}")]
    [InlineData("source: { nets: [0.0.0.0/0], notNets: [10.0.0.0/8] }, destination: { nets: [192.0.2.0/24] }")]
    [InlineData("ipVersion: 6, source: { nets: ['::/0'], notNets: ['2001:db8::/32'] }")]
    [InlineData("source: { selector: has(a), notSelector: has(b), namespaceSelector: all(), "
        + "serviceAccounts: { names: [x], selector: has(c) } }")]
    [InlineData("source: { namespaceSelector: global() }, destination: { namespaceSelector: ' global( ) ' }")]
    [InlineData("source: { services: { name: web, namespace: shop } }")]
    public void These_rules_are_good(string rule) =>
        Assert.Single(Manifest.One<GlobalNetworkPolicy>("GlobalNetworkPolicy", $"ingress: [{{ action: Allow, {rule} }}]").Spec.Ingress);

    [Theory]
    [InlineData("{}", "action")]
    [InlineData("{ action: allow }", "action")]
    [InlineData("{ action: next-tier }", "action")]
    [InlineData("{ action: Allow, ipVersion: 5 }", "ipVersion")]
    [InlineData("{ action: Allow, protocol: tcp }", "protocol")]
    [InlineData("{ action: Allow, protocol: 0 }", "protocol")]
    [InlineData("{ action: Allow, protocol: 256 }", "protocol")]
    [InlineData("{ action: Allow, notProtocol: any }", "notProtocol")]
    [InlineData("{ action: Allow, icmp: { type: 8 } }", "icmp")]
    [InlineData("{ action: Allow, protocol: TCP, icmp: { type: 8 } }", "icmp")]
    [InlineData("{ action: Allow, protocol: ICMP, icmp: { code: 0 } }", "icmp.code")]
    [InlineData("{ action: Allow, protocol: ICMP, icmp: { type: 255 } }", "icmp.type")]
    [InlineData("{ action: Allow, protocol: ICMP, icmp: { type: -1 } }", "icmp.type")]
    [InlineData("{ action: Allow, protocol: ICMP, icmp: { type: 8, code: 256 } }", "icmp.code")]
    [InlineData("{ action: Allow, protocol: ICMP, notICMP: { code: 1 } }", "notICMP.code")]
    [InlineData("{ action: Allow, protocol: ICMP, ipVersion: 6 }", "ipVersion")]
    [InlineData("{ action: Allow, protocol: ICMPv6, ipVersion: 4 }", "ipVersion")]
    [InlineData("{ action: Allow, notProtocol: ICMPv6, ipVersion: 4 }", "ipVersion")]
    [InlineData("{ action: Allow, http: { methods: [GET] } }", "http")]
    [InlineData("{ action: Allow, source: { domains: [example.org] } }", "source.domains")]
    [InlineData("{ action: Allow, protocol: TCP, port: 80 }", "port")]
    [InlineData("{ action: Allow, source: { net: 10.0.0.0/8 } }", "source.net")]
    [InlineData("{ action: Allow, source: { serviceAccounts: { name: x } } }", "source.serviceAccounts.name")]
    [InlineData("{ action: Allow, protocol: ICMP, icmp: { kind: 8 } }", "icmp.kind")]
    [InlineData("{ action: Allow, source: 10.0.0.0/8 }", "source")]
    [InlineData("{ action: Allow, destination: { ports: [80] } }", "destination.ports")]
    [InlineData("{ action: Allow, destination: { ports: [http, 80] } }", "destination.ports")]
    [InlineData("{ action: Allow, source: { notPorts: [80] } }", "source.notPorts")]
    [InlineData("{ action: Allow, protocol: ICMP, destination: { ports: [http] } }", "destination.ports")]
    [InlineData("{ action: Allow, protocol: UDPLite, destination: { ports: [80] } }", "destination.ports")]
    [InlineData("{ action: Allow, protocol: TCP, destination: { ports: [0] } }", "destination.ports[0]")]
    [InlineData("{ action: Allow, protocol: TCP, destination: { ports: [65536] } }", "destination.ports[0]")]
    [InlineData("{ action: Allow, protocol: TCP, destination: { ports: [80, '90:80'] } }", "destination.ports[1]")]
    [InlineData("{ action: Allow, protocol: TCP, destination: { ports: ['0:80'] } }", "destination.ports[0]")]
    [InlineData("{ action: Allow, protocol: TCP, destination: { ports: [Http] } }", "destination.ports[0]")]
    [InlineData("{ action: Allow, protocol: TCP, destination: { ports: [a-name-that-is-long] } }", "destination.ports[0]")]
    [InlineData("{ action: Allow, protocol: TCP, destination: { ports: [80-90] } }", "destination.ports[0]")]
    [InlineData("{ action: Allow, protocol: TCP, destination: { ports: [null] } }", "destination.ports[0]")]
    [InlineData("{ action: Allow, source: { nets: [10.0.0.1] } }", "source.nets[0]")]
    [InlineData("{ action: Allow, source: { nets: [10.0.0.1/8] } }", "source.nets[0]")]
    [InlineData("{ action: Allow, source: { nets: [10.0.0.0/33] } }", "source.nets[0]")]
    [InlineData("{ action: Allow, source: { nets: [null] } }", "source.nets[0]")]
    [InlineData("{ action: Allow, source: { nets: [10.0.0.0/8, '2001:db8::/32'] } }", "source.nets")]
    [InlineData("{ action: Allow, source: { nets: [10.0.0.0/8] }, destination: { notNets: ['2001:db8::/32'] } }", "destination.notNets")]
    [InlineData("{ action: Allow, ipVersion: 6, source: { nets: [10.0.0.0/8] } }", "source.nets")]
    [InlineData("{ action: Allow, source: { notNets: [0.0.0.0/0] } }", "source.notNets")]
    [InlineData("{ action: Allow, source: { notNets: ['::/0'] } }", "source.notNets")]
    [InlineData("{ action: Allow, source: { selector: global() } }", "source.selector")]
    [InlineData("{ action: Allow, source: { selector: 'a ==' } }", "source.selector")]
    [InlineData("{ action: Allow, source: { notSelector: 'a ==' } }", "source.notSelector")]
    [InlineData("{ action: Allow, source: { namespaceSelector: 'global() || has(a)' } }", "source.namespaceSelector")]
    [InlineData("{ action: Allow, source: { namespaceSelector: '!global()' } }", "source.namespaceSelector")]
    [InlineData("{ action: Allow, source: { serviceAccounts: { selector: 'a ==' } } }", "source.serviceAccounts.selector")]
    [InlineData("{ action: Allow, source: { services: { namespace: a } } }", "source.services.name")]
    [InlineData("{ action: Allow, source: { services: { name: '', namespace: a } } }", "source.services.name")]
    [InlineData("{ action: Allow, source: { services: { name: web } } }", "source.services.namespace")]
    [InlineData("{ action: Allow, destination: { services: { name: web, namespace: a } } }", "destination.services")]
    [InlineData("{ action: Allow, source: { services: { name: web, namespace: a }, selector: has(a) } }", "source.selector")]
    [InlineData("{ action: Allow, source: { services: { name: web, namespace: a }, notSelector: has(a) } }", "source.notSelector")]
    [InlineData("{ action: Allow, source: { services: { name: web, namespace: a }, namespaceSelector: all() } }",
        "source.namespaceSelector")]
    [InlineData("{ action: Allow, source: { services: { name: web, namespace: a }, serviceAccounts: { names: [x] } } }",
        "source.serviceAccounts")]
    [InlineData("{ action: Allow, source: { services: { name: web, namespace: a }, nets: [10.0.0.0/8] } }", "source.nets")]
    [InlineData("{ action: Allow, source: { services: { name: web, namespace: a }, notNets: [10.0.0.0/8] } }", "source.notNets")]
    [InlineData("{ action: Allow, protocol: TCP, source: { services: { name: web, namespace: a }, ports: [80] } }", "source.ports")]
    [InlineData("{ action: Allow, protocol: TCP, source: { services: { name: web, namespace: a }, notPorts: [80] } }", "source.notPorts")]
    [InlineData("{ action: Allow, source: { services: { name: web, namespace: a, port: 80 } } }", "source.services.port")]
    public void A_rule_is_refused_for(string rule, params string[] fields) =>
        Refusals.Refused("GlobalNetworkPolicy", $"ingress: [{rule}]", [.. fields.Select(field => $"spec.ingress[0].{field}")]);

    [Fact]
    public void Of_an_egress_rule_the_destination_may_be_a_service_and_the_source_not()
    {
        var policy = Manifest.One<NetworkPolicy>("NetworkPolicy", "egress: [{ action: Allow, destination: { services: { name: web } } }]");
        Assert.Equal(new ResourceKey("default", "web"), policy.Spec.Egress[0].Destination.Service);
        Refusals.Refused("NetworkPolicy", "egress: [{ action: Allow, source: { services: { name: web } } }]",
            "spec.egress[0].source.services");
    }

    [Theory]
    [InlineData("action: Allow, protocol: TCP, destination: { ports: [LIST] }", 50, "80", "destination.ports")]
    [InlineData("action: Allow, protocol: TCP, source: { notPorts: [LIST] }", 50, "80", "source.notPorts")]
    [InlineData("action: Allow, source: { nets: [LIST] }", 256, "10.0.0.0/8", "source.nets")]
    [InlineData("action: Allow, destination: { notNets: [LIST] }", 256, "10.0.0.0/8", "destination.notNets")]
    public void Lists_of_a_rule_are_limited(string rule, int limit, string item, string field)
    {
        string List(int count) => string.Join(", ", Enumerable.Repeat(item, count));
        string Rule(int count) => $"ingress: [{{ {rule.Replace("LIST", List(count), StringComparison.Ordinal)} }}]";
        Assert.NotNull(Manifest.One<NetworkPolicy>("NetworkPolicy", Rule(limit)));
        Refusals.Refused("NetworkPolicy", Rule(limit + 1), $"spec.ingress[0].{field}");
    }

    [Fact]
    public void A_direction_has_at_most_1024_rules_and_a_selector_1024_characters()
    {
        string Rules(int count) => $"egress: [{string.Join(", ", Enumerable.Repeat("{ action: Allow }", count))}]";
        Assert.Equal(1024, Manifest.One<NetworkPolicy>("NetworkPolicy", Rules(1024)).Spec.Egress.Count);
        Refusals.Refused("NetworkPolicy", Rules(1025), "spec.egress");
        string Selector(int length) => $"a == '{new string('x', length - 7)}'";
        Assert.NotNull(Manifest.One<NetworkPolicy>("NetworkPolicy", $"selector: \"{Selector(1024)}\""));
        Refusals.Refused("NetworkPolicy", $"selector: \"{Selector(1025)}\"", "spec.selector");
        Refusals.Refused("NetworkPolicy", $"ingress: [{{ action: Deny, source: {{ selector: \"{Selector(1025)}\" }} }}]",
            "spec.ingress[0].source.selector");
    }

    [Theory]
    [InlineData("NetworkPolicy", "knp.default.some.thing", true)]
    [InlineData("GlobalNetworkPolicy", "knp.default.some.thing", false)]
    [InlineData("NetworkPolicy", "security.allow-dns", true)]
    [InlineData("GlobalNetworkPolicy", "security.allow-dns", true)]
    [InlineData("NetworkPolicy", "a.b.c", false)]
    [InlineData("GlobalNetworkPolicy", "a.b.c", false)]
    public void A_policys_name_has_its_tier_before_a_dot_or_no_dot(string kind, string name, bool isGood)
    {
        var definition = Assert.Single(Manifest.Read(Manifest.Calico(kind, "", name)).Definitions);
        Assert.Equal(isGood, definition.Value != null);
        Assert.Equal(isGood ? [] : ["metadata.name"], definition.Problems.Select(problem => problem.Field));
    }

    [Fact]
    public void A_match_that_nothing_here_can_make_is_refused_with_the_reason()
    {
        var reason = Refusals.Reason("GlobalNetworkPolicy", "ingress: [{ action: Allow, http: { methods: [GET] } }]");
        Assert.Contains("nothing here sees what HTTP says", reason, StringComparison.Ordinal);
        reason = Refusals.Reason("GlobalNetworkPolicy", "egress: [{ action: Allow, destination: { port: [80] } }]");
        Assert.StartsWith("is not known here, and without it this would mean something else; did you mean \"ports\"?", reason,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stagedAction: Set, selector: has(a)", StagedAction.Set)]
    [InlineData("selector: has(a)", StagedAction.Set)]
    [InlineData("stagedAction: Delete, tier: default", StagedAction.Delete)]
    [InlineData("stagedAction: Learn", StagedAction.Learn)]
    [InlineData("stagedAction: Ignore", StagedAction.Ignore)]
    public void A_staged_policy_says_what_is_to_be_done(string spec, StagedAction action) =>
        Assert.Equal(action, Manifest.One<StagedNetworkPolicy>("StagedNetworkPolicy", spec).StagedAction);

    [Theory]
    [InlineData("StagedNetworkPolicy", "stagedAction: Delete, selector: all()", "spec.selector")]
    [InlineData("StagedGlobalNetworkPolicy", "stagedAction: Delete, order: 1", "spec.order")]
    [InlineData("StagedKubernetesNetworkPolicy", "stagedAction: Delete, podSelector: {}", "spec.podSelector")]
    [InlineData("StagedNetworkPolicy", "stagedAction: Remove", "spec.stagedAction")]
    [InlineData("NetworkPolicy", "stagedAction: Set", "spec.stagedAction")]
    public void A_staged_policy_is_refused_for(string kind, string spec, params string[] fields) => Refusals.Refused(kind, spec, fields);

    [Fact]
    public void A_policy_that_turns_bad_stays_as_it_was_last_good()
    {
        var store = new ResourceStore(1);
        void Apply(string spec) => store.Apply(new(0, [new(new(0, "a.yaml"),
            Manifest.Read(Manifest.Calico("GlobalNetworkPolicy", spec, "a")).Definitions, [])], new() { HasListed = true }));
        Apply("order: 5, ingress: [{ action: Deny }]");
        Apply("order: 6, ingress: [{ action: deny }]");
        Assert.Equal(5, store.Current.Of(Kinds.GlobalNetworkPolicy)["a"]!.Spec.Order);
        Assert.True(store.Current.IsRefused);
    }
}
