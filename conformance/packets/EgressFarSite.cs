// A site whose gateways are on no link of their clients' node: between them routes a switch that knows nobody's pods but by their nodes,
// tells nobody that a packet was too large, and lets none but gateways through to the world outside.
//
//   pods ── cali… ── client ── tor ── far ── cali… ── gateway pods
//                               │
//                            outside
using System.Security.Cryptography;
using System.Text;

namespace Calico.Bgp.Conformance.Packets;

internal sealed class EgressFarSite : IAsyncDisposable
{
    private const int Patience = 60;

    public const string Outside4 = "198.51.100.1", Outside6 = "fd98::1", Client4 = "172.20.0.1", Far4 = "172.21.0.11",
        Red4 = "10.10.10.0", Red6 = "fd10::", Pod4 = "192.168.1.2", Pod6 = "fd01::1:2";

    /// <summary>Gateway pods, by name: on which node, and the last part of both addresses.</summary>
    public static readonly (string Name, string Node, int Number)[] GatewayPods =
        [("g1", "far", 9), ("g2", "far", 10), ("g3", "client", 17)];

    private readonly Dictionary<string, Netns> spaces = [];
    private readonly Dictionary<string, Background> processes = [];
    private readonly List<Echo> echoes = [];
    private readonly Scratch folder = new();

    public Netns this[string name] => spaces[name];

    public static string Gateway(string name, bool ipv6 = false) =>
        GatewayPods.First(one => one.Name == name).Number is var number && ipv6 ? $"fd10::{number:x}" : $"10.10.10.{number}";

    private string PathOf(string name) => folder.PathOf(name);

    /// <param name="withPods">Gateway pods beside the nodes.</param>
    public static async Task<EgressFarSite> MakeAsync(bool withPods)
    {
        var site = new EgressFarSite();
        foreach (var role in (string[])["client", "far", "tor", "outside", "a", .. withPods ? GatewayPods.Select(pod => pod.Name) : []])
        {
            var space = site.spaces[role] = await Netns.MakeAsync(role[..1]);
            space.Forward();
        }
        site["client"].Set("net/ipv4/fib_multipath_hash_policy=1", "net/ipv6/fib_multipath_hash_policy=1");
        await site.WireAsync();
        await site.AddPodAsync("client", "alpha", "a", Pod4, Pod6);
        if (withPods)
            foreach (var (name, node, _) in GatewayPods) await site.AddPodAsync(node, "edge", name, Gateway(name), Gateway(name, true));
        site.echoes.AddRange([new(site["outside"], Outside4), new(site["outside"], Outside6), new(site["client"], Client4)]);
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

    /// <summary>How many packets have come to the wall that no gateway has sent.</summary>
    public async Task<long> OthersAsync()
    {
        var listed = await this["tor"].DoAsync("nft", "list", "counter", "inet", "wall", "others");
        return long.Parse(listed[(listed.IndexOf("packets ", StringComparison.Ordinal) + 8)..].Split(' ')[0]);
    }

    private async Task AddPodAsync(string on, string within, string name, string ipv4, string ipv6)
    {
        var (node, space) = (this[on], this[name]);
#pragma warning disable CA5350 // Calico's rule: a name, no secret
        var link = "cali" + Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes($"{within}.{name}")))[..11];
#pragma warning restore CA5350
        await Netns.JoinAsync(node, link, ["fe80::1/64"], space, "eth0", [$"{ipv4}/32", $"{ipv6}/128"]);
        await node.IpAsync($"route add {ipv4}/32 dev {link}");
        await node.IpAsync($"-6 route add {ipv6}/128 dev {link}");
        await node.IpAsync($"link set {link} address ee:ee:ee:ee:ee:ee");
        await space.IpAsync("route add 169.254.1.1 dev eth0");
        await space.IpAsync("route add default via 169.254.1.1");
        await space.IpAsync("neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0");
        await space.IpAsync("-6 route add default via fe80::1 dev eth0");
    }

    /// <summary>Objects of the whole cluster, written as an editor writes them: beside, then moved over.</summary>
    public void Write(string objects)
    {
        Directory.CreateDirectory(PathOf("resources"));
        var file = PathOf("resources/all.yaml");
        File.WriteAllText(file + ".new~", objects);
        File.Move(file + ".new~", file, overwrite: true);
    }

    public async Task StartAsync(string name, string egress)
    {
        await File.WriteAllTextAsync(PathOf($"{name}.yaml"), $$"""
            node: {{name}}
            router: { asNumber: 64512, id: {{(name == "client" ? Client4 : Far4)}} }
            sources: [{ files: {{PathOf("resources")}} }]
            control: { http: ["unix:{{PathOf(name)}}"] }
            nat: { enabled: true }
            egress: {{egress}}

            """);
        Run(name, this[name], "--config", PathOf($"{name}.yaml"));
        await ToldAsync(name, answer => answer.Contains("\"enabled\":true", StringComparison.Ordinal));
    }

    /// <summary>Another program of ours, or the same again.</summary>
    public void Run(string name, Netns space, params string[] words) =>
        processes[name] = Background.Start(space, PathOf($"{name}.log"), null, Project.Daemon, words);

    public Background Process(string name) => processes[name];

    public Task KillAsync(string name) => processes[name].KillAsync();

    public async Task<string> HttpAsync(string name, string path) =>
        (await this[name].RunAsync("curl", "-s", "--unix-socket", PathOf(name), "http://bgpd" + path)).Output;

    public Task ToldAsync(string name, Func<string, bool> holds) => Until.TrueAsync($"{name} says so",
        async () => holds(await HttpAsync(name, "/v1/egress")), Patience,
        async () => await HttpAsync(name, "/v1/egress") + await SaidAsync());

    /// <summary>Whom the server saw; null: nobody.</summary>
    public async Task<string?> SeenAsync(Transport transport = Transport.Tcp, bool ipv6 = false, int attempts = 4) =>
        (await Echo.SeenAsync(this["a"], ipv6 ? Pod6 : Pod4, ipv6 ? Outside6 : Outside4, transport, attempts: attempts))?
            .Address.ToString();

    public Task SeesAsync(params string[] addresses) => Until.TrueAsync($"a leaves with {string.Join(" or ", addresses)}",
        async () => await SeenAsync(attempts: 1) is { } seen && addresses.Contains(seen), Patience, SaidAsync);

    /// <summary>For the message of who waits in vain.</summary>
    public async Task<string> SaidAsync()
    {
        var said = new StringBuilder();
        foreach (var (name, process) in processes)
        {
            said.AppendLine($"--- {name}").AppendLine(process.Said);
            foreach (var words in (string[])["rule", "route show table all", "nexthop", "-s -d link", "neigh"])
                said.AppendLine($"{name}# ip {words}").AppendLine((await this[name].RunAsync("ip", words.Split(' '))).Output);
            said.AppendLine((await this[name].RunAsync("bridge", "fdb")).Output);
            said.AppendLine((await this[name].RunAsync("nft", "list", "ruleset")).Output);
        }
        return said.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes.Values) await process.DisposeAsync();
        foreach (var echo in echoes) echo.Dispose();
        foreach (var space in spaces.Values) await space.RemoveAsync();
        folder.Dispose();
    }
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

    private static string Node(string name, string ipv4, string ipv6, string labels) => $$"""
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: { name: {{name}}, labels: { {{labels}} } }
        spec: { bgp: { ipv4Address: {{ipv4}}, ipv6Address: "{{ipv6}}" } }
        ---
        """;

    private static string Pool(string name, string cidr, bool nat = false) => $$"""
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

    private static string Space(string name, string annotations) => $$"""
        apiVersion: v1
        kind: Namespace
        metadata: { name: {{name}}, annotations: { {{annotations}} } }
        ---
        """;
}
