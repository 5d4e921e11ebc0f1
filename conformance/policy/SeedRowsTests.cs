using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>C.4, rows 10 to 18: what the seed's objects come to, with packets.</summary>
public sealed class SeedRowsTests : IAsyncLifetime
{
    private static readonly string Eth0 = HostEndpoint("eth0", "k8s-role: node", "interfaceName: eth0");

    private PolicySite site = null!;
    private string objects = "";

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") != null) return;
        site = await PolicySite.MakeAsync(HostMatrix.Pods);
        objects = site.Town.Objects();
        site.Town.Services.AddRange([
            new("near", "10.96.0.10", "fd96::10", 80, site.Town["red/a"], 8080),
            new("far", "10.96.0.11", "fd96::11", 80, site.Town["red/far"], 8080),
            new("local", "10.96.0.12", "fd96::12", 80, site.Town["red/b"], 8080) { IsLocal = true },
        ]);
        site.WriteServices();
        site.Write(objects);
        await site.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task HoldAsync(string more, string rows)
    {
        await site.PutAsync(objects + more);
        await Rows.HoldAsync(site, objects + more, rows);
    }

    /// <summary>The seed's: listed clients to the service's addresses, pods, the node but for its NodePorts, and nodes to pods.</summary>
    private static readonly string Seed = Eth0
        + Global("allow-cluster-ips", "selector: \"k8s-role == 'node'\", types: [Ingress], applyOnForward: true, preDNAT: true, ingress: ["
            + "{ action: Allow, source: { nets: [203.0.113.0/24] }, destination: { nets: [10.96.0.10/32, 10.96.0.11/32, 10.96.0.12/32] } },"
            + "{ action: Allow, source: { nets: [\"2001:db8:1::/64\"] }, destination: { nets: [\"fd96::/112\"] } }]")
        + Global("allow-pods", "selector: \"k8s-role == 'node'\", types: [Ingress], applyOnForward: true, preDNAT: true, ingress: ["
            + "{ action: Allow, destination: { nets: [192.168.0.0/16] } }, { action: Allow, destination: { nets: [\"fd01::/16\"] } }]")
        + Global("allow-node", "selector: \"k8s-role == 'node'\", types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: TCP, destination: { notPorts: [\"30000:32767\"] } }]")
        + Set("nodes", "set: nodes", "172.20.0.1/32, 172.20.0.2/32, \"fd20::1/128\", \"fd20::2/128\"")
        + Global("pods-from-nodes", "selector: \"app == 'far'\", types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: TCP, source: { selector: \"set == 'nodes'\" }, destination: { ports: [80, 443, 8080] } }]");

    private static readonly string Rest = Global("z-deny-cluster-ips",
        "selector: \"k8s-role == 'node'\", types: [Ingress], applyOnForward: true, preDNAT: true, ingress: ["
        + "{ action: Deny, destination: { nets: [10.96.0.0/16] } }, { action: Deny, destination: { nets: [\"fd96::/112\"] } }]");

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task The_seed_alone_lets_everybody_in_and_with_a_trailing_deny_who_is_listed()
    {
        await HoldAsync(Seed, """
            outside service:far tcp/80 arrives as node1
            customer service:far tcp/80 arrives as node1
            outside service:near tcp/80 arrives
            outside node1 tcp/8080 arrives
            outside node1 udp/8080 nothing
            """);
        await HoldAsync(Seed + Rest, """
            outside service:far tcp/80 nothing
            outside service:near udp/80 nothing
            customer service:far tcp/80 arrives as node1
            customer service:near tcp/80 arrives
            outside red/a tcp/80 arrives
            """);
        // With an order it comes before those that have none, whatever its name.
        await HoldAsync(Seed + Rest.Replace("types: [Ingress]", "order: 1000, types: [Ingress]"), """
            outside service:far tcp/80 nothing
            customer service:far tcp/80 nothing
            """);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task With_local_traffic_the_pod_is_asked_about_the_client_itself()
    {
        var fromNodes = Global("local", "selector: \"app == 'b'\", types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: TCP, source: { selector: \"set == 'nodes'\" }, destination: { ports: [8080] } }]");
        await HoldAsync(Seed + Rest + fromNodes, "customer service:local tcp/80 nothing");
        var fromClients = Global("local", "selector: \"app == 'b'\", types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: TCP, source: { nets: [203.0.113.0/24] }, destination: { ports: [8080] } },"
            + "{ action: Allow, protocol: TCP, source: { nets: [\"2001:db8:1::/64\"] }, destination: { ports: [8080] } }]");
        await HoldAsync(Seed + Rest + fromClients, """
            customer service:local tcp/80 arrives as customer
            outside service:local tcp/80 nothing
            outside red/b tcp/8080 nothing
            """);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_host_endpoint_closes_the_host_and_policy_on_forward_what_it_forwards()
    {
        await HoldAsync(Eth0, """
            outside node1 tcp/22 arrives
            outside node1 tcp/8080 nothing
            outside node1 icmp nothing
            node1 outside tcp/8080 nothing
            outside red/a tcp/8080 arrives
            outside behind tcp/8080 arrives
            red/a outside udp/80 arrives
            node1 red/a tcp/80 arrives
            behind node1 tcp/80 arrives
            """);
        const string Web = "selector: \"has(k8s-role)\", types: [Ingress], applyOnForward: true, "
            + "ingress: [{ action: Allow, protocol: TCP, destination: { ports: [80] } }]";
        await HoldAsync(Eth0 + Global("web", Web), """
            outside red/a tcp/80 arrives
            outside red/a tcp/81 nothing
            outside node1 tcp/80 arrives
            outside node1 tcp/81 nothing
            outside behind tcp/81 nothing
            red/a outside tcp/81 arrives
            """);
        await HoldAsync(Eth0 + Global("web", Web.Replace("applyOnForward: true", "applyOnForward: false")), """
            outside red/a tcp/81 arrives
            outside node1 tcp/80 arrives
            outside node1 tcp/81 nothing
            """);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_is_not_tracked_is_allowed_in_both_directions_or_unanswered()
    {
        var request = Global("dns-in", "selector: \"has(k8s-role)\", types: [Ingress], doNotTrack: true, applyOnForward: true, "
            + "ingress: [{ action: Allow, protocol: UDP, destination: { ports: [8080] } }]");
        await HoldAsync(Eth0 + request, """
            outside node1 udp/8080 asks
            outside node1 udp/81 nothing
            """);
        var answer = Global("dns-out", "selector: \"has(k8s-role)\", types: [Egress], doNotTrack: true, applyOnForward: true, "
            + "egress: [{ action: Allow, protocol: UDP, source: { ports: [8080] } }]");
        await HoldAsync(Eth0 + request + answer, "outside node1 udp/8080 arrives");
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_set_of_everything_denies_everybody_and_a_foreign_namespaces_set_nobody()
    {
        const string Deny = "selector: \"app == 'a'\", types: [Ingress], "
            + "ingress: [{ action: Deny, source: { selector: \"set == 'everything'\" } }, { action: Allow }]";
        await HoldAsync(Set("everything", "set: everything", "0.0.0.0/0") + Global("deny", Deny), """
            4 outside red/a tcp/80 nothing
            4 red/b red/a udp/80 nothing
            4 node1 red/a tcp/80 arrives
            6 outside red/a tcp/80 arrives
            """);
        await HoldAsync(Set("everything", "set: everything", "0.0.0.0/0, \"::/0\", 198.51.100.0/24, 198.51.100.1/32")
            + Global("deny", Deny), """
            outside red/a tcp/80 nothing
            customer red/a icmp nothing
            outside red/b tcp/80 arrives
            """);
        const string From = "selector: \"app == 'a'\", types: [Ingress], "
            + "ingress: [{ action: Allow, source: { selector: \"set == 'partners'\"MORE } }]";
        var set = Set("partners", "set: partners", "198.51.100.0/24, \"fd98::/64\"", "blue") + """
            ---
            apiVersion: v1
            kind: Namespace
            metadata: { name: blue, labels: { team: blue } }

            """;
        await HoldAsync(set + Namespaced("red", "from", From.Replace("MORE", "")), "outside red/a tcp/80 nothing");
        await HoldAsync(set + Namespaced("red", "from", From.Replace("MORE", ", namespaceSelector: \"team == 'blue'\"")), """
            outside red/a tcp/80 arrives
            customer red/a tcp/80 nothing
            """);
    }
}
