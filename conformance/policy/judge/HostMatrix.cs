namespace Calico.Bgp.Conformance.Policy;

/// <summary>C.3: which flow meets which program, of a host endpoint by name and of one for all interfaces.</summary>
internal static class HostMatrix
{
    /// <summary>A letter for each of <see cref="Columns"/>: e by a named endpoint alone, * by one for all alone, b by both, Y a
    /// pod's.</summary>
    private static readonly (string Flow, string From, string To, bool IsCalled, string Cells)[] Rows =
    [
        // untracked in, preDNAT, forward-in, pod egress, pod ingress, forward-out, normal-in, normal-out, untracked out
        ("outside to a process of the host", "outside", "node1", false, "eb....b.."),
        ("outside to a service's pod here", "outside", "red/b", true, "ebb.Y...."),
        ("outside to a service's pod on another node", "outside", "red/far", true, "ebb..b..."),
        ("outside to a pod's address", "outside", "red/a", false, "ebb.Y...."),
        ("from one host interface to another", "outside", "behind", false, "ebb..b..."),
        ("a pod to outside", "red/a", "outside", false, ".*.Y.b..."),
        ("a pod to another pod here", "red/a", "red/b", false, ".*.YY...."),
        ("a pod to a service's pod here", "red/a", "red/b", true, ".*.YY...."),
        ("a pod to its own host", "red/a", "node1", false, ".*.Y....."),
        ("a pod to a service of a process of this host", "red/a", "node1", true, ".*.Y....."),
        ("the host to outside", "node1", "outside", false, ".......be"),
        ("the host to a pod here", "node1", "red/a", false, "........."),
        ("the host to a service's pod on another node", "node1", "red/far", true, ".......be"),
    ];

    public static readonly Program[] Columns =
    [
        Program.UntrackedIn, Program.PreDnat, Program.ForwardIn, Program.PodEgress, Program.PodIngress, Program.ForwardOut,
        Program.NormalIn, Program.NormalOut, Program.UntrackedOut,
    ];

    public const int Port = 8080, Called = 80;

    public static readonly PodPlace[] Pods = [new("red", "a"), new("red", "b"), new("red", "far", 2)];

    /// <summary>Services before the pods and the host of the rows.</summary>
    public static void AddServices(Town town) => town.Services.AddRange([
        new("b", "10.96.0.10", "fd96::10", Called, town["red/b"], Port),
        new("far", "10.96.0.11", "fd96::11", Called, town["red/far"], Port),
        new("host", "10.96.0.12", "fd96::12", Called, town["node1"], Port),
    ]);

    /// <summary>Every row as a probe, with what a program of that column says no to.</summary>
    public static IEnumerable<(string Flow, Probe Probe, Func<Program, bool, bool> Meets)> Flows(Town town, int protocol, bool isIPv6) =>
        from row in Rows
        let service = row.IsCalled ? town.Services.Find(service => service.Behind == town[row.To])! : null
        let to = service?.Address(isIPv6) ?? town[row.To].Address(isIPv6)
        let probe = new Probe(town[row.From], town[row.From].Address(isIPv6), to, protocol)
        {
            Port = service?.Port ?? Port,
        }
        select (row.Flow, probe, (Func<Program, bool, bool>)((program, isNamed) =>
            row.Cells[Array.IndexOf(Columns, program)] switch
            {
                'e' => isNamed,
                '*' => !isNamed,
                'b' or 'Y' => true,
                _ => false,
            }));

    /// <summary>Host endpoints that allow all by their profile, by the interfaces' names or for all of them.</summary>
    public static string HostEndpoints(bool isNamed, string profiles = "projectcalico-default-allow") =>
        string.Concat((isNamed ? new[] { "eth0", "eth1" } : ["*"]).Select(link => $$"""
            ---
            apiVersion: projectcalico.org/v3
            kind: HostEndpoint
            metadata: { name: "host-{{(link == "*" ? "all" : link)}}", labels: { host: endpoint } }
            spec: { node: node1, interfaceName: "{{link}}", profiles: [{{profiles}}] }

            """));

    /// <summary>A policy that says no in one program, and nothing in any other.</summary>
    public static string Deny(Program program)
    {
        // A forwarded packet's policy is asked by the host's own programs, too: there it allows.
        const string Host = "172.20.0.1/32, 10.50.0.254/32", Host6 = "\"fd20::1/128\", \"fd50::fe/128\"";
        var (isIn, more, isPods) = program switch
        {
            Program.UntrackedIn => (true, ", doNotTrack: true, applyOnForward: true", false),
            Program.UntrackedOut => (false, ", doNotTrack: true, applyOnForward: true", false),
            Program.PreDnat => (true, ", preDNAT: true, applyOnForward: true", false),
            Program.ForwardIn => (true, ", applyOnForward: true", false),
            Program.ForwardOut => (false, ", applyOnForward: true", false),
            Program.NormalIn => (true, "", false),
            Program.NormalOut => (false, "", false),
            Program.PodEgress => (false, "", true),
            _ => (true, "", true),
        };
        var own = isIn ? "destination" : "source";
        var rules = program is Program.ForwardIn or Program.ForwardOut
            ? $$"""[{{Allow(Host)}}, {{Allow(Host6)}}, { action: Deny }]"""
            : "[{ action: Deny }]";
        string Allow(string nets) => $$"""{ action: Allow, {{own}}: { nets: [{{nets}}] } }""";
        return $$"""
            ---
            apiVersion: projectcalico.org/v3
            kind: GlobalNetworkPolicy
            metadata: { name: deny }
            spec:
              { selector: "{{(isPods ? "app == 'a' || app == 'b'" : "host == 'endpoint'")}}"{{more}},
                types: [{{(isIn ? "Ingress" : "Egress")}}], {{(isIn ? "ingress" : "egress")}}: {{rules}} }

            """;
    }
}
