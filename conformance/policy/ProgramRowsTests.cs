using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>The rows of appendix A that are about policy, and what 2.3 and 2.4 say beside them, with packets.</summary>
public sealed class ProgramRowsTests : IAsyncLifetime
{
    private static readonly PodPlace[] Pods = [new("red", "a"), new("red", "b"), new("blue", "c"), new("blue", "far", 2)];

    private PolicySite site = null!;
    private string objects = "";

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") != null) return;
        site = await PolicySite.MakeAsync(Pods);
        site.Town.Services.Add(new("web", "10.96.0.10", "fd96::10", 80, site.Town["red/b"], 8080));
        site.WriteServices();
        objects = site.Town.Objects(ports: pod => pod.Name == "b" ? "{ name: web, containerPort: 8080 }" : "");
        site.Write(objects);
        await site.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task HoldAsync(string more, string rows, string? instead = null)
    {
        await site.PutAsync((instead ?? objects) + more);
        await Rows.HoldAsync(site, (instead ?? objects) + more, rows);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_pass_leads_to_the_next_tier_and_a_tiers_end_denies() => await HoldAsync(
        Tier("first", "order: 10") + Tier("second", "order: 20, defaultAction: Pass")
        + Global("first.out", "tier: first, selector: \"app == 'a'\", types: [Egress], egress: ["
            + "{ action: Pass, destination: { nets: [198.51.100.0/24] } }, { action: Pass, destination: { nets: [\"fd98::/64\"] } },"
            + "{ action: Log, protocol: TCP, destination: { ports: [81] } },"
            + "{ action: Allow, protocol: TCP, destination: { ports: [81] } }, { action: Allow, protocol: ICMP }]")
        + Global("second.out", "tier: second, selector: \"app == 'a'\", types: [Egress], egress: ["
            + "{ action: Deny, protocol: UDP, destination: { ports: [80] } }]"), """
            red/a outside tcp/80 arrives
            red/a outside udp/80 nothing
            red/a customer tcp/80 nothing
            red/a customer tcp/81 arrives
            red/a red/b tcp/81 arrives
            4 red/a blue/c icmp arrives
            6 red/a blue/c icmp nothing
            red/a node1 tcp/80 nothing
            red/a node1 tcp/81 arrives
            red/b customer tcp/80 arrives
            outside red/a tcp/80 arrives
            """);

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_named_port_is_that_of_who_has_it() => await HoldAsync(
        Namespaced("red", "web", "selector: \"app in {'a', 'b'}\", types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: TCP, destination: { ports: [web] } },"
            + "{ action: Allow, protocol: UDP, destination: { ports: [53, web] } }]"),
        """
            outside red/b tcp/8080 arrives
            outside red/b tcp/80 nothing
            outside red/a tcp/8080 nothing
            outside red/b udp/8080 nothing
            outside red/b udp/53 arrives
            outside service:web tcp/80 arrives
            """);

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task The_services_address_is_judged_before_it_is_translated() => await HoldAsync(
        HostEndpoint("eth0", "host: here", "interfaceName: eth0, profiles: [projectcalico-default-allow]")
        + Global("vip", "selector: has(host), types: [Ingress], preDNAT: true, applyOnForward: true, ingress: ["
            + "{ action: Allow, source: { nets: [203.0.113.0/24] }, destination: { nets: [10.96.0.0/16] } },"
            + "{ action: Deny, destination: { nets: [10.96.0.0/16] } }, { action: Deny, protocol: TCP, destination: { ports: [8080] } }]")
        + Global("pod", "selector: \"app == 'b'\", types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: TCP, destination: { ports: [8080] } }]"), """
            4 customer service:web tcp/80 arrives
            4 customer service:web udp/80 nothing
            4 outside service:web tcp/80 nothing
            6 outside service:web tcp/80 arrives
            outside red/b tcp/8080 nothing
            outside red/a tcp/80 arrives
            behind red/b tcp/8080 arrives
            red/a service:web tcp/80 arrives
            """);

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Failsafe_ports_are_open_and_can_be_others()
    {
        var closed = HostEndpoint("all", "host: here", "interfaceName: \"*\"");
        await HoldAsync(closed, """
            outside node1 tcp/22 arrives
            outside node1 tcp/2222 nothing
            outside node1 udp/22 nothing
            behind node1 tcp/22 arrives
            node1 outside udp/53 arrives
            node1 outside tcp/53 nothing
            node1 red/a tcp/80 arrives
            red/a node1 tcp/80 arrives
            """);
        await HoldAsync(closed, """
            4 customer node1 tcp/2222 arrives
            4 outside node1 tcp/2222 nothing
            4 outside node1 tcp/22 nothing
            node1 outside udp/53 nothing
            """, site.Town.Objects(felix: ", failsafeInboundHostPorts: [{ protocol: TCP, port: 2222, net: 203.0.113.0/24 }], "
                + "failsafeOutboundHostPorts: []"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_pods_way_to_its_host_is_its_egress_and_then_what_Felix_is_told()
    {
        var egress = Namespaced("red", "out", "selector: \"app == 'a'\", types: [Egress], egress: ["
            + "{ action: Allow, protocol: TCP, destination: { ports: [80] } }]");
        await HoldAsync(egress, """
            red/a node1 tcp/80 arrives
            red/a node1 tcp/81 nothing
            red/b node1 tcp/81 arrives
            node1 red/a tcp/81 arrives
            """);
        await HoldAsync(egress, """
            red/a node1 tcp/80 nothing
            red/b node1 udp/80 nothing
            red/b red/a tcp/80 arrives
            node1 red/b tcp/80 arrives
            """, site.Town.Objects(felix: ", defaultEndpointToHostAction: Drop"));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Types_and_codes_of_ICMP_are_matched_and_negated_together()
    {
        await HoldAsync(Namespaced("red", "ping", "selector: \"app == 'a'\", types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: ICMP, icmp: { type: 8, code: 0 } },"
            + "{ action: Allow, protocol: ICMPv6, icmp: { type: 128 } }]"), """
            4 outside red/a icmp/8/0 arrives
            4 outside red/a icmp/8/1 nothing
            4 outside red/a icmp/13/0 nothing
            6 outside red/a icmp/128/0 arrives
            outside red/a tcp/80 nothing
            """);
        await HoldAsync(Namespaced("red", "ping", "selector: \"app == 'a'\", types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: ICMP, notICMP: { type: 8, code: 0 } }, { action: Allow, notProtocol: ICMP }]"), """
            4 outside red/a icmp/8/0 nothing
            4 outside red/a icmp/8/1 arrives
            outside red/a udp/80 arrives
            outside red/a sctp/80 arrives
            6 outside red/a icmp arrives
            """);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Every_protocol_with_ports_is_told_apart() => await HoldAsync(
        Namespaced("red", "ports", "selector: \"app == 'a'\", types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: SCTP, destination: { ports: [80, \"8000:8100\"] } },"
            + "{ action: Allow, protocol: UDPLite }, { action: Allow, protocol: 17, source: { ports: [\"1:9999\"] } },"
            + "{ action: Allow, protocol: TCP, source: { notPorts: [\"1:9999\"] }, destination: { notPorts: [81, \"400:500\"] } }]"), """
            outside red/a sctp/80 arrives
            outside red/a sctp/8080 arrives
            outside red/a sctp/81 nothing
            outside red/a udplite/81 arrives
            outside red/a udp/80 nothing
            outside red/a tcp/80 arrives
            outside red/a tcp/81 nothing
            outside red/a tcp/443 nothing
            """);

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Profiles_decide_where_no_tier_has()
    {
        const string Endpoint = """
            ---
            apiVersion: projectcalico.org/v3
            kind: Profile
            metadata: { name: web-only }
            spec:
              labelsToApply: { profiled: "yes" }
              ingress: [{ action: Deny, source: { selector: app == 'c' } }, { action: Allow, protocol: TCP, destination: { ports: [80] } }]
              egress: [{ action: Allow }]

            """;
        var host = HostEndpoint("eth0", "host: here", "interfaceName: eth0, profiles: [web-only, projectcalico-default-allow]");
        await HoldAsync(Endpoint + host, """
            outside node1 tcp/80 arrives
            outside node1 udp/80 arrives
            node1 outside udp/80 arrives
            """);
        await HoldAsync(Endpoint + host.Replace(", projectcalico-default-allow", ""), """
            outside node1 tcp/80 arrives
            outside node1 udp/80 nothing
            node1 outside udp/80 arrives
            """);
        await HoldAsync(Endpoint + host.Replace("projectcalico-default-allow", "web-only").Replace("[web-only,", "[nobody,"), """
            outside node1 tcp/80 nothing
            node1 outside udp/80 nothing
            """);
        await HoldAsync(Endpoint + host.Replace(", projectcalico-default-allow", "") + Namespaced("red", "hosts",
            "selector: \"app == 'a'\", types: [Egress], egress: ["
            + "{ action: Deny, destination: { namespaceSelector: global(), selector: has(profiled) } }, { action: Allow }]"),
            "red/a outside tcp/80 arrives");
    }
}
