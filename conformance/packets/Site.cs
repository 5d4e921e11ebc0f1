// A site with packets: a node with pods under bgpd's NAT, a second node, a top-of-rack switch, and the world outside.
//
//   pods ── cali… ── node ─┐
//                          ├─ (bridge) tor ── outside
//                   node2 ─┘
//
// The ToR knows the way back to every pod, so that a packet that leaves untranslated is answered, and seen for what it is.
using Calico.Bgp.Conformance.Fabric;
using Calico.Bgp.Conformance.Golden;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>Where a pod's addresses come from.</summary>
internal sealed record Pod(string Name, string IPv4, string IPv6);

internal sealed class Site : IAsyncDisposable
{
    public const string Node4 = "172.20.0.1", Node6 = "fd20::1", Other4 = "172.20.0.2", Other6 = "fd20::2";
    public const string Outside4 = "198.51.100.1", Outside6 = "fd98::1", Exempt4 = "10.1.1.1", Exempt6 = "fd0a::1";

    /// <summary>Seconds for what comes at once on a machine with nothing else to do.</summary>
    public const int Patience = 120;

    /// <summary>One for each kind of source pool, and a second one in the first one's.</summary>
    public static readonly Pod[] Pods =
    [
        new("nat", "192.168.1.2", "fd01::1:2"), new("nat-too", "192.168.1.3", "fd01::1:3"), new("plain", "172.16.1.2", "fd02::1:2"),
        new("public", "203.0.113.2", "2001:db8:1::2"), new("disabled", "100.64.1.2", "fd03::1:2"), new("none", "100.99.1.2", "fd09::1:2"),
    ];

    /// <summary>In the pool nat, on the second node.</summary>
    public const string Remote4 = "192.168.2.2", Remote6 = "fd01::2:2";

    private readonly Dictionary<string, Netns> pods = [];
    private readonly List<Netns> spaces = [];
    private readonly List<Echo> echoes = [];
    private readonly Scratch folder = new();

    public Netns Node { get; private set; } = null!;
    public Netns Other { get; private set; } = null!;
    public Netns Tor { get; private set; } = null!;
    public Netns Outside { get; private set; } = null!;
    public Background? Daemon { get; private set; }

    /// <summary>More lines of bgpd.yaml: peers, routes, and what nat says.</summary>
    public string Configuration { get; set; } = "nat: { enabled: true }\n";

    public Netns this[string pod] => pods[pod];

    /// <summary>Where the resources lie; null: in a file of a folder of the site's own.</summary>
    private IObjects? objects;

    /// <param name="place">Where the resources lie, if not in a file of a folder of the site's own.</param>
    public static async Task<Site> MakeAsync(ObjectPlace? place = null)
    {
        var site = new Site();
        Directory.CreateDirectory(site.Resources);
        (site.Node, site.Other, site.Tor, site.Outside) = (
            await site.SpaceAsync("n"), await site.SpaceAsync("o"), await site.SpaceAsync("t"), await site.SpaceAsync("x"));
        await site.WireAsync();
        foreach (var pod in Pods) await site.AddPodAsync(pod);
        site.echoes.AddRange([
            new(site.Node, Node4), new(site.Node, Node6), new(site.Other, Other4), new(site.Other, Other6), new(site.Other, Remote4),
            new(site.Other, Remote6),
            new(site.Outside, Outside4), new(site.Outside, Outside6), new(site.Outside, Exempt4), new(site.Outside, Exempt6),
        ]);
        if (place != null) site.objects = await place.MakeAsync(site.BesideAsync);
        return site;
    }

    /// <summary>A server of the node's own network, on a wire of its own.</summary>
    private async Task<Netns> BesideAsync(string role, string address)
    {
        var space = await SpaceAsync(role);
        await Netns.JoinAsync(Node, role, [], space, "eth0", [address + "/24"]);
        await Node.IpAsync($"addr add {address[..address.LastIndexOf('.')]}.1/24 dev {role}");
        return space;
    }

    private async Task<Netns> SpaceAsync(string role)
    {
        var space = await Netns.MakeAsync(role);
        spaces.Add(space);
        space.Forward();
        return space;
    }

    private async Task WireAsync()
    {
        await Tor.BridgeAsync("br0");
        foreach (var (node, port, addresses) in new[] { (Node, "p1", new[] { Node4 + "/24", Node6 + "/64" }),
            (Other, "p2", [Other4 + "/24", Other6 + "/64"]) })
        {
            await Netns.JoinAsync(Tor, port, [], node, "eth0", addresses);
            await Tor.IpAsync($"link set {port} master br0");
        }
        await Tor.IpAsync("addr add 172.20.0.254/24 dev br0");
        await Tor.IpAsync("addr add fd20::fe/64 dev br0 nodad");
        await Tor.IpAsync("link set br0 up");
        await Netns.JoinAsync(Tor, "out0", ["198.51.100.254/24", "fd98::fe/64"], Outside, "eth0", [Outside4 + "/24", Outside6 + "/64"]);
        await Outside.IpAsync($"addr add {Exempt4}/32 dev lo");
        await Outside.IpAsync($"addr add {Exempt6}/128 dev lo");
        await Other.IpAsync($"addr add {Remote4}/32 dev lo");
        await Other.IpAsync($"addr add {Remote6}/128 dev lo");
        foreach (var node in (Netns[])[Node, Other]) await DefaultsAsync(node, "172.20.0.254", "fd20::fe");
        await DefaultsAsync(Outside, "198.51.100.254", "fd98::fe");
        await Tor.IpAsync($"route add 10.0.0.0/8 via {Outside4}");
        await Tor.IpAsync($"route add fd0a::/16 via {Outside6}");
        await Node.IpAsync($"route add 192.168.2.0/24 via {Other4}");
        await Node.IpAsync($"route add fd01::2:0/112 via {Other6}");
    }

    private static async Task DefaultsAsync(Netns space, string via4, string via6)
    {
        await space.IpAsync($"route add default via {via4}");
        await space.IpAsync($"-6 route add default via {via6}");
    }

    private async Task AddPodAsync(Pod pod)
    {
        var space = pods[pod.Name] = await SpaceAsync("p");
        await PodLink.AddAsync(Node, space, "default", pod.Name, pod.IPv4, pod.IPv6);
        foreach (var (address, via4, via6) in new[] { (Tor, Node4, Node6), (Other, Node4, Node6) })
        {
            await address.IpAsync($"route add {pod.IPv4}/32 via {via4}");
            await address.IpAsync($"-6 route add {pod.IPv6}/128 via {via6}");
        }
        echoes.AddRange([new(space, pod.IPv4), new(space, pod.IPv6)]);
    }

    /// <summary>Another server that answers with whom it saw.</summary>
    public void Answer(Netns space, string address) => echoes.Add(new(space, address));

    private string Resources => PathOf("resources");

    /// <summary>Of each of <see cref="Pools"/>, as nft prints it; from an API server they come one after the other.</summary>
    public static readonly string[] PoolCidrs =
    [
        "192.168.0.0/16", "fd01::/16", "172.16.0.0/16", "fd02::/16", "203.0.113.0/24", "2001:db8:1::/48", "100.64.0.0/16", "fd03::/16",
        "10.0.0.0/8", "fd0a::/16",
    ];

    public static string Pools(bool exceptHosts = false, string felix = "", string natAnnotation = "") => $$"""
        {{Pool("nat", "192.168.0.0/16", nat: true, annotation: natAnnotation)}}
        {{Pool("nat6", "fd01::/16", nat: true, annotation: natAnnotation)}}
        {{Pool("plain", "172.16.0.0/16")}}
        {{Pool("plain6", "fd02::/16")}}
        {{Pool("public", "203.0.113.0/24")}}
        {{Pool("public6", "2001:db8:1::/48")}}
        {{Pool("disabled", "100.64.0.0/16", nat: true, disabled: true)}}
        {{Pool("disabled6", "fd03::/16", nat: true, disabled: true)}}
        {{Pool("exempt", "10.0.0.0/8", disabled: true)}}
        {{Pool("exempt6", "fd0a::/16", disabled: true)}}
        {{Host("node1", Node4, Node6)}}
        {{Host("node2", Other4, Other6)}}
        apiVersion: projectcalico.org/v3
        kind: BGPConfiguration
        metadata: { name: default }
        spec: { nodeToNodeMeshEnabled: false }
        ---
        apiVersion: projectcalico.org/v3
        kind: FelixConfiguration
        metadata: { name: default }
        spec: { natOutgoingExclusions: {{(exceptHosts ? "IPPoolsAndHostIPs" : "IPPoolsOnly")}}{{felix}} }

        """;

    private static string Pool(string name, string cidr, bool nat = false, bool disabled = false, string annotation = "") => $$"""
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: { name: {{name}}{{(annotation == "" ? "" : $$""", annotations: { nat.bgpd/upstream: {{annotation}} }""")}} }
        spec: { cidr: "{{cidr}}", natOutgoing: {{(nat ? "true" : "false")}}, disabled: {{(disabled ? "true" : "false")}} }
        ---
        """;

    private static string Host(string name, string address4, string address6) => $$"""
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: { name: {{name}} }
        spec: { bgp: { ipv4Address: {{address4}}/24, ipv6Address: "{{address6}}/64" } }
        ---
        """;

    /// <summary>Other resources, written as an editor writes them: beside, then moved over. In another place than a folder they are
    /// applied one by one, and what is not among them stays.</summary>
    public void Write(string resources)
    {
        if (objects != null)
        {
            objects.Apply([.. Manifest.Split(resources)]);
            return;
        }
        var file = Path.Combine(Resources, "all.yaml");
        File.WriteAllText(file + ".new~", resources);
        File.Move(file + ".new~", file, overwrite: true);
    }

    /// <summary>What the daemon may not do, in setpriv's words.</summary>
    public string? Capabilities { get; set; }

    private async Task<string> ConfigureAsync()
    {
        var file = PathOf("bgpd.yaml");
        await File.WriteAllTextAsync(file, $$"""
            node: node1
            router: { asNumber: 64512, id: {{Node4}} }
            sources: [{{objects?.Source ?? $"{{ files: {Resources} }}"}}]
            control: { http: ["unix:{{PathOf("http")}}"], socket: {{PathOf("ctl")}} }
            {{Configuration}}
            """);
        return file;
    }

    public async Task StartAsync(bool withTable = true)
    {
        var file = await ConfigureAsync();
        // A reload is to work for who starts it by nohup, which has it ignore SIGHUP.
        string[] command = ["nohup", .. Capabilities == null ? Array.Empty<string>()
            : ["setpriv", "--bounding-set", Capabilities, "--inh-caps", Capabilities], Project.Daemon, "--config", file];
        Daemon = Background.Start(Node, PathOf("bgpd.log"), null, command[0], command[1..]);
        if (withTable) await TableAsync(_ => true, "its table is there");
    }

    /// <summary>It answers, so it has read its resources.</summary>
    public Task AnsweringAsync() =>
        Until.TrueAsync("the daemon answers", async () => (await HttpAsync("/v1/nat")).Length > 0, Patience, LogAsync);

    /// <summary>Another <see cref="Configuration"/>, while it runs.</summary>
    public async Task ReloadAsync()
    {
        var before = TakenIn(await LogAsync());
        await ConfigureAsync();
        Daemon!.Signal("HUP");
        await Until.TrueAsync("the configuration is taken", async () => TakenIn(await LogAsync()) > before, Patience, LogAsync);

        static int TakenIn(string log) => log.Split("bgpd.yaml is taken").Length;
    }

    /// <summary>Our table as nft lists it; with handles a rule that was written again has another.</summary>
    public async Task<string> ListAsync() => (await Node.RunAsync("nft", "-a", "list", "table", "inet", "bgpd")).Output;

    public Task TableAsync(Func<string, bool> condition, string what) => Until.TrueAsync(what, async () =>
    {
        var answer = await Node.RunAsync("nft", "-a", "list", "table", "inet", "bgpd");
        return answer.Good && condition(answer.Output);
    }, Patience, async () => await ListAsync() + await LogAsync());

    /// <summary>Nothing while the daemon does not listen yet.</summary>
    public async Task<string> HttpAsync(string path) =>
        (await Node.RunAsync("curl", "-s", "--unix-socket", PathOf("http"), "http://bgpd" + path)).Output;

    public Task<string> BirdcAsync(params string[] words) => Shell.DoAsync("birdc", ["-s", PathOf("ctl"), .. words]);

    public async Task<string> LogAsync() => File.Exists(PathOf("bgpd.log")) ? await File.ReadAllTextAsync(PathOf("bgpd.log")) : "";

    public string PathOf(string name) => folder.PathOf(name);

    public async ValueTask DisposeAsync()
    {
        if (Daemon != null) await Daemon.DisposeAsync();
        foreach (var echo in echoes) echo.Dispose();
        if (objects != null) await objects.DisposeAsync();
        foreach (var space in spaces) await space.RemoveAsync();
        folder.Dispose();
    }
}
