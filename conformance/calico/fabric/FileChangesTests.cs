using Calico.Bgp.Conformance.Golden;
using Calico.Bgp.Conformance.Routers;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>
/// bgpd.yaml of a node with <c>sources</c> is changed, and nothing of the resources: it is taken at once, whoever asks for it, and what
/// <c>--check</c> said before is what the reload says.
/// </summary>
public sealed class FileChangesTests : IAsyncLifetime
{
    private const string Tor =
        "{ name: tor, peerIP: 10.192.0.254, asNumber: 63000, import: accept, export: [chosen], password: { file: key } }";
    private const string Before = $$"""
        router: { id: 10.192.0.11, asNumber: 64512 }
        kernel: { metric: 10, export: [installed] }
        filters:
          chosen: [{ match: { prefix: 10.65.0.0/16+ }, action: Accept }]
          other: [{ match: { prefix: 10.66.0.0/16+ }, action: Accept }]
          installed: [{ match: { prefix: [44.0.0.0/7+, 10.65.0.0/16+] }, action: Accept }]
        peers:
          - {{Tor}}
          - { name: leaf, peerIP: 10.192.0.253, asNumber: 63001, import: accept, export: accept }
        routes: [{ prefix: 44.0.0.0/8, type: blackhole }]

        """;

    private LoneNode node = null!;

    /// <param name="From">Text of the file.</param>
    /// <param name="To">What stands there then.</param>
    /// <param name="Words">Of the check and of the reload.</param>
    /// <param name="Where">What HTTP answers at a path, or birdc, or the kernel's routes for a prefix.</param>
    /// <param name="What">Is there then; with "!" before it, it is not.</param>
    private sealed record Edit(string From, string To, string Words, string Where, string What);

    private static readonly Dictionary<string, Edit> Edits = new()
    {
        ["a new peer"] = new(
            "peers:", "peers:\n  - { name: spine, peerIP: 10.192.0.252, asNumber: 63002 }",
            "peer spine: added", "/v1/peers", "\"spine\""),
        ["a peer that goes"] = new(
            "\n  - { name: leaf, peerIP: 10.192.0.253, asNumber: 63001, import: accept, export: accept }", " # one",
            "peer leaf: removed", "/v1/peers", "!\"leaf\""),
        ["another policy"] = new(
            "export: [chosen]", "export: [other]",
            "peer tor: changed, the session stays up", "show protocols all tor", "Output filter:  other"),
        ["a filter's rules"] = new("44.0.0.0/7+", "46.0.0.0/7+", "kernel.export: changed", "44.0.0.0/8", "!blackhole"),
        ["a new route"] = new(
            "routes: [", "routes: [{ prefix: 45.0.0.0/8, type: blackhole }, ",
            "route 45.0.0.0/8: added or changed", "45.0.0.0/8", "blackhole"),
        ["a changed route"] = new(
            "type: blackhole", "type: unreachable",
            "route 44.0.0.0/8: added or changed", "44.0.0.0/8", "unreachable"),
        ["a route that goes"] = new(
            "[{ prefix: 44.0.0.0/8, type: blackhole }]", "[]",
            "route 44.0.0.0/8: removed", "44.0.0.0/8", "!blackhole"),
        ["kernel.export"] = new("export: [installed]", "export: reject", "kernel.export: changed", "44.0.0.0/8", "!blackhole"),
        ["kernel.metric"] = new("metric: 10", "metric: 77", "kernel.metric: 77", "44.0.0.0/8", "metric 77"),
        ["router.id"] = new(
            "id: 10.192.0.11", "id: 10.192.0.99",
            "router: 10.192.0.99, AS 64512", "/v1/status", "\"routerId\":\"10.192.0.99\""),
        ["router.asNumber"] = new("asNumber: 64512", "asNumber: 64513", "router: 10.192.0.11, AS 64513", "/v1/status", "\"as\":64513"),
        ["decision"] = new(
            "peers:", "decision: { alwaysCompareMed: true }\npeers:",
            "decision: changed; every best path is chosen again", "/v1/status", "routerId"),
        ["nat"] = new("peers:", "nat: { enabled: false }\npeers:", "nat: added", "/v1/nat", "!bgpd.yaml has no section"),
        ["node"] = new("router:", "node: node2\nrouter:", "node: node2", "/v1/status", "\"hostName\":\"node2\""),
        ["weighServices"] = new(
            "peers:", "weighServices: true\npeers:",
            "weighServices: true; services' addresses are announced anew", "/v1/status", "routerId"),
    };

    public static TheoryData<string> Names => [.. Edits.Keys];

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "birdc", "curl", "nohup") != null) return;
        node = await LoneNode.MakeAsync(Before,
            Node("node1", "10.192.0.11/24"), Node("node2", "10.192.0.12/24"), Rack.NoMesh(),
            Peer("spines", "peerIP: 10.192.0.250, asNumber: 63009"), Pool("pods", "10.65.0.0/16"), Block("node1", "10.65.1.0/26"),
            Block("node2", "10.65.2.0/26"));
        node.WriteKey("sesame");
        await node.StartAsync();
        await SeenAsync("44.0.0.0/8", "blackhole");
    }

    public async Task DisposeAsync()
    {
        if (node != null) await node.DisposeAsync();
    }

    [NeedsTheory(Needs.Daemon, "birdc", "curl", "nohup")]
    [MemberData(nameof(Names))]
    public async Task What_bgpctl_reload_is_asked_for_is_what_the_check_said_and_in_force_at_once(string name)
    {
        var edit = Edits[name];
        Assert.Equal("nothing changes", await node.ReloadAsync("--check"));
        Change(edit.From, edit.To);
        var foretold = await node.ReloadAsync("--check");
        Assert.Contains(edit.Words, foretold.Split('\n'));
        Assert.Equal((name, foretold), (name, await node.ReloadAsync()));
        await SeenAsync(edit.Where, edit.What);
        Assert.Equal((name, "nothing changes"), (name, await node.ReloadAsync("--check")));
    }

    [NeedsTheory(Needs.Daemon, "birdc", "curl", "nohup")]
    [MemberData(nameof(Names))]
    public async Task SIGHUP_takes_it_at_once(string name)
    {
        var edit = Edits[name];
        Change(edit.From, edit.To);
        await node.SignalAsync("HUP");
        await SaidAsync(edit.Words);
        await SeenAsync(edit.Where, edit.What);
    }

    /// <summary>And undo gives back what was there.</summary>
    [NeedsTheory(Needs.Daemon, "birdc", "curl", "nohup")]
    [MemberData(nameof(Names))]
    public async Task Birdc_configure_takes_it_at_once_and_undo_takes_it_back(string name)
    {
        var edit = Edits[name];
        Change(edit.From, edit.To);
        Assert.Contains("Configuration OK", await node.AskAsync("configure check"), StringComparison.Ordinal);
        Assert.Contains("Reconfigured", await node.AskAsync("configure timeout 300"), StringComparison.Ordinal);
        await SaidAsync(edit.Words);
        await SeenAsync(edit.Where, edit.What);
        Assert.Contains("Reconfigured", await node.AskAsync("configure undo"), StringComparison.Ordinal);
        Change(edit.To, edit.From);
        Assert.Equal((name, "nothing changes"), (name, await node.ReloadAsync("--check")));
    }

    [NeedsFact(Needs.Daemon, "birdc", "curl", "nohup")]
    public async Task A_key_that_was_written_anew_in_its_file_is_taken()
    {
        node.WriteKey("open sesame");
        Assert.Equal("peer tor: session settings changed, the session is reset", await node.ReloadAsync());
        Assert.Equal("nothing changes", await node.ReloadAsync());
    }

    [NeedsFact(Needs.Daemon, "birdc", "curl", "nohup")]
    public async Task Services_that_a_rule_keeps_from_a_peer_are_judged_anew()
    {
        Change("peers:", "advertise: [{ services: \"tier == 'front'\", peers: [Global_10_192_0_250] }]\npeers:");
        Assert.Equal("peer Global_10_192_0_250: changed, the session stays up", await node.ReloadAsync());
        Assert.Equal("nothing changes", await node.ReloadAsync("--check"));
    }

    [NeedsFact(Needs.Daemon, "birdc", "curl", "nohup")]
    public async Task Of_several_reloads_while_other_sources_come_none_is_lost()
    {
        using var others = new ResourceFolder();
        others.Apply([Node("node1", "10.192.0.11/24"), Rack.NoMesh(), Block("node1", "10.65.9.0/26")]);
        node.Source = others.Source;
        Change("peers:", "peers:\n  - { name: spine, peerIP: 10.192.0.252, asNumber: 63002 }");
        var asked = await Task.WhenAll(node.ReloadAsync(), node.ReloadAsync(), node.ReloadAsync());
        Assert.Single(asked, answer => answer.Contains("peer spine: added") && answer.Contains("sources: others take their place"));
        Assert.Equal(2, asked.Count(answer => answer == "nothing changes"));
        await SeenAsync("10.65.9.0/26", "blackhole");
        await SeenAsync("10.65.1.0/26", "!blackhole");
        await SeenAsync("/v1/peers", "\"spine\"");
    }

    [NeedsFact(Needs.Daemon, "birdc", "curl", "nohup")]
    public async Task Undoing_to_sources_that_are_gone_is_refused()
    {
        var gone = new ResourceFolder();
        gone.Apply([Node("node1", "10.192.0.11/24"), Rack.NoMesh(), Block("node1", "10.65.9.0/26")]);
        var first = node.Source;
        node.Source = gone.Source;
        Change("", "");
        Assert.Contains("Reconfigured", await node.AskAsync("configure"), StringComparison.Ordinal);
        await SeenAsync("10.65.9.0/26", "blackhole");
        node.Source = first;
        Change("", "");
        Assert.Contains("Reconfigured", await node.AskAsync("configure"), StringComparison.Ordinal);
        await SeenAsync("10.65.1.0/26", "blackhole");
        gone.Dispose();
        Assert.Contains("is not there", await node.AskAsync("configure undo"), StringComparison.Ordinal);
        await SeenAsync("10.65.1.0/26", "blackhole");
    }

    [NeedsFact(Needs.Daemon, "birdc", "curl", "nohup")]
    public async Task A_reload_that_was_refused_is_told_by_status_with_its_place_until_one_is_taken()
    {
        Change("peers:", "pears: []\npeers:");
        await node.SignalAsync("HUP");
        await SeenAsync("/v1/status", "\"taken\":false,\"error\":{\"code\":\"configurationRefused\"");
        Assert.Matches("bgpd.yaml:[0-9]+:1: .*pears", await node.HttpAsync("/v1/status"));
        Change("pears: []\n", "");
        await node.SignalAsync("HUP");
        await SeenAsync("/v1/status", "\"taken\":true,\"error\":null");
    }

    [NeedsFact(Needs.Daemon, "birdc", "curl", "nohup")]
    public async Task What_waits_for_the_next_start_is_told_against_what_runs()
    {
        const string Waits = "kernel.sweepAfter: takes effect at the next start\nlog: takes effect at the next start";
        Change("kernel: {", "log: { level: debug }\nkernel: { sweepAfter: 9s,");
        Assert.Equal(Waits, await node.ReloadAsync());
        Assert.Equal(Waits, await node.ReloadAsync("--check"));
        Change("log: { level: debug }\nkernel: { sweepAfter: 9s,", "kernel: {");
        Assert.Equal("nothing changes", await node.ReloadAsync());
    }

    private void Change(string from, string to)
    {
        if (from != "") Assert.Contains(from, node.Keys, StringComparison.Ordinal);
        node.Keys = from == "" ? node.Keys : node.Keys.Replace(from, to, StringComparison.Ordinal);
        node.Write();
    }

    /// <summary>What it logs comes by another way than its answers.</summary>
    private Task SaidAsync(string words) =>
        Until.TrueAsync(words, () => node.Said.Split('\n').Any(line => line.Contains("is taken: ") && line.Contains(words)), 20,
        () => node.Said);

    private Task SeenAsync(string where, string what) => Until.TrueAsync($"{where} has {what}", async () =>
    {
        var seen = await (where[0] switch { '/' => node.HttpAsync(where), 's' => node.AskAsync(where), _ => node.KernelAsync(where) });
        return what.StartsWith('!') ? !seen.Contains(what[1..], StringComparison.Ordinal) : seen.Contains(what, StringComparison.Ordinal);
    }, 20, async () => $"{await node.HttpAsync("/v1/status")}\n{node.Said}");

    /// <summary>A node with a bgpd.yaml of its own beside the resources, and nobody that answers its calls.</summary>
    private sealed class LoneNode(Netns space, IObjects objects) : BirdcRouter(space, new(Rack.NodeAs, Rack.Node4(1), [], []))
    {
        public string Source { get; set; } = objects.Source;
        public string Keys { get; set; } = "";

        public static async Task<LoneNode> MakeAsync(string keys, params Manifest[] objects)
        {
            var space = await Netns.MakeAsync("file");
            await space.IpAsync("link add eth0 type veth peer name eth0-peer");
            await space.IpAsync("addr add 10.192.0.11/24 dev eth0");
            await space.IpAsync("link set eth0-peer up");
            await space.IpAsync("link set eth0 up");
            var place = await ObjectPlace.Asked.MakeAsync(async (_, address) =>
            {
                await space.IpAsync($"addr add {address}/32 dev lo");
                return space;
            });
            place.Apply(objects);
            return new(space, place) { Keys = keys };
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await objects.DisposeAsync();
            await Space.RemoveAsync();
        }

        private string Http => Path.Combine(Folder, "http");

        public void WriteKey(string key) => Write("key", key);

        public string Write() => Write("bgpd.yaml", $$"""
            {{(Keys.Contains("node:", StringComparison.Ordinal) ? "" : "node: node1")}}
            sources: [{{Source}}]
            control: { socket: {{Socket}}, http: ["unix:{{Http}}"] }
            {{Keys}}
            """);

        public override Task StartAsync()
        {
            Process = Background.Start(Space, Log, null, Project.Daemon, "--config", Write());
            return AnswersAsync("node1");
        }

        /// <summary>What bgpctl says would change, or has.</summary>
        public async Task<string> ReloadAsync(params string[] options)
        {
            var answer = await Shell.RunAsync(Project.Bgpctl, ["--socket", Http, "reload", .. options]);
            var said = (answer.Output + answer.Errors).Trim();
            return said.Replace("would change:\n", "", StringComparison.Ordinal).Replace("changed:\n", "", StringComparison.Ordinal);
        }

        public async Task<string> HttpAsync(string path) =>
            (await Shell.RunAsync("curl", "-s", "--unix-socket", Http, "http://bgpd" + path)).Output;

        public async Task<string> KernelAsync(string prefix) => (await Space.RunAsync("ip", "-4", "route", "show", prefix)).Output.Trim();
    }
}
