using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Calico.Bgp.Conformance.Kubernetes;

/// <summary>A node n1 and an API server in one namespace. What the node does is seen in its kernel's routes: the blackhole of each block
/// of its own.</summary>
internal sealed class ClusterNode : IAsyncDisposable
{
    private readonly Scratch folder = new("node");
    private Background? daemon;

    private ClusterNode(Netns space) => Space = space;

    public Netns Space { get; }
    public KubeApi Api { get; private set; } = null!;
    public string Http => folder.PathOf("http");
    public string Said => File.Exists(Log) ? File.ReadAllText(Log) : "";

    private string Log => folder.PathOf("log");

    /// <param name="options">Of the server.</param>
    public static async Task<ClusterNode> MakeAsync(params string[] options)
    {
        var node = new ClusterNode(await Netns.MakeAsync("node"));
        try
        {
            await node.Space.IpAsync("link add eth0 type veth peer name nothing");
            await node.Space.RaiseAsync("eth0", "10.95.0.1/24");
            node.Api = await KubeApi.StartAsync(node.Space, "127.0.0.1", options);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    public Task<string> KubectlAsync(params string[] words) =>
        Space.DoAsync("kubectl", ["--kubeconfig", Api.Kubeconfig, "--context", "admin", .. words]);

    /// <param name="kubernetes">The source's keys.</param>
    /// <param name="more">Further keys of bgpd.yaml.</param>
    public void Start(string kubernetes, string more = "")
    {
        var file = folder.PathOf("bgpd.yaml");
        File.WriteAllText(file, $$"""
            node: n1
            sources: [{ kubernetes: { {{kubernetes}} } }]
            control: { socket: {{folder.PathOf("ctl")}}, http: ["unix:{{Http}}"] }
            {{more}}

            """);
        daemon = Background.Start(Space, Log, null, Project.Daemon, "--config", file);
    }

    public async Task<string> BgpctlAsync(params string[] words)
    {
        var answer = await Shell.RunAsync(Project.Bgpctl, ["--socket", Http, .. words]);
        return answer.Output + answer.Errors;
    }

    /// <summary>Null while the daemon does not answer, or has not begun.</summary>
    public async Task<JsonNode?> StatusAsync()
    {
        var answer = await Shell.RunAsync(Project.Bgpctl, "--socket", Http, "status", "--json");
        return answer.Good ? JsonNode.Parse(answer.Output) : null;
    }

    public Task InSyncAsync() => Until.TrueAsync("the source is in sync",
        async () => (await StatusAsync())?["sources"]?[0]?["inSyncSince"] != null, 60, () => Said);

    /// <summary>What the source says that is wrong with it now, in sync or not.</summary>
    public Task ToldAsync(string error) => Until.TrueAsync($"it is told: {error}",
        async () => $"{(await StatusAsync())?["sources"]?[0]?["lastError"]}".Contains(error, StringComparison.Ordinal), 60, () => Said);

    /// <summary>The node's own blocks, as its kernel has them.</summary>
    public Task BlocksAsync(string expected, int seconds = 30) => Until.SeenAsync($"the node's blocks are [{expected}]", async () =>
    {
        var routes = await Space.IpAsync("route show type blackhole");
        return string.Join(' ', Regex.Matches(routes, @"^blackhole (\S+)", RegexOptions.Multiline).Select(found => found.Groups[1].Value));
    }, seen => seen == expected, seconds, () => Said);

    public async ValueTask DisposeAsync()
    {
        if (daemon != null) await daemon.DisposeAsync();
        if (Api != null) await Api.DisposeAsync();
        await Space.RemoveAsync();
        folder.Dispose();
    }
}
