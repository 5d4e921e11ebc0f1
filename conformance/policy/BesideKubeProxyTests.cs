using System.Net;
using System.Net.Sockets;
using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>
/// Beside kube-proxy in each mode that translates: a service's address is judged before it is translated by preDNAT policies alone, and by
/// all others behind the translation, whatever kube-proxy's own chains accept.
/// </summary>
public sealed class BesideKubeProxyTests : IAsyncLifetime
{
    private static readonly PodPlace[] Pods = [new("red", "a"), new("red", "b"), new("blue", "c"), new("blue", "far", 2)];

    /// <summary>What the API server has of the services, for rules that name them.</summary>
    private const string ServiceObjects = """
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: near, namespace: red }
        spec: { clusterIP: 10.96.0.10, ports: [{ name: web, port: 80, protocol: TCP }] }
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: { name: near-4, namespace: red, labels: { kubernetes.io/service-name: near } }
        addressType: IPv4
        ports: [{ name: web, port: 8080, protocol: TCP }]
        endpoints: [{ addresses: [B4], conditions: { ready: true } }]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: { name: near-6, namespace: red, labels: { kubernetes.io/service-name: near } }
        addressType: IPv6
        ports: [{ name: web, port: 8080, protocol: TCP }]
        endpoints: [{ addresses: ["B6"], conditions: { ready: true } }]

        """;

    private PolicySite site = null!;
    private string objects = "";

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") != null) return;
        site = await PolicySite.MakeAsync(Pods);
        site.Town.Services.AddRange([
            new("near", "10.96.0.10", "fd96::10", 80, site.Town["red/b"], 8080),
            new("far", "10.96.0.11", "fd96::11", 80, site.Town["blue/far"], 81),
            new("host", "10.96.0.12", "fd96::12", 80, site.Town["node1"], 443),
            new("local", "10.96.0.13", "fd96::13", 80, site.Town["blue/c"], 80) { IsLocal = true },
        ]);
        var near = site.Town["red/b"];
        objects = site.Town.Objects()
            + ServiceObjects.Replace("B4", near.IPv4, StringComparison.Ordinal).Replace("B6", near.IPv6, StringComparison.Ordinal);
        site.Write(objects);
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task HoldAsync(string more, string rows, string? alsoJudged = null)
    {
        await site.PutAsync(objects + more);
        Assert.DoesNotContain("refused", await site.LogAsync(), StringComparison.Ordinal);
        await Rows.HoldAsync(site, objects + more + alsoJudged, rows);
    }

    [NeedsTheory(Needs.Daemon, "nft", "iptables-nft-restore", "iptables-legacy-restore")]
    [InlineData("nftables")]
    [InlineData("iptables-nft")]
    [InlineData("iptables-legacy")]
    public async Task Each_policy_sees_the_address_that_it_is_about(string mode)
    {
        site.WriteServices(mode);
        await site.StartAsync();
        await HoldAsync("", """
            outside service:near tcp/80 arrives as node1
            customer service:local udp/80 arrives as customer
            red/a service:far tcp/80 arrives
            outside service:far udp/80 arrives
            node1 service:near tcp/80 arrives
            outside service:host tcp/80 arrives
            """);
        // Before the translation.
        await HoldAsync(HostEndpoint("eth0", "host: here", "interfaceName: eth0, profiles: [projectcalico-default-allow]")
            + Global("vips", "selector: has(host), types: [Ingress], preDNAT: true, applyOnForward: true, ingress: ["
                + "{ action: Allow, source: { nets: [203.0.113.0/24] }, destination: { nets: [10.96.0.0/16] } },"
                + "{ action: Deny, destination: { nets: [10.96.0.0/16, 192.168.0.0/16] } }]"), """
            4 customer service:near tcp/80 arrives
            4 customer service:host tcp/80 arrives
            4 outside service:near tcp/80 nothing
            4 outside service:host udp/80 nothing
            4 outside service:local tcp/80 nothing
            4 outside red/b tcp/8080 nothing
            6 outside service:near tcp/80 arrives
            4 red/a service:near tcp/80 arrives
            """);
        // Behind it: of the pod, of the host endpoint on the way through, and of the host.
        await HoldAsync(HostEndpoint("eth0", "host: here", "interfaceName: eth0, profiles: [projectcalico-default-allow]")
            + Namespaced("red", "only-8080", "selector: \"app == 'b'\", types: [Ingress], ingress: ["
                + "{ action: Allow, protocol: TCP, destination: { ports: [8080] } }]")
            + Namespaced("blue", "clients", "selector: \"app == 'c'\", types: [Ingress], ingress: ["
                + "{ action: Allow, source: { nets: [203.0.113.0/24] } }, { action: Allow, source: { nets: [\"2001:db8:1::/64\"] } }]")
            + Global("through", "selector: has(host), order: 1, types: [Ingress], applyOnForward: true, ingress: ["
                + "{ action: Deny, protocol: UDP, destination: { ports: [81] } }, { action: Deny, protocol: TCP, "
                + "destination: { ports: [443] } }, { action: Allow }]"), """
            outside service:near tcp/80 arrives
            outside service:near udp/80 nothing
            outside service:far udp/80 nothing
            outside service:far tcp/80 arrives
            outside service:host tcp/80 nothing
            outside service:host udp/80 arrives
            customer service:local tcp/80 arrives
            outside service:local tcp/80 nothing
            red/a service:near udp/80 nothing
            red/a service:near tcp/80 arrives
            node1 service:near udp/80 arrives
            """);
        // A pod's way out is asked about where it leads to.
        await HoldAsync(Namespaced("red", "out", "selector: \"app == 'a'\", types: [Egress], egress: ["
            + "{ action: Allow, destination: { selector: \"app == 'b'\" } }]"), """
            red/a service:near tcp/80 arrives
            red/a service:far tcp/80 nothing
            red/a service:local udp/80 nothing
            red/a service:host tcp/80 nothing
            """);
    }

    /// <summary>
    /// This kernel has no IPVS. What it would send on has been to the host's input, has another destination by then, and leaves as if the
    /// host had made it, with the client's source: so does what a transparent socket sends.
    /// </summary>
    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_IPVS_sends_on_to_a_pod_is_asked_of_the_pods_policies()
    {
        await site.StartAsync();
        var policy = Namespaced("red", "clients", "selector: \"app == 'a'\", types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: UDP, source: { nets: [203.0.113.0/24] }, destination: { ports: [80] } }]");
        await site.PutAsync(objects + policy);
        // Without kube-ipvs0 nobody sends so.
        Assert.True(await ComesThroughAsync(Place.Outside));
        await site.Node.IpAsync("link add kube-ipvs0 type veth peer name kube-ipvs1");
        await Until.TrueAsync("the pod is closed to who is not listed", async () => !await ComesThroughAsync(Place.Outside),
            PolicySite.Patience, site.LogAsync);
        Assert.True(await ComesThroughAsync(Place.Customer));
        Assert.True(await ComesThroughAsync(Place.Node1));
        await site.PutAsync(objects);
        Assert.True(await ComesThroughAsync(Place.Outside));
    }

    private async Task<bool> ComesThroughAsync(Place from)
    {
        const int ip = 0, transparent = 19; // SOL_IP, IP_TRANSPARENT
        using var socket = site.Node.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.SetRawSocketOption(ip, transparent, BitConverter.GetBytes(1));
        socket.Bind(new IPEndPoint(from.Address(false), 0));
        var token = Ping.NewToken();
        try
        {
            await socket.SendToAsync(Wire.Token(token), new IPEndPoint(site.Town["red/a"].Address(false), 80));
        }
        catch (SocketException dropped) when (dropped.SocketErrorCode == SocketError.AccessDenied) { }
        await Task.WhenAny(site.Arrivals.WaitAsync(token), Task.Delay(Prober.Moment));
        return site.Arrivals.Of(token) != null;
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_rule_that_names_a_service_allows_who_is_behind_it()
    {
        site.WriteServices();
        await site.StartAsync();
        await HoldAsync(Namespaced("red", "out", "selector: \"app == 'a'\", types: [Egress], egress: ["
            + "{ action: Allow, destination: { services: { name: near, namespace: red } } }]"), """
            red/a service:near tcp/80 arrives
            red/a red/b tcp/8080 arrives
            red/a red/b tcp/80 nothing
            red/a red/b udp/8080 nothing
            red/a service:far tcp/80 nothing
            """);
        await HoldAsync(Namespaced("blue", "in", "selector: \"app == 'c'\", types: [Ingress], ingress: ["
            + "{ action: Allow, source: { services: { name: near, namespace: red } } }]"), """
            red/b blue/c tcp/80 arrives
            red/b blue/c udp/81 arrives
            red/a blue/c tcp/80 nothing
            outside service:local tcp/80 nothing
            """);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Who_is_denied_is_told_where_Felix_is_told_to_reject()
    {
        site.WriteServices();
        await site.StartAsync();
        objects = objects.Replace("defaultEndpointToHostAction: Accept", "defaultEndpointToHostAction: Accept, "
            + "nftablesFilterDenyAction: Reject", StringComparison.Ordinal);
        await HoldAsync(HostEndpoint("eth0", "host: here", "interfaceName: eth0")
            + Namespaced("red", "in", "selector: \"app == 'a'\", types: [Ingress], ingress: ["
                + "{ action: Deny, protocol: TCP, destination: { ports: [81] } }, "
                + "{ action: Allow, protocol: TCP, destination: { ports: [80] } }]"), """
            outside red/a tcp/80 arrives
            outside red/a tcp/81 refused
            outside red/a udp/80 refused
            red/b red/a tcp/443 refused
            outside node1 tcp/8080 refused
            outside node1 udp/8080 refused
            node1 outside tcp/8080 refused
            """);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task An_automatic_host_endpoint_lets_through_what_no_policy_decides_and_is_selected_by_its_nodes_labels()
    {
        site.Configuration = "policy: { enabled: true, automaticHostEndpoints: true }\n";
        site.WriteServices();
        await site.StartAsync();
        objects = objects.Replace("metadata: { name: node1 }", "metadata: { name: node1, labels: { role: edge } }",
            StringComparison.Ordinal);
        // The one that Calico's controllers would make, for the judge alone.
        var automatic = HostEndpoint("node1-auto-hep", "role: edge, projectcalico.org/created-by: calico-kube-controllers",
            "interfaceName: \"*\", expectedIPs: [172.20.0.1, \"fd20::1\"], profiles: [projectcalico-default-allow]");
        await HoldAsync("", """
            outside node1 tcp/8080 arrives
            behind node1 udp/8080 arrives
            node1 outside tcp/8080 arrives
            outside red/a tcp/80 arrives
            """, automatic);
        await HoldAsync(Global("edge", "selector: \"role == 'edge'\", types: [Ingress, Egress], ingress: ["
            + "{ action: Allow, protocol: TCP, destination: { ports: [80] } }], egress: [{ action: Deny, protocol: UDP, "
            + "destination: { ports: [81] } }, { action: Allow }]")
            + Namespaced("red", "from-nodes", "selector: \"app == 'a'\", types: [Ingress], ingress: [{ action: Allow, source: { "
                + "selector: \"projectcalico.org/created-by == 'calico-kube-controllers'\", namespaceSelector: global() } }]"), """
            outside node1 tcp/80 arrives
            outside node1 tcp/22 arrives
            outside node1 tcp/8080 nothing
            behind node1 udp/80 nothing
            node1 outside udp/81 nothing
            node1 behind tcp/81 arrives
            outside red/b tcp/8080 arrives
            outside red/a tcp/80 nothing
            node1 red/a tcp/80 arrives
            """, automatic);
        // What is named counts instead.
        await HoldAsync(HostEndpoint("eth1", "role: edge, named: \"\"", "interfaceName: eth1, profiles: [projectcalico-default-allow]")
            + Global("edge", "selector: \"role == 'edge' && !has(named)\", types: [Ingress], ingress: ["
                + "{ action: Allow, protocol: TCP, destination: { ports: [80] } }]"), """
            outside node1 tcp/8080 nothing
            behind node1 tcp/8080 arrives
            """, automatic);
    }
}
