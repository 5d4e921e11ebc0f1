// Two data centres of one cluster, each with a ToR of its own, BIRD and FRR, and one firewall for both, which lets through nobody but the
// gateways of the centre that a packet comes from, and counts who else comes.
//
//   pods ── client1 ─┐                                  ┌─ client2 ── pods
//            gate1 ──┤ (bridge) tor1 ═══ between ═══ tor2 (bridge)
//            gate2 ──┘            │                │    └─ gate3
//                                 └── firewall ────┘
//                                        │
//                                     outside
using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Packets;

internal sealed class EgressCentres() : EgressLab(wall: "firewall", Patience)
{
    private const int Patience = 120;

    public const string Outside4 = "198.51.100.1", First4 = "10.10.1.0", FirstToo4 = "10.10.1.1", Second4 = "10.10.2.0";

    /// <summary>By centre, and the last part of the address there.</summary>
    private static readonly (string Name, int Centre, int Number)[] Nodes =
        [("client1", 1, 1), ("gate1", 1, 11), ("gate2", 1, 12), ("client2", 2, 1), ("gate3", 2, 11)];

    /// <summary>Of namespaces that are named like them, each with its own choice of gateways.</summary>
    public static readonly (string Name, int Centre, int Number, string Gateways)[] Pods =
    [
        ("near", 1, 2, "centre == '1'"), ("far", 1, 3, "centre == '2'"), ("both", 1, 4, "code == 'red'"), ("there", 2, 2, "centre == '2'"),
    ];

    public static string NodeAt(int centre, int number) => $"172.20.{centre}.{number}";

    public static string AddressOf(string pod) => Pods.First(one => one.Name == pod) is var its ? $"192.168.{its.Centre}.{its.Number}" : "";

    public static async Task<EgressCentres> MakeAsync()
    {
        var site = new EgressCentres();
        await site.MakeAsync(
            ["tor1", "tor2", "firewall", "outside", .. Nodes.Select(node => node.Name), .. Pods.Select(pod => pod.Name)]);
        foreach (var centre in (int[])[1, 2]) await site.WireAsync(centre);
        await Netns.JoinAsync(site["tor1"], "between", ["192.0.2.9/30"], site["tor2"], "between", ["192.0.2.10/30"]);
        await site.WireOutsideAsync();
        foreach (var (name, centre, number, _) in Pods)
            await PodLink.AddAsync(site[$"client{centre}"], site[name], name, name, AddressOf(name), $"fd01::{centre}:{number}");
        site.Answer("outside", Outside4);
        site.Write(Objects);
        await site.StartTorsAsync();
        foreach (var (name, centre, number) in Nodes)
            await site.StartAsync(name, NodeAt(centre, number), $$"""
                egress: { enabled: true }
                filters: { own: [{ match: { source: bgp }, action: Reject }, { action: Accept }] }
                peers:
                - { name: tor, peerIP: {{NodeAt(centre, 254)}}, asNumber: 6500{{centre}}, families: [ipv4], import: reject, export: [own],
                    connectRetryTime: 1s, idleHoldTime: 200ms }
                """);
        return site;
    }

    /// <summary>What is in a centre; its ToR knows the pods of both by their nodes.</summary>
    private async Task WireAsync(int centre)
    {
        var tor = this[$"tor{centre}"];
        await tor.BridgeAsync("br0");
        foreach (var (name, _, number) in Nodes.Where(node => node.Centre == centre))
        {
            await Netns.JoinAsync(tor, $"p-{name}", [], this[name], "eth0", [$"{NodeAt(centre, number)}/24"]);
            await tor.IpAsync($"link set p-{name} master br0");
            await this[name].IpAsync($"route add default via {NodeAt(centre, 254)}");
            if (name.StartsWith("client", StringComparison.Ordinal))
                this[name].Set("net/ipv4/fib_multipath_hash_policy=1");
        }
        await tor.RaiseAsync("br0", $"{NodeAt(centre, 254)}/24");
        await tor.IpAsync($"route add 192.168.{centre}.0/24 via {NodeAt(centre, 1)}");
        // An answer to a gateway that is not announced yet is not sent back to the firewall, which would count it.
        await tor.IpAsync($"route add blackhole 10.10.{centre}.0/24");
    }

    private async Task WireOutsideAsync()
    {
        var (firewall, outside) = (this["firewall"], this["outside"]);
        foreach (var (centre, other, between) in ((int, int, string)[])[(1, 2, "192.0.2.10"), (2, 1, "192.0.2.9")])
        {
            var tor = this[$"tor{centre}"];
            var (here, there) = ($"192.0.2.{64 * centre + 1}", $"192.0.2.{64 * centre + 2}");
            await Netns.JoinAsync(tor, "up0", [here + "/30"], firewall, $"in{centre}", [there + "/30"]);
            await tor.IpAsync($"route add default via {there}");
            await tor.IpAsync($"route add 172.20.{other}.0/24 via {between}");
            await tor.IpAsync($"route add 192.168.{other}.0/24 via {between}");
            await firewall.IpAsync($"route add 10.10.{centre}.0/24 via {here}");
        }
        await Netns.JoinAsync(firewall, "out0", ["198.51.100.254/24"], outside, "eth0", [$"{Outside4}/24"]);
        await outside.IpAsync("route add default via 198.51.100.254");
        firewall.Tell("""
            table inet wall {
             counter others { }
             chain forward {
              type filter hook forward priority 0; policy accept;
              iifname "in1" ip saddr 10.10.1.0/24 accept
              iifname "in2" ip saddr 10.10.2.0/24 accept
              iifname { "in1", "in2" } meta nfproto ipv4 counter name others drop
             }
            }
            """, "nft", "-f", "-");
    }

    private async Task StartTorsAsync()
    {
        await File.WriteAllTextAsync(PathOf("bird.conf"), $$"""
            log stderr all;
            router id {{NodeAt(1, 254)}};
            protocol device { scan time 1; }
            protocol kernel { ipv4 { export all; }; }
            {{string.Join('\n', Nodes.Where(node => node.Centre == 1).Select(node => $$"""
                protocol bgp of_{{node.Name}} {
                  local {{NodeAt(1, 254)}} as 65001; neighbor {{NodeAt(1, node.Number)}} as 64512; passive on; hold time 90;
                  error wait time 1,2; ipv4 { import all; export none; };
                }
                """))}}
            """);
        Keep("bird", Background.Start(this["tor1"], PathOf("bird.log"), null, "bird", "-f", "-c", PathOf("bird.conf"),
            "-s", PathOf("bird.ctl"), "-P", PathOf("bird.pid")));
        string[] theirs = [.. Nodes.Where(node => node.Centre == 2).Select(node => NodeAt(2, node.Number))];
        var frr = await FrrPrograms.StartAsync(this["tor2"], Folder, $"""
            router bgp 65002
             bgp router-id {NodeAt(2, 254)}
             no bgp ebgp-requires-policy
            {string.Join('\n', theirs.Select(node => $" neighbor {node} remote-as 64512\n neighbor {node} passive"))}
            """);
        foreach (var (program, n) in frr.Select((program, n) => (program, n))) Keep($"frr{n}", program);
    }

    /// <summary>The ToR of a centre sends what comes for that address to that node.</summary>
    public Task AnnouncedAsync(int centre, string address, int number) => Until.TrueAsync(
        $"tor{centre} sends what comes for {address} to {NodeAt(centre, number)}", async () =>
            (await this[$"tor{centre}"].IpAsync($"route show {address}"))
                .Contains($"via {NodeAt(centre, number)} ", StringComparison.Ordinal),
        Patience, SaidAsync);

    /// <summary>The node and the others of its way hear each other.</summary>
    public Task HeardAsync(string name, int sessions) => Until.TrueAsync($"{name} hears {sessions} nodes", async () =>
        (await HttpAsync(name, "/v1/bfd")).Split("\"state\":\"up\"").Length > sessions, Patience,
        async () => await HttpAsync(name, "/v1/bfd") + await SaidAsync());

    /// <summary>The nodes tell it apart, whichever is asked.</summary>
    public Task ToldAsync(string name, string words, bool isSaid = true) => ToldAsync(name, answer =>
        answer.Length > 0 && answer.Contains(words, StringComparison.Ordinal) == isSaid);

    private static string Objects => $$"""
        {{string.Join('\n', Nodes.Select(node => EgressFarObjects.Node(node.Name, $"{NodeAt(node.Centre, node.Number)}/24", null,
            node.Name.StartsWith("gate", StringComparison.Ordinal) ? $"egress: 'true', centre: '{node.Centre}'" : "")))}}
        {{EgressFarObjects.Pool("pods", "192.168.0.0/16", nat: true)}}
        {{EgressFarObjects.Space("edge", "")}}
        {{string.Join('\n', ((int[])[1, 2]).Select(Gateway))}}
        {{string.Join('\n', Pods.Select(pod => EgressFarObjects.Space(pod.Name, $"egress.projectcalico.org/selector: \"{pod.Gateways}\", "
            + "egress.projectcalico.org/namespaceSelector: \"projectcalico.org/name == 'edge'\"")))}}
        {{string.Join('\n', Pods.Select(pod => $$"""
            apiVersion: v1
            kind: Pod
            metadata: { name: {{pod.Name}}, namespace: {{pod.Name}} }
            spec: { nodeName: client{{pod.Centre}} }
            status: { podIPs: [{ ip: {{AddressOf(pod.Name)}} }] }
            ---
            """))}}

        """;

    /// <summary>A centre's gateways send with addresses of its own, and ask who is outside whether they lead there.</summary>
    private static string Gateway(int centre) => $$"""
        {{EgressFarObjects.Pool($"of{centre}", $"10.10.{centre}.0/29")}}
        apiVersion: operator.tigera.io/v1
        kind: EgressGateway
        metadata: { name: of{{centre}}, namespace: edge }
        spec:
          ipPools: [{ name: of{{centre}} }]
          egressGatewayFailureDetection: { icmpProbe: { ips: [{{Outside4}}], intervalSeconds: 1, timeoutSeconds: 5 } }
          template:
            metadata: { labels: { code: red, centre: '{{centre}}' } }
            spec: { nodeSelector: { egress: 'true', centre: '{{centre}}' } }
        ---
        """;
}
