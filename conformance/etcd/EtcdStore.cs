using System.Text.Json.Nodes;
using Calico.Bgp.Conformance.Golden;
using YamlDotNet.Serialization;

namespace Calico.Bgp.Conformance.Etcd;

/// <summary>A real etcd in a namespace, and a hand that puts Calico's objects where calicoctl puts them.</summary>
internal sealed class EtcdStore(Netns space, string address) : IAsyncDisposable
{
    private const string Resources = "/calico/resources/v3/projectcalico.org/";

    private readonly Scratch folder = new("etcd");
    private Background? server;

    /// <summary>How others reach it.</summary>
    public string Endpoint => $"{(Tls == null ? "http" : "https")}://{address}:2379";

    /// <summary>Further words for etcdctl: a user, certificates.</summary>
    public string[] Credentials { get; set; } = [];
    /// <summary>Null: plain HTTP.</summary>
    public Certificates? Tls { get; init; }

    private string Loopback => $"{(Tls == null ? "http" : "https")}://127.0.0.1:2379";
    private string Log => folder.PathOf("log");

    /// <param name="reachable">False: only from inside its namespace.</param>
    public async Task StartAsync(bool reachable = true)
    {
        string[] words =
        [
            "--name", "e", "--data-dir", folder.PathOf("data"), "--listen-peer-urls", "http://127.0.0.1:2380",
            "--listen-client-urls", reachable ? $"{Endpoint},{Loopback}" : Loopback, "--advertise-client-urls", Endpoint,
            .. Tls?.Etcd ?? [],
        ];
        server = Background.Start(space, Log, null, "etcd", words);
        await Until.TrueAsync(
            "etcd answers", async () => (await RunAsync("endpoint", "health")).Good, 30, () => Background.SaidIn(Log));
    }

    public async Task KillAsync()
    {
        await server!.KillAsync();
        await server.DisposeAsync();
        server = null;
    }

    /// <summary>Another password; etcdctl asks for it on its standard input.</summary>
    public Task PasswordAsync(string user, string password) => space.DoAsync(
        "sh", "-c", $"echo {password} | etcdctl --endpoints {Loopback} {string.Join(' ', Credentials)} "
            + $"user passwd {user} --interactive=false");

    /// <summary>As a member that has lost its disk.</summary>
    public void Wipe() => Directory.Delete(folder.PathOf("data"), recursive: true);

    public async Task PutAsync(params IEnumerable<Manifest> objects)
    {
        foreach (var one in objects)
        {
            var (key, value) = Spelled(one);
            await DoAsync("put", key, value);
        }
    }

    public Task DeleteAsync(Manifest one) => DoAsync("del", Spelled(one).Key);

    /// <summary>All but the newest revision is forgotten.</summary>
    public async Task CompactAsync()
    {
        var status = JsonNode.Parse(await DoAsync("get", "/", "--write-out", "json"))!;
        await DoAsync("compact", $"{status["header"]!["revision"]}");
    }

    public async Task<string> DoAsync(params string[] words)
    {
        var answer = await RunAsync(words);
        return answer.Good ? answer.Output : throw new MachineException($"etcdctl {string.Join(' ', words)}: {answer.Errors}");
    }

    private Task<Answer> RunAsync(params string[] words) =>
        space.RunAsync("etcdctl", ["--endpoints", Loopback, .. Tls?.Etcdctl ?? [], .. Credentials, .. words]);

    /// <summary>Affinities lie where IPAM keeps them, all else as calicoctl shows it.</summary>
    private static (string Key, string Value) Spelled(Manifest one)
    {
        var tree = JsonNode.Parse(Json(one.Text))!;
        if (one.Kind != "BlockAffinity")
            return ($"{Resources}{one.Kind.ToLowerInvariant()}{(one.Kind.EndsWith('s') ? "es" : "s")}/{one.Name}", tree.ToJsonString());
        var spec = tree["spec"]!;
        var cidr = (string)spec["cidr"]!;
        return (
            $"/calico/ipam/v2/host/{spec["node"]}/{(cidr.Contains(':') ? "ipv6" : "ipv4")}/block/{cidr.Replace('/', '-')}",
            $$"""{"state":"{{spec["state"]}}","deleted":false}""");
    }

    private static string Json(string yaml)
    {
        var tree = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize(yaml);
        return new SerializerBuilder().JsonCompatible().Build().Serialize(tree!);
    }

    public async ValueTask DisposeAsync()
    {
        if (server != null) await server.DisposeAsync();
        server = null;
        if (Directory.Exists(folder.Path)) folder.Dispose();
    }
}
