using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Calico.Bgp.Conformance.Life;

/// <content>Its sources, which may be away, wrong, or others than before.</content>
public sealed partial class LifeTests
{
    /// <summary>Its API server may be away for hours: no probe is to have it killed for that, and people are to hear why.</summary>
    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task A_daemon_whose_sources_are_not_there_yet_lives_and_says_what_it_waits_for()
    {
        var http = folder.PathOf("bgpd.sock");
        var nobody = NobodysKubeconfig();
        Start(Configuration($"sources: [{{ kubernetes: {{ kubeconfig: {nobody} }} }}]", http: $"\"unix:{http}\""));
        using var client = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, stop) => ConnectAsync(http, stop) });
        async Task<string> AskAsync(string path)
        {
            if (!File.Exists(http)) return "";
            using var answer = await client.GetAsync(new Uri($"http://bgpd{path}"));
            return $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}";
        }
        await Until.TrueAsync("it says what is wrong", async () => (await AskAsync("/ready")).Contains("refused"), 30, () => Said);
        Assert.StartsWith("200 ", await AskAsync("/live"));
        Assert.Matches($"^503 .*waiting for the sources: kubernetes {Regex.Escape(nobody)} ", await AskAsync("/ready"));
        var status = await Shell.RunAsync(Project.Bgpctl, "--socket", http, "status");
        Assert.False(status.Good);
        Assert.Contains($"bgpd has begun, and is waiting for the sources: kubernetes {nobody} (", status.Errors);

        daemon!.Signal("TERM");
        await Until.TrueAsync("it ends", () => !daemon.Alive, 10, () => Said);
        Assert.False(File.Exists(http), "the socket is left behind");
    }

    /// <summary>What the objects said stays in force, and the status says that it is not this cluster's word.</summary>
    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task A_reload_that_names_a_cluster_which_is_away_keeps_what_there_was_and_says_so()
    {
        var http = folder.PathOf("bgpd.sock");
        var nobody = NobodysKubeconfig();
        Directory.CreateDirectory(folder.PathOf("resources"));
        await File.WriteAllTextAsync(folder.PathOf("resources/a.yaml"), """
            apiVersion: projectcalico.org/v3
            kind: Node
            metadata: { name: here }
            spec: { bgp: { ipv4Address: 10.0.0.1/24 } }
            ---
            apiVersion: projectcalico.org/v3
            kind: BGPPeer
            metadata: { name: tor }
            spec: { peerIP: 10.0.0.2, asNumber: 65002 }
            """);
        string Naming(string source) => Configuration($"node: here\nsources: [{{ {source} }}]", http: $"\"unix:{http}\"");
        Start(Naming("files: ./resources"));
        await RunsAsync();
        async Task<JsonElement[]> SourcesAsync() => [
            .. JsonDocument.Parse((await Shell.RunAsync(Project.Bgpctl, "--socket", http, "status", "--json")).Output)
                .RootElement.GetProperty("sources").EnumerateArray()];
        Assert.Equal("files", (await SourcesAsync())[0].GetProperty("kind").GetString());
        Assert.NotEqual(JsonValueKind.Null, (await SourcesAsync())[0].GetProperty("inSyncSince").ValueKind);

        Naming($"kubernetes: {{ kubeconfig: {nobody} }}");
        var reload = await Shell.RunAsync(Project.Bgpctl, "--socket", http, "reload");
        Assert.Contains("sources: others take their place once they have been read", reload.Output);
        await Until.TrueAsync(
            "the cluster's error is told",
            async () => (await SourcesAsync())[0].GetProperty("lastError").ToString().Contains("refused"), 30, () => Said);
        var source = Assert.Single(await SourcesAsync());
        Assert.Equal(("kubernetes", nobody), (source.GetProperty("kind").GetString(), source.GetProperty("name").GetString()));
        Assert.Equal(JsonValueKind.Null, source.GetProperty("inSyncSince").ValueKind);
        Assert.Contains("Global_10_0_0_2", (await Shell.RunAsync(Project.Bgpctl, "--socket", http, "peers")).Output);

        Naming("files: ./resources");
        await Shell.RunAsync(Project.Bgpctl, "--socket", http, "reload");
        await Until.TrueAsync(
            "the folder counts again",
            async () => (await SourcesAsync())[0] is var again && again.GetProperty("kind").GetString() == "files"
                && again.GetProperty("inSyncSince").ValueKind != JsonValueKind.Null, 30, () => Said);
        Assert.Contains("Global_10_0_0_2", (await Shell.RunAsync(Project.Bgpctl, "--socket", http, "peers")).Output);
    }

    private string NobodysKubeconfig()
    {
        var file = folder.PathOf("kubeconfig");
        File.WriteAllText(file, """
            apiVersion: v1
            kind: Config
            clusters: [{ name: c, cluster: { server: "http://127.0.0.1:9" } }]
            users: [{ name: u, user: {} }]
            contexts: [{ name: x, context: { cluster: c, user: u } }]
            current-context: x
            """);
        return file;
    }

    private static async ValueTask<Stream> ConnectAsync(string socket, CancellationToken stop)
    {
        var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop);
        return new NetworkStream(connection, ownsSocket: true);
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Check_looks_at_the_sources_too()
    {
        Directory.CreateDirectory(folder.PathOf("resources"));
        var (good, file) = (folder.PathOf("resources/a.yaml"), folder.PathOf("check.yaml"));
        static string Peer(string name, string address) =>
            $"apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {{ name: {name} }}\nspec: {{ peerIP: {address} }}\n---\n";
        File.WriteAllText(good, Peer("a", "192.0.2.1") + Peer("b", "192.0.2.2"));
        File.WriteAllText(file, "router: { id: 10.0.0.1 }\nsources: [{ files: ./resources }]\n");
        var check = await space.RunAsync(Project.Daemon, "--check", file);
        Assert.Equal(0, check.Code);
        Assert.Contains("BGPPeer 2\n", check.Output, StringComparison.Ordinal);

        File.AppendAllText(good, Peer("c", "nowhere"));
        check = await space.RunAsync(Project.Daemon, "--check", file);
        Assert.Equal(2, check.Code);
        Assert.Contains("error: a.yaml:14: BGPPeer/c: spec.peerIP: expected", check.Errors, StringComparison.Ordinal);
        Assert.Contains("BGPPeer 2\n", check.Output, StringComparison.Ordinal);

        File.WriteAllText(file, "router: { id: 10.0.0.1 }\nsources: [{ files: ./resource }]\n");
        check = await space.RunAsync(Project.Daemon, "--check", file);
        Assert.Equal(2, check.Code);
        Assert.Contains("cannot be listed", check.Errors, StringComparison.Ordinal);

        // The file is right; a daemon that starts with it would wait.
        var nobody = NobodysKubeconfig();
        File.WriteAllText(file, $"router: {{ id: 10.0.0.1 }}\nsources: [{{ kubernetes: {{ kubeconfig: {nobody} }} }}]\n");
        check = await space.RunAsync(Project.Daemon, "--check", file);
        Assert.Equal(1, check.Code);
        Assert.Contains("router 10.0.0.1, AS 64512", check.Output, StringComparison.Ordinal);
        Assert.Contains($"error: sources: kubernetes {nobody} cannot be read: ", check.Errors, StringComparison.Ordinal);
    }
}
