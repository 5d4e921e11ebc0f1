// A site with gateways: a node with pods, two nodes that are gateways, a top-of-rack switch that speaks BGP (BIRD or FRR), and a firewall
// in front of the world outside, which lets nobody through but gateways and counts who else comes.
//
//   pods ── cali… ── client ─┐
//                     gate1 ─┤ (bridge) tor ── firewall ── outside
//                     gate2 ─┘
using System.Text;
using System.Text.Json;
using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Packets;

internal sealed class EgressSite : IAsyncDisposable
{
    /// <summary>Seconds for what comes at once on a machine with nothing else to do.</summary>
    private const int Patience = 120;

    public const string Outside4 = "198.51.100.1", Outside6 = "fd98::1", Client4 = "172.20.0.1";

    /// <summary>Where the first addresses of each gateway's pools are; red has two nodes, and so two addresses.</summary>
    public const string Red4 = "10.10.10.0", RedToo4 = "10.10.10.1", Blue4 = "10.10.11.0", Green4 = "10.10.12.0",
        Red6 = "fd10::", RedToo6 = "fd10::1";

    /// <summary>Namespace, name, and the last part of both addresses.</summary>
    public static readonly (string Space, string Name, int Number)[] Pods =
        [
        ("alpha", "a", 2), ("beta", "b", 3), ("own", "o", 4), ("plain", "p", 5), ("plain", "deployed", 6),
        ("bad", "x", 7), ("ruled", "r", 8),
    ];

    private readonly (string Name, int Number)[] hosts;

    private readonly Dictionary<string, Netns> spaces = [];
    private readonly Dictionary<string, Background> daemons = [];
    private readonly List<Echo> echoes = [];
    private readonly Scratch folder = new();
    private readonly List<int> heirs = [];
    private Background? monitor;
    private Background[] tor = [];

    private EgressSite(int gates) =>
        hosts = [("client", 1), .. Enumerable.Range(1, gates).Select(number => ($"gate{number}", 10 + number))];

    /// <summary>Sections beside nat, of daemons that start from now on.</summary>
    public string Egress { get; set; } = "egress: { enabled: true }";

    /// <summary>For so long the ToR is asked to keep a node's routes when its session is gone.</summary>
    public string RestartTime { get; init; } = "60s";

    public Netns this[string name] => spaces[name];

    public static string Address(int number, bool ipv6 = false) => ipv6 ? $"fd01::1:{number}" : $"192.168.1.{number}";

    public static string AddressOf(string pod, bool ipv6 = false) => Address(Pods.First(one => one.Name == pod).Number, ipv6);

    public string PathOf(string name) => folder.PathOf(name);

    /// <param name="egress">The section; null: it is switched on, and says no more.</param>
    /// <param name="tor">bird or frr.</param>
    /// <param name="gates">Nodes that may be gateways; what the cluster has of the third is the test's (<see cref="EgressObjects.Node"/>).
    /// </param>
    public static async Task<EgressSite> MakeAsync(string? egress = null, string tor = "bird", int gates = 2, string restartTime = "60s")
    {
        var site = new EgressSite(gates) { Egress = egress ?? "egress: { enabled: true }", RestartTime = restartTime };
        var hosts = site.hosts.Select(host => host.Name);
        foreach (var role in (string[])[.. hosts, "tor", "firewall", "outside", .. Pods.Select(pod => pod.Name)])
        {
            var space = site.spaces[role] = await Netns.MakeAsync(role[..1]);
            space.Forward();
        }
        // Flows are dealt by their ports, too.
        site["client"].Set("net/ipv4/fib_multipath_hash_policy=1", "net/ipv6/fib_multipath_hash_policy=1");
        await site.WireAsync();
        foreach (var (within, name, number) in Pods)
            await PodLink.AddAsync(site["client"], site[name], within, name, Address(number), Address(number, true));
        site.echoes.AddRange([new(site["outside"], Outside4), new(site["outside"], Outside6), new(site["client"], Client4)]);
        if (tor == "frr") await site.StartFrrAsync();
        else await site.StartBirdAsync();
        return site;
    }

    private async Task WireAsync()
    {
        var (tor, firewall, outside) = (this["tor"], this["firewall"], this["outside"]);
        await tor.BridgeAsync("br0");
        foreach (var (name, number) in hosts)
        {
            await Netns.JoinAsync(tor, $"p-{name}", [], this[name], "eth0", [$"172.20.0.{number}/24", $"fd20::{number}/64"]);
            await tor.IpAsync($"link set p-{name} master br0");
            await this[name].IpAsync("route add default via 172.20.0.254");
            await this[name].IpAsync("-6 route add default via fd20::fe");
            if (number == 1) continue;
            await this[name].IpAsync($"route add 192.168.1.0/24 via {Client4}");
            await this[name].IpAsync("-6 route add fd01::1:0/112 via fd20::1");
        }
        await tor.RaiseAsync("br0", "172.20.0.254/24", "fd20::fe/64");
        await Netns.JoinAsync(tor, "out0", ["192.0.2.1/30", "fd97::1/64"], firewall, "in0", ["192.0.2.2/30", "fd97::2/64"]);
        await Netns.JoinAsync(firewall, "out0", ["198.51.100.254/24", "fd98::fe/64"],
            outside, "eth0", [$"{Outside4}/24", $"{Outside6}/64"]);
        await tor.IpAsync("route add default via 192.0.2.2");
        await tor.IpAsync("-6 route add default via fd97::2");
        await firewall.IpAsync("route add default via 192.0.2.1");
        await firewall.IpAsync("-6 route add default via fd97::1");
        await outside.IpAsync("route add default via 198.51.100.254");
        await outside.IpAsync("-6 route add default via fd98::fe");
        // What comes back that is outside's own has left nowhere: an answer to a pod whose route the ToR has not heard of yet. Nor has a
        // node's own word that it knows of no such pod.
        firewall.Tell("""
            table inet wall {
             counter others { }
             chain forward {
              type filter hook forward priority 0; policy accept;
              iifname "in0" ip saddr 10.10.0.0/16 accept
              iifname "in0" ip6 saddr fd10::/64 accept
              iifname "in0" ip6 nexthdr ipv6-icmp icmpv6 type 133-136 accept
              iifname "in0" icmp type destination-unreachable drop
              iifname "in0" icmpv6 type destination-unreachable drop
              iifname "in0" ip saddr 198.51.100.0/24 drop
              iifname "in0" ip6 saddr fd98::/64 drop
              iifname "in0" counter name others drop
             }
            }
            """, "nft", "-f", "-");
    }

    /// <summary>How many packets have come to the firewall that no gateway has sent.</summary>
    public async Task<long> OthersAsync()
    {
        var listed = await this["firewall"].DoAsync("nft", "list", "counter", "inet", "wall", "others");
        return long.Parse(listed[(listed.IndexOf("packets ", StringComparison.Ordinal) + 8)..].Split(' ')[0]);
    }

    private async Task StartBirdAsync()
    {
        await File.WriteAllTextAsync(PathOf("bird.conf"), $$"""
            log stderr all;
            router id 172.20.0.254;
            protocol device { scan time 1; }
            protocol kernel { ipv4 { export all; }; }
            protocol kernel { ipv6 { export all; }; }
            {{string.Join('\n', hosts.Select(host => $$"""
                protocol bgp of_{{host.Name}} {
                  local 172.20.0.254 as 65001; neighbor 172.20.0.{{host.Number}} as 64512; passive on; hold time 9; error wait time 1,2;
                  ipv4 { import all; export none; };
                }
                protocol bgp of_{{host.Name}}6 {
                  local fd20::fe as 65001; neighbor fd20::{{host.Number}} as 64512; passive on; hold time 9; error wait time 1,2;
                  ipv6 { import where net ~ [ fd10::/64+ ]; export none; };
                }
                """))}}
            """);
        tor = [Background.Start(this["tor"], PathOf("bird.log"), null, "bird", "-f", "-c", PathOf("bird.conf"), "-s", PathOf("bird.ctl"),
            "-P", PathOf("bird.pid"))];
        await Until.TrueAsync("BIRD answers", async () =>
            (await Shell.RunAsync("birdc", "-s", PathOf("bird.ctl"), "show", "status")).Good);
    }

    private async Task StartFrrAsync()
    {
        string[] ipv4 = [.. hosts.Select(host => $"172.20.0.{host.Number}")], ipv6 = [.. hosts.Select(host => $"fd20::{host.Number}")];
        tor = await FrrPrograms.StartAsync(this["tor"], folder, $"""
            router bgp 65001
             bgp router-id 172.20.0.254
             no bgp ebgp-requires-policy
             no bgp default ipv4-unicast
             timers bgp 3 9
            {string.Join('\n', ipv4.Concat(ipv6).Select(node => $" neighbor {node} remote-as 64512\n neighbor {node} passive"))}
            {Family("ipv4", ipv4)}
            {Family("ipv6", ipv6)}
            ip prefix-list none deny any
            ipv6 prefix-list none deny any
            """);

        static string Family(string name, string[] nodes) => $" address-family {name} unicast\n"
            + string.Concat(nodes.Select(node => $"  neighbor {node} activate\n  neighbor {node} prefix-list none out\n"))
            + " exit-address-family";
    }

    /// <summary>What somebody asks a target upstream with that source does not come to it, or comes again.</summary>
    /// <param name="target">Null: whatever he asks.</param>
    public void Silence(string at, string source, bool isSilent, string? target = null)
    {
        var table = $"inet silent{source.Replace('.', '_')}{target?.Replace('.', '_')}";
        this[at].Tell($$"""
            table {{table}} { }
            delete table {{table}}
            {{(isSilent ? $"table {table} {{\n chain asked {{\n  type filter hook prerouting priority -10;\n"
                + $"  ip saddr {source} {(target == null ? "" : $"ip daddr {target} ")}icmp type echo-request drop\n }}\n}}" : "")}}
            """, "nft", "-f", "-");
    }

    /// <summary>Whoever asks that port with one of these sources is told that nobody listens; none: everybody is heard again.</summary>
    public void Refuse(string at, string[] sources, int port = 0) => this[at].Tell($$"""
        table inet refused { }
        delete table inet refused
        {{(sources.Length == 0 ? "" : "table inet refused {\n chain asked {\n  type filter hook input priority 0;\n"
            + $"  ip saddr {{ {string.Join(", ", sources.Distinct())} }} tcp dport {port} reject with tcp reset\n }}\n}}")}}
        """, "nft", "-f", "-");

    /// <summary>Objects of the whole cluster, written as an editor writes them: beside, then moved over.</summary>
    /// <param name="plain">Annotations of that namespace.</param>
    /// <param name="ofA">Annotations of the pod a.</param>
    /// <param name="ofRed">Of the gateway red's spec, beside its pools and nodes.</param>
    /// <param name="ofPods">Of the spec of the pods' IPv4 pool.</param>
    /// <param name="withPolicy">The EgressGatewayPolicy is there.</param>
    public void Write(
        string more = "", string plain = "", string ofA = "", string ofRed = "", string ofPods = "", bool withPolicy = true)
    {
        Directory.CreateDirectory(PathOf("resources"));
        var file = PathOf("resources/all.yaml");
        File.WriteAllText(file + ".new~", EgressObjects.All.Replace(
            EgressObjects.Space("plain", ""), EgressObjects.Space("plain", plain), StringComparison.Ordinal)
            .Replace(EgressObjects.Pod("alpha", "a", 2), EgressObjects.Pod("alpha", "a", 2, ofA), StringComparison.Ordinal)
            .Replace("ipPools: [{ name: red }, { name: red6 }]", $"ipPools: [{{ name: red }}, {{ name: red6 }}]\n  {ofRed}",
                StringComparison.Ordinal)
            .Replace("cidr: \"192.168.0.0/16\"", $"cidr: \"192.168.0.0/16\"\n  {ofPods}", StringComparison.Ordinal)
            .Replace(EgressObjects.Mixed, withPolicy ? EgressObjects.Mixed : "", StringComparison.Ordinal) + more);
        File.Move(file + ".new~", file, overwrite: true);
    }

    public async Task StartAsync(params string[] nodes)
    {
        foreach (var name in nodes)
            daemons[name] = Background.Start(this[name], PathOf($"{name}.log"), null, Project.Daemon, "--config",
                await ConfigureAsync(name, $"nat: {{ enabled: true }}\n{Egress}"));
        foreach (var name in nodes)
            await Until.TrueAsync($"{name} has its rules", async () =>
            {
                var answer = await this[name].RunAsync("nft", "list", "table", "inet", "bgpd");
                return answer.Good && answer.Output.Contains("eg-inside4", StringComparison.Ordinal);
            }, Patience, SaidAsync);
    }

    private async Task<string> ConfigureAsync(string name, string sections)
    {
        var (number, file) = (hosts.First(host => host.Name == name).Number, PathOf($"{name}.yaml"));
        await File.WriteAllTextAsync(file, $$"""
            node: {{name}}
            router: { asNumber: 64512, id: 172.20.1.{{100 - number}} }
            sources: [{ files: {{PathOf("resources")}} }]
            control: { http: ["unix:{{PathOf(name)}}"] }
            {{sections}}
            # The nodes tell each other of their gateways, too, and the ToR would take another's way to one for as good as its own.
            filters: { own: [{ match: { source: bgp }, action: Reject }, { action: Accept }] }
            peers:
            - &tor { name: tor, peerIP: 172.20.0.254, asNumber: 65001, families: [ipv4], import: reject, export: [own],
                connectRetryTime: 1s, idleHoldTime: 200ms, gracefulRestartTime: {{RestartTime}} }
            - { <<: *tor, name: tor6, peerIP: "fd20::fe", families: [ipv6] }

            """);
        return file;
    }

    /// <summary>The section goes, while the daemon runs.</summary>
    public Task EndEgressAsync(string name) => ConfigureAgainAsync(name, "");

    /// <summary>The section is another, while the daemon runs.</summary>
    public async Task ConfigureAgainAsync(string name, string egress)
    {
        await ConfigureAsync(name, "nat: { enabled: true }\n" + egress);
        daemons[name].Signal("HUP");
    }

    /// <summary>By the same file but for these sections.</summary>
    public async Task StartWithAsync(string name, string sections) => daemons[name] = Background.Start(
        this[name], PathOf($"{name}.log"), null, Project.Daemon, "--config", await ConfigureAsync(name, sections));

    public Task<string> FlushAsync(string name) => this[name].DoAsync(Project.Daemon, "--flush", "--config", PathOf($"{name}.yaml"));

    /// <summary>What of gateways there is in the node's kernel: rules, tables, next hops.</summary>
    public async Task<string> LeftAsync(string name)
    {
        var all = new StringBuilder();
        foreach (var words in (string[])["rule", "-6 rule", "nexthop", "route show table all", "-6 route show table all"])
            all.Append(await this[name].IpAsync(words));
        return string.Join('\n', all.ToString().Split('\n').Where(line => line.Contains(" 7000", StringComparison.Ordinal)
            || line.Contains(" 701", StringComparison.Ordinal) || line.StartsWith("id ", StringComparison.Ordinal)));
    }

    /// <summary>The node's wire is cut, as the others see it: their links stay up.</summary>
    public Task CutAsync(string name) => this["tor"].IpAsync($"link set p-{name} nomaster");

    public Task MendAsync(string name) => this["tor"].IpAsync($"link set p-{name} master br0");

    /// <summary>What its daemon has said, line by line.</summary>
    public string[] LinesOf(string name) => File.ReadAllLines(PathOf($"{name}.log"));

    /// <summary>Nothing while the daemon does not listen yet.</summary>
    public async Task<string> HttpAsync(string name, string path) =>
        (await this[name].RunAsync("curl", "-s", "--unix-socket", PathOf(name), "http://bgpd" + path)).Output;

    public Task ToldAsync(string name, Func<string, bool> holds) => Until.TrueAsync($"{name} says so",
        async () => holds(await HttpAsync(name, "/v1/egress")), Patience,
        async () => await HttpAsync(name, "/v1/egress") + await SaidAsync());

    /// <summary>BFD hears so many nodes, by one family or the other.</summary>
    public Task HeardAsync(string name, int nodes) => Until.TrueAsync(
        $"{name} hears {nodes} nodes", () => HearsAsync(name, nodes), Patience,
        async () => await HttpAsync(name, "/v1/bfd") + await SaidAsync());

    public async Task<bool> HearsAsync(string name, int nodes) =>
        (await HttpAsync(name, "/v1/bfd")).Split("\"state\":\"up\"").Length > 2 * nodes;

    /// <summary>Its sessions are established, and no restart is waited for.</summary>
    public Task SettledAsync(string name) => Until.TrueAsync($"{name} has settled", async () =>
        await HttpAsync(name, "/v1/status") is { Length: > 0 } status && JsonDocument.Parse(status).RootElement is var root
        && root.TryGetProperty("sessions", out var sessions) && !root.TryGetProperty("recovery", out _)
        && sessions.GetProperty("established").GetInt32() == sessions.GetProperty("enabled").GetInt32(), Patience, SaidAsync);

    public int PidOf(string name) => daemons[name].Pid;

    public Task KillAsync(string name) => daemons[name].KillAsync();

    public Task EndAsync(string name)
    {
        daemons[name].Signal("TERM");
        return daemons[name].EndedAsync();
    }

    /// <summary>Another process takes the place of the node's daemon.</summary>
    public async Task UpgradeAsync(string name)
    {
        var said = await Shell.RunAsync(Project.Bgpctl, "--socket", PathOf(name), "--json", "upgrade");
        Assert.True(said.Good, $"{said.Errors}\n{await SaidAsync()}");
        heirs.Add(JsonDocument.Parse(said.Output).RootElement.GetProperty("process").GetInt32());
        await daemons[name].EndedAsync();
    }

    /// <summary>Ends the one that has taken over, too: it is no child of ours.</summary>
    public async Task EndHeirsAsync()
    {
        foreach (var heir in heirs) Signals.Send(heir, "TERM");
        foreach (var heir in heirs) await Until.TrueAsync("it has ended", () => !Directory.Exists($"/proc/{heir}"));
        heirs.Clear();
    }

    /// <summary>All that becomes of routes at the ToR is written from now on.</summary>
    public async Task<Func<string>> ListenAsync()
    {
        var heard = PathOf("heard");
        monitor = Background.Start(this["tor"], heard, null, "ip", "monitor", "route");
        await Until.TrueAsync("the ToR's changes are heard", async () =>
        {
            await this["tor"].IpAsync("route add blackhole 192.0.2.99");
            await this["tor"].IpAsync("route del blackhole 192.0.2.99");
            return File.Exists(heard) && (await File.ReadAllTextAsync(heard)).Contains("192.0.2.99", StringComparison.Ordinal);
        }, Patience, () => monitor.Said);
        return () => File.ReadAllText(heard);
    }

    /// <summary>The ToR knows the way to a gateway's address.</summary>
    public Task AnnouncedAsync(string address, bool isThere = true) => Until.TrueAsync(
        $"{address} is {(isThere ? "" : "not ")}announced", async () =>
            (await this["tor"].IpAsync($"{(address.Contains(':') ? "-6 " : "")}route show {address}"))
                .Contains("via", StringComparison.Ordinal) == isThere, Patience, SaidAsync);

    /// <summary>Whom the server saw; null: nobody.</summary>
    public async Task<string?> SeenAsync(string pod, Transport transport = Transport.Tcp, bool ipv6 = false, int attempts = 4) =>
        (await Echo.SeenAsync(this[pod], AddressOf(pod, ipv6), ipv6 ? Outside6 : Outside4, transport, attempts: attempts))?
            .Address.ToString();

    public Task SeesAsync(string pod, string address) => Until.TrueAsync($"{pod} leaves with {address}",
        async () => await SeenAsync(pod, attempts: 1) == address, Patience, SaidAsync);

    /// <summary>For the message of who waits in vain.</summary>
    public async Task<string> SaidAsync()
    {
        var said = new StringBuilder();
        foreach (var (name, daemon) in daemons)
        {
            said.AppendLine($"--- {name}").AppendLine(daemon.Said);
            foreach (var words in (string[])["rule", "route show table all", "nexthop", "-6 rule"])
                said.AppendLine($"{name}# ip {words}").AppendLine((await this[name].RunAsync("ip", words.Split(' '))).Output);
            said.AppendLine((await this[name].RunAsync("nft", "list", "table", "inet", "bgpd")).Output);
        }
        foreach (var one in tor) said.AppendLine(one.Said);
        return said.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var daemon in daemons.Values) await daemon.DisposeAsync();
        if (monitor != null) await monitor.DisposeAsync();
        await EndHeirsAsync();
        foreach (var one in tor) await one.DisposeAsync();
        foreach (var echo in echoes) echo.Dispose();
        foreach (var space in spaces.Values) await space.RemoveAsync();
        folder.Dispose();
    }
}

/// <summary>What the cluster of the site has: three patterns of Calico's documents, and a namespace that names a policy which is not
/// there.</summary>
internal static class EgressObjects
{
    public static string All => $$"""
        {{Node("client", 1, "role: client")}}
        {{Node("gate1", 11, "egress: 'true', site: one")}}
        {{Node("gate2", 12, "egress: 'true', site: two")}}
        {{Pool("pods", "192.168.0.0/16", nat: true)}}
        {{Pool("pods6", "fd01::/16", nat: true)}}
        {{Pool("red", "10.10.10.0/30")}}
        {{Pool("red6", "fd10::/120")}}
        {{Pool("blue", "10.10.11.0/31")}}
        {{Pool("green", "10.10.12.0/31")}}
        {{Gateway("red", "red, red6", "egress: 'true'")}}
        {{Gateway("blue", "blue", "site: one")}}
        {{Gateway("green", "green", "site: two")}}
        {{Mixed}}
        {{Space("edge", "")}}
        {{Space("alpha", Choosing("red"))}}
        {{Space("beta", Choosing("red"))}}
        {{Space("own", Choosing("blue"))}}
        {{Space("plain", "")}}
        {{Space("bad", "egress.projectcalico.org/egressGatewayPolicy: nowhere")}}
        {{Space("ruled", "egress.projectcalico.org/egressGatewayPolicy: mixed")}}
        {{string.Join('\n', EgressSite.Pods.Select(pod => Pod(pod.Space, pod.Name, pod.Number)))}}

        """;

    public static readonly string Mixed = Policy("mixed", """
        { destination: { cidr: 10.0.0.0/8 } },
        { gateway: { selector: "code == 'blue'", namespaceSelector: "projectcalico.org/name == 'edge'" } }
        """);

    public static string Choosing(string gateway) => $"egress.projectcalico.org/selector: \"code == '{gateway}'\", "
        + "egress.projectcalico.org/namespaceSelector: \"projectcalico.org/name == 'edge'\"";

    public static string Node(string name, int number, string labels) => $$"""
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: { name: {{name}}, labels: { {{labels}} } }
        spec: { bgp: { ipv4Address: 172.20.0.{{number}}/24, ipv6Address: "fd20::{{number}}/64" } }
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

    public static string Gateway(string name, string pools, string nodes) => $$"""
        apiVersion: operator.tigera.io/v1
        kind: EgressGateway
        metadata: { name: {{name}}, namespace: edge }
        spec:
          ipPools: [{{string.Join(", ", pools.Split(", ").Select(pool => $"{{ name: {pool} }}"))}}]
          template: { metadata: { labels: { code: {{name}} } }, spec: { nodeSelector: { {{nodes}} } } }
        ---
        """;

    private static string Policy(string name, string rules) => $$"""
        apiVersion: projectcalico.org/v3
        kind: EgressGatewayPolicy
        metadata: { name: {{name}} }
        spec: { rules: [{{rules.Replace("\n", " ")}}] }
        ---
        """;

    public static string Space(string name, string annotations) => $$"""
        apiVersion: v1
        kind: Namespace
        metadata: { name: {{name}}, annotations: { {{annotations}} } }
        ---
        """;

    public static string Pod(string within, string name, int number, string annotations = "") => $$"""
        apiVersion: v1
        kind: Pod
        metadata: { name: {{name}}, namespace: {{within}}, annotations: { {{(name == "deployed" ? Choosing("green") : annotations)}} } }
        spec: { nodeName: client }
        status: { podIPs: [{ ip: {{EgressSite.Address(number)}} }, { ip: "{{EgressSite.Address(number, ipv6: true)}}" }] }
        ---
        """;
}
