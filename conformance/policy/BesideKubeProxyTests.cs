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

    /// <summary>No object says of which services these are, but of one: where they lead was looked up in the kernel.</summary>
    [NeedsTheory(Needs.Daemon, "nft", "iptables-nft-restore", "iptables-legacy-restore")]
    [InlineData("nftables", "table ip kube-proxy", "table ip6 kube-proxy")]
    [InlineData("iptables-nft", "table ip nat", "table ip6 nat")]
    [InlineData("iptables-legacy", "iptables-legacy's table nat", "ip6tables-legacy's table nat")]
    public async Task What_explain_says_of_a_services_address_is_what_the_kernel_makes_of_it(string mode, string by, string by6)
    {
        site.WriteServices(mode);
        await site.StartAsync();
        await site.PutAsync(objects + Namespaced("red", "only-8080", "selector: \"app == 'b'\", types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: TCP, destination: { ports: [8080] } }]"));
        foreach (var isIPv6 in (bool[])[false, true])
            foreach (var service in site.Town.Services)
                foreach (var from in (Place[])[Place.Outside, Place.Node1])
                {
                    var told = await site.ExplainAsync(from.Address(isIPv6), service.Address(isIPv6), $"tcp:{service.Port}");
                    var nat = told.GetProperty("nat");
                    Assert.Equal(new IPEndPoint(service.Behind.Address(isIPv6), service.TargetPort).ToString(),
                        nat.GetProperty("destination").GetString());
                    Assert.StartsWith(isIPv6 ? by6 : by, nat.GetProperty("why").GetString(), StringComparison.Ordinal);
                    Assert.Equal("allow", told.GetProperty("verdict").GetString());
                }
        // Of UDP the pod lets nothing in, which is asked behind the translation.
        var denied = await site.ExplainAsync(Place.Outside.Address(false), IPAddress.Parse("10.96.0.10"), "udp:80");
        Assert.Equal("deny", denied.GetProperty("verdict").GetString());
        var other = await site.ExplainAsync(Place.Outside.Address(false), IPAddress.Parse("10.96.0.11"), "tcp:81");
        Assert.Equal((null, "nothing in this kernel translates the destination"), (other.GetProperty("nat").GetProperty("destination")
            .GetString(), other.GetProperty("nat").GetProperty("why").GetString()));
    }

    /// <summary>One endpoint by chance, and marks, sets, maps and addresses of this host as kube-proxy asks them.</summary>
    [NeedsFact(Needs.Daemon, "nft", "iptables-nft-restore", "iptables-legacy-restore")]
    public async Task Each_endpoint_that_a_die_may_choose_is_walked_to()
    {
        await site.StartAsync();
        await site.PutAsync(objects + Namespaced("blue", "closed", "selector: \"app == 'c'\", types: [Ingress]"));
        var (b, c) = (site.Town["red/b"].IPv4, site.Town["blue/c"].IPv4);
        var iptables = $"""
            *nat
            :KUBE-NODEPORTS - [0:0]
            :KUBE-SVC - [0:0]
            :KUBE-MARK-MASQ - [0:0]
            -A PREROUTING -m comment --comment "portals" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
            -A KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j KUBE-SVC
            -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
            -A KUBE-SVC ! -s 192.168.0.0/16 -j KUBE-MARK-MASQ
            -A KUBE-SVC -p tcp -m statistic --mode random --probability 0.5 -j DNAT --to-destination {b}:8080
            -A KUBE-SVC -p tcp -m mark --mark 0x4000/0x4000 -j DNAT --to-destination {c}:8080
            -A KUBE-SVC -j DNAT --to-destination 10.9.9.9
            COMMIT

            """;
        var nft = $$"""
            table ip kube-proxy {
              set nodeport-ips {
                type ipv4_addr
                flags interval
                elements = { 172.20.0.0/24 }
              }
              map nodeports {
                type inet_proto . inet_service : verdict
                elements = { tcp . 30080 : goto svc }
              }
              chain svc {
                ip saddr != 192.168.0.0/16 jump masq
                numgen random mod 2 vmap { 0 : goto one, 1 : goto two }
              }
              chain masq {
                meta mark set meta mark or 0x4000
              }
              chain one {
                meta l4proto tcp dnat to {{b}}:8080
              }
              chain two {
                meta l4proto tcp meta mark & 0x4000 == 0x4000 dnat to {{c}}:8080
                dnat to 10.9.9.9
              }
              chain nat-prerouting {
                type nat hook prerouting priority dstnat
                fib daddr type local ip daddr @nodeport-ips ip daddr != 172.20.0.9 meta l4proto . th dport vmap @nodeports
              }
            }

            """;
        foreach (var mode in (string[])["nft", "iptables-nft", "iptables-legacy"])
        {
            if (mode == "nft") site.Node.Tell(nft, "nft", "-f", "-");
            else site.Node.Tell(iptables, $"{mode}-restore");
            var told = await site.ExplainAsync(Place.Outside.Address(false), Place.Node1.Address(false), "tcp:30080");
            Assert.Contains("leads the destination to one of 2 endpoints", told.GetProperty("nat").GetProperty("why").GetString(),
                StringComparison.Ordinal);
            Assert.Equal("unknown", told.GetProperty("verdict").GetString());
            var depends = told.GetProperty("dependsOn").EnumerateArray().Select(one => one.GetString()).Order();
            Assert.Equal(new[] { $"to {b}: allow", $"to {c}: deny" }.Order(), depends);
            if (mode != "iptables-legacy") await site.Node.DoAsync("nft", "delete", "table", "ip", mode == "nft" ? "kube-proxy" : "nat");
        }
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
