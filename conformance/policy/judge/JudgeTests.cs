namespace Calico.Bgp.Conformance.Policy;

/// <summary>The judge held against the reference's tables, before it judges anybody.</summary>
public sealed class JudgeTests
{
    private static readonly Town Town = Made();

    private static Town Made()
    {
        var town = new Town([.. HostMatrix.Pods, new("blue", "c")]);
        HostMatrix.AddServices(town);
        return town;
    }

    private static Verdict Ask(string objects, Probe probe, string felix = "") =>
        new Judge(new(Town.Objects(felix: felix) + objects), "node1", Place.Links).Ask(Town.PacketOf(probe)!);

    private static Probe Tcp(string from, string to, int port) => Of(Protocols.Tcp, from, to, port);

    private static Probe Of(int protocol, string from, string to, int port = 0) =>
        new(Town[from], Town[from].Address(false), Town[to].Address(false), protocol) { Port = port };

    public static TheoryData<Program, bool> Cells
    {
        get
        {
            var cells = new TheoryData<Program, bool>();
            foreach (var program in HostMatrix.Columns)
                foreach (var isNamed in (bool[])[true, false])
                    cells.Add(program, isNamed);
            return cells;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void A_deny_concerns_the_flows_that_meet_its_program(Program program, bool isNamed)
    {
        var objects = HostMatrix.HostEndpoints(isNamed) + HostMatrix.Deny(program);
        foreach (var (flow, probe, meets) in HostMatrix.Flows(Town, Protocols.Udp, isIPv6: false))
            Assert.Equal((flow, !meets(program, isNamed)), (flow, Ask(objects, probe).Passes));
    }

    private static string Endpoint(string more = "") => $$"""
        ---
        apiVersion: projectcalico.org/v3
        kind: HostEndpoint
        metadata: { name: eth0, labels: { k8s-role: node } }
        spec: { node: node1, interfaceName: eth0{{more}} }

        """;

    private static string Global(string name, string spec) => $$"""
        ---
        apiVersion: projectcalico.org/v3
        kind: GlobalNetworkPolicy
        metadata: { name: {{name}} }
        spec: { {{spec}} }

        """;

    private static string Namespaced(string name, string space, string spec) => $$"""
        ---
        apiVersion: projectcalico.org/v3
        kind: NetworkPolicy
        metadata: { name: {{name}}, namespace: {{space}} }
        spec: { {{spec}} }

        """;

    [Fact]
    public void A_host_endpoint_without_policy_closes_the_host_and_not_what_it_forwards()
    {
        Assert.True(Ask(Endpoint(), Tcp("outside", "node1", 22)).Passes);
        Assert.False(Ask(Endpoint(), Tcp("outside", "node1", 8080)).Passes);
        Assert.True(Ask(Endpoint(), Tcp("outside", "red/a", 8080)).Passes);
        Assert.False(Ask(Endpoint(), Tcp("outside", "node1", 22), felix: ", failsafeInboundHostPorts: []").Passes);
    }

    [Fact]
    public void Once_a_policy_is_applied_on_forward_the_tiers_end_denies_there()
    {
        const string Web = "selector: \"has(k8s-role)\", applyOnForward: true, "
            + "ingress: [{ action: Allow, protocol: TCP, destination: { ports: [80] } }]";
        Assert.True(Ask(Endpoint() + Global("web", Web), Tcp("outside", "red/a", 80)).Passes);
        Assert.False(Ask(Endpoint() + Global("web", Web), Tcp("outside", "red/a", 81)).Passes);
        var local = Web.Replace("applyOnForward: true, ", "");
        Assert.True(Ask(Endpoint() + Global("web", local), Tcp("outside", "red/a", 81)).Passes);
        Assert.True(Ask(Endpoint() + Global("web", local), Tcp("outside", "node1", 80)).Passes);
        Assert.False(Ask(Endpoint() + Global("web", local), Tcp("outside", "node1", 81)).Passes);
    }

    [Fact]
    public void A_preDNAT_policy_without_a_deny_denies_nothing()
    {
        const string Listed = "selector: \"k8s-role == 'node'\", preDNAT: true, applyOnForward: true, "
            + "ingress: [{ action: Allow, source: { nets: [203.0.113.0/24] }, destination: { nets: [10.96.0.10/32] } }]";
        const string Rest = "selector: \"k8s-role == 'node'\", preDNAT: true, applyOnForward: true, "
            + "ingress: [{ action: Deny, destination: { nets: [10.96.0.0/16] } }]";
        var (listed, unlisted) = (Service("customer"), Service("outside"));
        Assert.True(Ask(Endpoint() + Global("listed", Listed), unlisted).Passes);
        Assert.False(Ask(Endpoint() + Global("listed", Listed) + Global("z-rest", Rest), unlisted).Passes);
        Assert.True(Ask(Endpoint() + Global("listed", Listed) + Global("z-rest", Rest), listed).Passes);
        // With an order it comes before the one without, whatever its name.
        Assert.False(Ask(Endpoint() + Global("listed", Listed) + Global("z-rest", Rest + ", order: 1000"), listed).Passes);

        static Probe Service(string from) => new(Town[from], Town[from].Address(false), Town.Services[0].Address(false), Protocols.Tcp)
        {
            Port = HostMatrix.Called,
        };
    }

    [Fact]
    public void A_network_set_of_everything_is_everything()
    {
        const string Everything = """
            ---
            apiVersion: projectcalico.org/v3
            kind: GlobalNetworkSet
            metadata: { name: everything, labels: { set: everything } }
            spec: { nets: [0.0.0.0/0] }

            """;
        var deny = Global("deny", "selector: \"app == 'a'\", "
            + "ingress: [{ action: Deny, source: { selector: \"set == 'everything'\" } }, { action: Allow }]");
        Assert.False(Ask(Everything + deny, Tcp("outside", "red/a", 80)).Passes);
        Assert.True(Ask(deny, Tcp("outside", "red/a", 80)).Passes);
    }

    [Fact]
    public void A_set_of_another_namespace_is_matched_where_the_rule_looks_into_it()
    {
        const string Set = """
            ---
            apiVersion: projectcalico.org/v3
            kind: NetworkSet
            metadata: { name: partners, namespace: blue, labels: { set: partners } }
            spec: { nets: [198.51.100.0/24] }

            """;
        const string From = "selector: all(), ingress: [{ action: Allow, source: { selector: \"set == 'partners'\"MORE } }]";
        Assert.False(Ask(Set + Namespaced("p", "red", From.Replace("MORE", "")), Tcp("outside", "red/a", 80)).Passes);
        Assert.True(Ask(Set + Namespaced("p", "red", From.Replace("MORE", ", namespaceSelector: \"team == 'blue'\"")),
            Tcp("outside", "red/a", 80)).Passes);
    }

    [Fact]
    public void Only_what_is_negated_means_the_outside_too()
    {
        var positive = Namespaced("p", "red", "selector: all(), ingress: [{ action: Allow, source: { selector: \"!has(secret)\" } }]");
        Assert.True(Ask(positive, Tcp("red/b", "red/a", 80)).Passes);
        Assert.False(Ask(positive, Tcp("outside", "red/a", 80)).Passes);
        var negative = Global("p", "selector: \"has(app)\", ingress: [{ action: Allow, source: { notSelector: \"has(secret)\" } }]");
        Assert.True(Ask(negative, Tcp("outside", "red/a", 80)).Passes);
        var within = Namespaced("p", "red", "selector: all(), ingress: [{ action: Allow, source: { notSelector: \"has(secret)\" } }]");
        Assert.False(Ask(within, Tcp("outside", "red/a", 80)).Passes);
        Assert.False(Ask(within, Tcp("blue/c", "red/a", 80)).Passes);
        Assert.True(Ask(within, Tcp("red/b", "red/a", 80)).Passes);
    }

    [Fact]
    public void Type_and_code_are_negated_together()
    {
        var not = Namespaced("p", "red",
            "selector: all(), ingress: [{ action: Allow, protocol: ICMP, notICMP: { type: 8, code: 0 } }]");
        Assert.False(Ask(not, Of(Protocols.Icmp, "outside", "red/a")).Passes);
        Assert.True(Ask(not, Of(Protocols.Icmp, "outside", "red/a") with { Icmp = (8, 1) }).Passes);
        Assert.True(Ask(not, Of(Protocols.Icmp, "outside", "red/a") with { Icmp = (13, 0) }).Passes);
    }

    private const string Tiers = """
        ---
        apiVersion: projectcalico.org/v3
        kind: Tier
        metadata: { name: late }
        spec: { order: 200 }
        ---
        apiVersion: projectcalico.org/v3
        kind: Tier
        metadata: { name: early }
        spec: { order: 100, defaultAction: Pass }

        """;

    [Fact]
    public void Tiers_are_asked_in_their_order_and_a_pass_leaves_one()
    {
        const string All = "selector: \"app == 'a'\", types: [Ingress], ";
        Assert.True(Ask(Tiers + Global("early.p", All + "tier: early"), Tcp("outside", "red/a", 80)).Passes);
        Assert.False(Ask(Tiers + Global("late.p", All + "tier: late"), Tcp("outside", "red/a", 80)).Passes);
        Assert.True(Ask(Tiers + Global("early.p", All + "tier: early, ingress: [{ action: Allow }]") + Global("late.p", All + "tier: late"),
            Tcp("outside", "red/a", 80)).Passes);
        Assert.True(Ask(Tiers + Global("late.p", All + "tier: late, ingress: [{ action: Log }, { action: Pass }, { action: Deny }]"),
            Tcp("outside", "red/a", 80)).Passes);
        // What is staged is not there, nor is its tier's end.
        Assert.True(Ask(Tiers + Global("late.p", All + "tier: late").Replace("GlobalNetwork", "StagedGlobalNetwork"),
            Tcp("outside", "red/a", 80)).Passes);
    }

    [Fact]
    public void Kubernetes_own_policies_say_what_their_API_says()
    {
        const string Web = """
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: { name: web, namespace: red }
            spec:
              podSelector: { matchLabels: { app: a } }
              ingress:
              - from: [{ podSelector: {}, namespaceSelector: { matchLabels: { team: blue } } }, { ipBlock: { cidr: 203.0.113.0/24 } }]
                ports: [{ port: 80, endPort: 81 }, { protocol: UDP }]

            """;
        Assert.True(Ask(Web, Tcp("blue/c", "red/a", 81)).Passes);
        Assert.True(Ask(Web, Tcp("customer", "red/a", 80)).Passes);
        Assert.True(Ask(Web, Of(Protocols.Udp, "customer", "red/a", 8080)).Passes);
        Assert.False(Ask(Web, Tcp("customer", "red/a", 443)).Passes);
        Assert.False(Ask(Web, Tcp("red/b", "red/a", 80)).Passes);
        Assert.True(Ask(Web, Tcp("red/a", "outside", 80)).Passes);
        const string Admin = """
            ---
            apiVersion: policy.networking.k8s.io/v1alpha2
            kind: ClusterNetworkPolicy
            metadata: { name: admin }
            spec:
              tier: Admin
              priority: 1
              subject: { namespaces: { matchLabels: { team: red } } }
              ingress:
              - name: no
                action: Deny
                from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: c } } } }]
                protocols: [{ tcp: { destinationPort: { number: 81 } } }]

            """;
        Assert.False(Ask(Web + Admin, Tcp("blue/c", "red/a", 81)).Passes);
        Assert.True(Ask(Web + Admin, Tcp("blue/c", "red/a", 80)).Passes);
        Assert.True(Ask(Admin, Tcp("outside", "red/a", 81)).Passes);
    }

    [Fact]
    public void A_pod_that_nobody_knows_and_a_host_that_may_not_be_asked_are_closed()
    {
        var unknown = new Judge(new(""), "node1", Place.Links).Ask(Town.PacketOf(Tcp("outside", "red/a", 80))!);
        Assert.False(unknown.Passes);
        Assert.False(Ask("", Tcp("red/a", "node1", 80), felix: ", defaultEndpointToHostAction: Drop").Passes);
        Assert.True(Ask("", Tcp("red/a", "node1", 80)).Passes);
    }
}
