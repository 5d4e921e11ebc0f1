// A site whose gateways are on no link of their clients' node: between them routes a switch that knows nobody's pods but by their nodes,
// tells nobody that a packet was too large, and lets none but gateways through to the world outside.
//
//   pods ── cali… ── client ── tor ── far ── cali… ── gateway pods
//                               │
//                            outside

namespace Calico.Bgp.Conformance.Packets;

internal sealed class EgressFarSite() : EgressLab(wall: "tor", Patience)
{
    private const int Patience = 60;

    public const string Outside4 = "198.51.100.1", Outside6 = "fd98::1", Client4 = "172.20.0.1", Far4 = "172.21.0.11",
        Red4 = "10.10.10.0", Red6 = "fd10::", Pod4 = "192.168.1.2", Pod6 = "fd01::1:2";

    /// <summary>Gateway pods, by name: on which node, and the last part of both addresses.</summary>
    public static readonly (string Name, string Node, int Number)[] GatewayPods =
        [("g1", "far", 9), ("g2", "far", 10), ("g3", "client", 17)];

    public static string Gateway(string name, bool ipv6 = false) =>
        GatewayPods.First(one => one.Name == name).Number is var number && ipv6 ? $"fd10::{number:x}" : $"10.10.10.{number}";

    /// <param name="withPods">Gateway pods beside the nodes.</param>
    public static async Task<EgressFarSite> MakeAsync(bool withPods)
    {
        var site = new EgressFarSite();
        await site.MakeAsync(["client", "far", "tor", "outside", "a", .. withPods ? GatewayPods.Select(pod => pod.Name) : []]);
        site["client"].Set("net/ipv4/fib_multipath_hash_policy=1", "net/ipv6/fib_multipath_hash_policy=1");
        await site.WireAsync();
        await PodLink.AddAsync(site["client"], site["a"], "alpha", "a", Pod4, Pod6);
        if (withPods)
            foreach (var (name, node, _) in GatewayPods)
                await PodLink.AddAsync(site[node], site[name], "edge", name, Gateway(name), Gateway(name, true));
        site.Answer("outside", Outside4, Outside6);
        site.Answer("client", Client4);
        return site;
    }

    private async Task WireAsync()
    {
        var tor = this["tor"];
        await Netns.JoinAsync(tor, "p-client", ["172.20.0.254/24", "fd20::fe/64"], this["client"], "eth0", ["172.20.0.1/24", "fd20::1/64"]);
        await Netns.JoinAsync(tor, "p-far", ["172.21.0.254/24", "fd21::fe/64"], this["far"], "eth0", ["172.21.0.11/24", "fd21::b/64"]);
        await Netns.JoinAsync(tor, "out0", ["198.51.100.254/24", "fd98::fe/64"], this["outside"], "eth0",
            [$"{Outside4}/24", $"{Outside6}/64"]);
        foreach (var (name, ipv4, ipv6) in ((string, string, string)[])
            [("client", "172.20.0.254", "fd20::fe"), ("far", "172.21.0.254", "fd21::fe"), ("outside", "198.51.100.254", "fd98::fe")])
        {
            await this[name].IpAsync($"route add default via {ipv4}");
            await this[name].IpAsync($"-6 route add default via {ipv6}");
        }
        // As by BGP: a way of the node's own to the gateways' block there.
        await this["client"].IpAsync("route add 10.10.10.0/28 via 172.20.0.254");
        await this["client"].IpAsync("-6 route add fd10::/124 via fd20::fe");
        await tor.IpAsync("route add 192.168.1.0/24 via 172.20.0.1");
        await tor.IpAsync("-6 route add fd01::1:0/112 via fd20::1");
        foreach (var (to, ipv6, by, by6) in ((string, string, string, string)[])
            [("10.10.10.0/28", "fd10::/124", "172.21.0.11", "fd21::b"), ("10.10.10.16/28", "fd10::10/124", "172.20.0.1", "fd20::1")])
        {
            await tor.IpAsync($"route add {to} via {by}");
            await tor.IpAsync($"-6 route add {ipv6} via {by6}");
        }
        tor.Tell("""
            table inet wall {
             counter others { }
             chain output {
              type filter hook output priority 0; policy accept;
              icmp type destination-unreachable drop
              icmpv6 type packet-too-big drop
             }
             chain forward {
              type filter hook forward priority 0; policy accept;
              icmp type destination-unreachable drop
              icmpv6 type packet-too-big drop
              oifname "out0" ip saddr 10.10.10.0/24 accept
              oifname "out0" ip6 saddr fd10::/64 accept
              oifname "out0" ip6 nexthdr ipv6-icmp icmpv6 type 133-136 accept
              oifname "out0" counter name others drop
             }
            }
            """, "nft", "-f", "-");
    }

    public Task StartAsync(string name, string egress) =>
        StartAsync(name, name == "client" ? Client4 : Far4, $"egress: {egress}");

    /// <summary>Whom the server saw; null: nobody.</summary>
    public async Task<string?> SeenAsync(Transport transport = Transport.Tcp, bool ipv6 = false, int attempts = 4) =>
        (await Echo.SeenAsync(this["a"], ipv6 ? Pod6 : Pod4, ipv6 ? Outside6 : Outside4, transport, attempts: attempts))?
            .Address.ToString();

    public Task SeesAsync(params string[] addresses) => Until.TrueAsync($"a leaves with {string.Join(" or ", addresses)}",
        async () => await SeenAsync(attempts: 1) is { } seen && addresses.Contains(seen), Patience, SaidAsync);
}

/// <summary>What the cluster of the site has.</summary>
internal static class EgressFarObjects
{
    /// <param name="annotations">Of the client pod's namespace.</param>
    public static string Cluster(string annotations) => $$"""
        {{Node("client", "172.20.0.1/24", "fd20::1/64", "")}}
        {{Node("far", "172.21.0.11/24", "fd21::b/64", "egress: 'true'")}}
        {{Pool("pods", "192.168.0.0/16", nat: true)}}
        {{Pool("pods6", "fd01::/64", nat: true)}}
        {{Pool("red", "10.10.10.0/27")}}
        {{Pool("red6", "fd10::/120")}}
        {{Space("edge", "")}}
        {{Space("alpha", annotations)}}
        apiVersion: v1
        kind: Pod
        metadata: { name: a, namespace: alpha }
        spec: { nodeName: client }
        status: { podIPs: [{ ip: {{EgressFarSite.Pod4}} }, { ip: "{{EgressFarSite.Pod6}}" }] }
        ---

        """;

    public const string Choosing = "egress.projectcalico.org/selector: \"code == 'red'\", "
        + "egress.projectcalico.org/namespaceSelector: \"projectcalico.org/name == 'edge'\"";

    public const string NodeGateway = """
        apiVersion: operator.tigera.io/v1
        kind: EgressGateway
        metadata: { name: red, namespace: edge }
        spec:
          ipPools: [{ name: red }, { name: red6 }]
          template: { metadata: { labels: { code: red } }, spec: { nodeSelector: { egress: 'true' } } }
        ---

        """;

    public static string GatewayPod(string name, bool isReady = true) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: { name: {{name}}, namespace: edge, labels: { code: red } }
        spec: { nodeName: {{EgressFarSite.GatewayPods.First(one => one.Name == name).Node}} }
        status:
          conditions: [{ type: Ready, status: "{{isReady}}" }]
          podIPs: [{ ip: {{EgressFarSite.Gateway(name)}} }, { ip: "{{EgressFarSite.Gateway(name, ipv6: true)}}" }]
        ---

        """;

    public static string Node(string name, string ipv4, string? ipv6, string labels) => $$"""
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: { name: {{name}}, labels: { {{labels}} } }
        spec: { bgp: { ipv4Address: {{ipv4}}{{(ipv6 == null ? "" : $", ipv6Address: \"{ipv6}\"")}} } }
        ---
        """;

    public static string Pool(string name, string cidr, bool nat = false) => $$"""
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: { name: {{name}} }
        spec:
          cidr: "{{cidr}}"
          natOutgoing: {{(nat ? "true" : "false")}}
          nodeSelector: "{{(nat ? "all()" : "!all()")}}"
          blockSize: {{(cidr.Contains(':') ? nat ? 122 : 128 : nat ? 26 : 32)}}
        ---
        """;

    public static string Space(string name, string annotations) => $$"""
        apiVersion: v1
        kind: Namespace
        metadata: { name: {{name}}, annotations: { {{annotations}} } }
        ---
        """;
}
