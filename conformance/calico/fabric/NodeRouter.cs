using System.Text.Json.Nodes;
using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>Our daemon on a node, told nothing but the node's name and where the resources lie.</summary>
internal sealed class NodeRouter(Netns space, int number, string source) : BirdcRouter(space, new(Rack.NodeAs, Rack.Node4(number), [],
    []))
{
    public int Number => number;
    /// <summary>The node's, as its daemon is told it.</summary>
    public string Name { get; set; } = $"node{number}";
    /// <summary>Further keys of bgpd.yaml, in lines.</summary>
    public string Keys { get; set; } = "";
    public Netns Namespace => Space;

    private string Http => Path.Combine(Folder, "http");

    private string Configured() => Write("bgpd.yaml", $$"""
        node: {{Name}}
        sources: [{{Source}}]
        kernel: { learn: true }
        decision: { multipath: 16 }
        control: { socket: {{Socket}}, http: ["unix:{{Http}}"] }
        {{Keys}}

        """);

    /// <summary>Where the resources are from; another place comes with the next <see cref="ReconfigureAsync"/>.</summary>
    public string Source { get; set; } = source;

    public async Task ReconfigureAsync(string keys)
    {
        Keys = keys;
        Configured();
        await SignalAsync("HUP");
    }

    /// <summary>What <c>bgpctl explain</c> answers.</summary>
    public Task<string> ExplainAsync(string what, string of) => BgpctlAsync("explain", what, of);

    /// <summary>What <c>bgpctl</c> answers.</summary>
    public async Task<string> BgpctlAsync(params string[] words)
    {
        var answer = await Shell.RunAsync(Project.Bgpctl, ["--socket", Http, .. words]);
        return answer.Output + answer.Errors;
    }

    /// <summary>Which sessions it has, since when, and how often each has come up: what stays stays so to the letter. (BIRD reckons its
    /// own "since" anew each time it is asked, and rounds it.)</summary>
    public async Task<string> SessionsAsync(string name = "")
    {
        var peers = JsonNode.Parse(await BgpctlAsync("peers", "--json"))!.AsArray();
        return string.Join('\n', peers.Where(peer => name == "" || (string?)peer!["name"] == name)
            .Select(peer => $"{peer!["name"]} {peer["state"]} {peer["since"]} {peer["establishedTransitions"]}"));
    }

    public override Task StartAsync()
    {
        Launch();
        return AnswersAsync($"node{number}");
    }

    /// <summary>The same for a daemon that has to wait for what it needs, and does not answer yet.</summary>
    public void Launch()
    {
        var file = Configured();
        var environment = new Dictionary<string, string> { ["CALICO_ENDPOINT_STATUS_PATH_PREFIX"] = Folder };
        Process = Background.Start(Space, Log, environment, Project.Daemon, "--config", file);
    }

    /// <summary>How many lines its log has.</summary>
    public int LogLines => File.ReadLines(Log).Count();

    /// <summary>Felix's word about a pod that a BGPPeer selects.</summary>
    public void Tell(string pod, string link, string address4, string? address6, string peer)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, "endpoint-status")).FullName;
        var ipv6 = address6 == null ? "" : $"\"{address6}/128\"";
        var text = $$"""{"ifaceName":"{{link}}","ipv4Nets":["{{address4}}/32"],"ipv6Nets":[{{ipv6}}],"bgpPeerName":"{{peer}}"}""";
        File.WriteAllText(Path.Combine(Folder, "new"), text);
        File.Move(Path.Combine(Folder, "new"), Path.Combine(folder, pod), true);
    }

    public async Task<bool> IsUpAsync(string session) => (await AskAsync($"show protocols {session}")).Contains("Established",
        StringComparison.Ordinal);

    /// <summary>The kernel's routes for a prefix, as ip prints them.</summary>
    public async Task<string> KernelAsync(string prefix) =>
        (await Space.RunAsync("ip", prefix.Contains(':') ? "-6" : "-4", "route", "show", prefix)).Output.Trim();
}
