// A node under bgpd's services, who asks it, and who stands behind it.
//
//                                  ┌── 10.2.1.0/24 ── a backend
//   client ── 10.1.0.0/24 ── node ─┼── 10.2.2.0/24 ── a backend
//                                  └── 10.2.3.0/24 ── a backend
//
// The client's way to all virtual addresses leads by the node; the backends' way back, too.
using System.Text.Json.Nodes;

namespace Calico.Bgp.Conformance.Services;

internal sealed class ServiceSite : IAsyncDisposable
{
    public const string Client4 = "10.1.0.2", Client6 = "fd01::2", Node4 = "10.1.0.1", Node6 = "fd01::1";
    public const string Vip4 = "30.0.0.2", Vip6 = "fd30::2";

    /// <summary>The backends'.</summary>
    public const int Port = 8080;

    /// <summary>Seconds for what comes at once on a machine with nothing else to do.</summary>
    public const int Patience = 120;

    /// <summary>The node, whose only pod is the first backend.</summary>
    public const string Objects = $$"""
        apiVersion: v1
        kind: Node
        metadata: { name: node1 }
        status: { addresses: [{ type: InternalIP, address: {{Node4}} }, { type: InternalIP, address: "{{Node6}}" }] }
        ---
        apiVersion: projectcalico.org/v3
        kind: FelixConfiguration
        metadata: { name: default }
        spec: { interfacePrefix: b1 }

        """;

    private readonly List<Netns> spaces = [];
    private readonly List<Answerer> servers = [];
    private readonly Scratch folder = new();

    public Netns Client { get; private set; } = null!;
    public Netns Node { get; private set; } = null!;
    public Netns[] Backends { get; } = new Netns[3];
    public Background? Daemon { get; private set; }

    /// <summary>The daemon's, for HTTP.</summary>
    public string Http => folder.PathOf("http");

    /// <summary>The daemon's, for birdc.</summary>
    public string Control => folder.PathOf("ctl");

    public static string Backend(int number, bool six) => six ? $"fd02:{number + 1}::10" : $"10.2.{number + 1}.10";

    public static string Gateway(int number, bool six) => six ? $"fd02:{number + 1}::1" : $"10.2.{number + 1}.1";

    public static async Task<ServiceSite> MakeAsync()
    {
        var site = new ServiceSite();
        site.Client = await site.SpaceAsync("sc");
        site.Node = await site.SpaceAsync("sn");
        site.Node.Forward();
        await Netns.JoinAsync(site.Node, "c0", [Node4 + "/24", Node6 + "/64"], site.Client, "eth0", [Client4 + "/24", Client6 + "/64"]);
        await site.Client.IpAsync($"route add default via {Node4}");
        await site.Client.IpAsync($"-6 route add default via {Node6}");
        for (var i = 0; i < 3; i++) await site.AddBackendAsync(i);
        // Where nothing else leads the node's own packets to virtual addresses.
        await site.Node.IpAsync("route add 30.0.0.0/24 dev b1");
        await site.Node.IpAsync("-6 route add fd30::/64 dev b1");
        return site;
    }

    private async Task AddBackendAsync(int i)
    {
        var space = Backends[i] = await SpaceAsync("sb");
        await Netns.JoinAsync(Node, $"b{i + 1}", [Gateway(i, false) + "/24", Gateway(i, true) + "/64"], space, "eth0",
            [Backend(i, false) + "/24", Backend(i, true) + "/64"]);
        await space.IpAsync($"route add default via {Gateway(i, false)}");
        await space.IpAsync($"-6 route add default via {Gateway(i, true)}");
        servers.AddRange([new(space, Backend(i, false), Port), new(space, Backend(i, true), Port)]);
    }

    private async Task<Netns> SpaceAsync(string role)
    {
        var space = await Netns.MakeAsync(role);
        spaces.Add(space);
        return space;
    }

    private async Task<string> ConfigureAsync(string services)
    {
        var file = folder.PathOf("bgpd.yaml");
        await File.WriteAllTextAsync(file, $$"""
            node: node1
            router: { asNumber: 64512, id: {{Node4}} }
            control: { http: ["unix:{{folder.PathOf("http")}}"], socket: {{folder.PathOf("ctl")}} }
            {{services}}

            """);
        return file;
    }

    public async Task StartAsync(string services)
    {
        var file = await ConfigureAsync(services);
        var state = new Dictionary<string, string> { ["STATE_DIRECTORY"] = folder.Path };
        Daemon = Background.Start(Node, folder.PathOf("bgpd.log"), state, "nohup", Project.Daemon, "--config", file);
        await Until.TrueAsync("its table is there",
            async () => (await Node.RunAsync("nft", "list", "table", "inet", "bgpd")).Good, Patience, LogAsync);
    }

    /// <summary>Without a farewell.</summary>
    public Task KillAsync() => EndAsync("KILL");

    public async Task EndAsync(string signal)
    {
        Daemon!.Signal(signal);
        await Daemon.EndedAsync();
        await Daemon.DisposeAsync();
        Daemon = null;
    }

    /// <summary>What services are from now on.</summary>
    public async Task ReloadAsync(string services)
    {
        var before = TakenIn(await LogAsync());
        await ConfigureAsync(services);
        Daemon!.Signal("HUP");
        await Until.TrueAsync("the configuration is taken", async () => TakenIn(await LogAsync()) > before, Patience, LogAsync);

        static int TakenIn(string log) => log.Split("bgpd.yaml is taken").Length;
    }

    public async Task<string> ListAsync() => (await Node.RunAsync("nft", "-a", "list", "table", "inet", "bgpd")).Output;

    private int? heir;

    /// <summary>Another process takes over; what it takes is gone with it.</summary>
    public async Task UpgradeAsync()
    {
        var said = await Shell.RunAsync(Project.Bgpctl, "--socket", folder.PathOf("http"), "--json", "upgrade");
        Assert.True(said.Good, $"{said}\n{await LogAsync()}");
        heir = (int)JsonNode.Parse(said.Output)!["process"]!;
        await Daemon!.EndedAsync();
        await Daemon.DisposeAsync();
        Daemon = null;
        await Until.TrueAsync("it answers", async () => (await CnatAsync("show", "translation")).Good, Patience, LogAsync);
    }

    /// <summary>Where the daemon saves what the command line says.</summary>
    public string SavedIn => folder.PathOf("translations.json");

    /// <summary>bgpctl cnat, a word for each argument.</summary>
    public Task<Answer> CnatAsync(params string[] words) =>
        Shell.RunAsync(Project.Bgpctl, ["--socket", folder.PathOf("http"), "cnat", .. words]);

    /// <summary>bgpctl and these words, typed into a shell in a folder where nothing else is.</summary>
    public Task<Answer> ShellAsync(string words)
    {
        var typed = Directory.CreateDirectory(folder.PathOf("typed")).FullName;
        return Shell.RunAsync("bash", "-c", $"cd {typed} && {Project.Bgpctl} --socket {folder.PathOf("http")} {words} && [ -z \"$(ls)\" ]");
    }

    /// <summary>Lines to bgpctl cnat's standard input.</summary>
    public Task<Answer> LinesAsync(IEnumerable<string> lines, params string[] words) => Shell.RunAsync(
        "bash", ["-c", "exec \"$@\" < \"$0\"", folder.Write("lines", string.Concat(lines.Select(line => line + "\n"))),
            Project.Bgpctl, "--socket", folder.PathOf("http"), "cnat", .. words]);

    public Task TableAsync(Func<string, bool> condition, string what) => Until.TrueAsync(
        what, async () => condition(await ListAsync()), Patience, async () => await ListAsync() + await LogAsync());

    public async Task<string> LogAsync() =>
        File.Exists(folder.PathOf("bgpd.log")) ? await File.ReadAllTextAsync(folder.PathOf("bgpd.log")) : "";

    public async ValueTask DisposeAsync()
    {
        if (Daemon != null) await Daemon.DisposeAsync();
        if (heir is { } other) Signals.Send(other, "KILL");
        foreach (var server in servers) server.Dispose();
        foreach (var space in spaces) await space.RemoveAsync();
        folder.Dispose();
    }
}
