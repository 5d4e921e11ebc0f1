using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Calico.Bgp.Conformance.Golden;

namespace Calico.Bgp.Conformance.Kubernetes;

/// <summary>
/// The cluster that <c>KUBECONFIG_FOR_TESTS</c> names, by its current context. Nodes in namespaces have no way to it but a relay, which is
/// cut where a server of the tests' own would be killed; edits go by kubectl's proxy, which knows all that a kubeconfig can say of who
/// comes. Such a cluster has one set of objects, so one test has it at a time. What a test applies is removed behind it, and before the
/// next where a run was killed; definitions of Calico's kinds that the cluster lacks are made, and stay.
/// </summary>
internal sealed class NamedCluster : ApiServer
{
    private const int Port = 6443;

    private static readonly SemaphoreSlim Turn = new(1);
    private static readonly string[] Others =
        ["/api/v1/nodes", "/api/v1/services", "/api/v1/secrets", "/apis/discovery.k8s.io/v1/endpointslices"];

    private readonly Scratch folder;
    private readonly string named;
    private readonly string socket;
    private readonly HashSet<string> kinds = [], objects = [];
    private Relay? relay;
    private Background? proxy;
    private bool isJoined;

    private NamedCluster(string named, Scratch folder, string socket) : base(new()
    {
        ConnectCallback = async (_, stop) =>
        {
            var end = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await end.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop);
            return new NetworkStream(end, ownsSocket: true);
        },
    }) => (this.named, this.folder, this.socket) = (named, folder, socket);

    public override string Kubeconfig => folder.PathOf("kubeconfig");

    protected override Task<(string Url, string? Token)> DoorAsync() => Task.FromResult<(string, string?)>(("http://localhost", null));

    /// <param name="kubeconfig">Of the cluster.</param>
    /// <param name="space">Where the nodes are that follow it.</param>
    /// <param name="address">Of that namespace: there they find it.</param>
    /// <exception cref="MachineException">It cannot be reached, or it has objects of Calico's that are not the tests'.</exception>
    public static async Task<NamedCluster> JoinAsync(string kubeconfig, Netns space, string address)
    {
        await Turn.WaitAsync();
        var folder = new Scratch("cluster");
        var cluster = new NamedCluster(kubeconfig, folder, folder.PathOf("proxy"));
        try
        {
            await cluster.OpenAsync(space, address);
            await cluster.SweepAsync();
            cluster.isJoined = true;
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    private async Task OpenAsync(Netns space, string address)
    {
        // Alone, with the files that it names inside, so that it may be read elsewhere.
        var config = JsonNode.Parse(await Shell.DoAsync(
            "kubectl", "--kubeconfig", named, "config", "view", "--raw", "--flatten", "--minify", "-o", "json"))!;
        var where = config["clusters"]?[0]?["cluster"] is { } found && found["proxy-url"] == null ? found
            : throw new MachineException($"{Complaint}expected a current context, and no proxy-url");
        var server = new Uri((string)where["server"]!);
        where["tls-server-name"] ??= server.Host.Trim('[', ']');
        where["server"] = new UriBuilder(server) { Host = address, Port = Port }.Uri.ToString().TrimEnd('/');
        await File.WriteAllTextAsync(Kubeconfig, config.ToJsonString());
        relay = new(space, new(IPAddress.Parse(address), Port), server.Host.Trim('[', ']'), server.Port);
        relay.Open();

        var log = folder.PathOf("proxy.log");
        proxy = Background.Start(null, log, null, "kubectl", "--kubeconfig", named, "proxy", "--unix-socket", socket);
        await Until.TrueAsync($"kubectl's proxy to the cluster of {named} answers", async () =>
        {
            try { await SendAsync(HttpMethod.Get, "/version", null); }
            catch (HttpRequestException) { return false; }
            return true;
        }, 30, () => Background.SaidIn(log));
    }

    /// <summary>What the tests have applied is removed. What others have is theirs, and of Calico's nobody else may have any: nodes would
    /// act on it, and tests would see that.</summary>
    private async Task SweepAsync()
    {
        var calicos = $"/apis/{CalicoGroup}/v1";
        foreach (var resource in (await FindAsync(calicos))?["resources"]!.AsArray() ?? [])
            if ((string)resource!["name"]! is var plural && !plural.Contains('/', StringComparison.Ordinal))
            {
                kinds.Add((string)resource["kind"]!);
                await SweepAsync($"{calicos}/{plural}", othersMay: false);
            }
        foreach (var path in Others) await SweepAsync(path, othersMay: true);
    }

    private async Task SweepAsync(string path, bool othersMay)
    {
        foreach (var one in JsonNode.Parse(await SendAsync(HttpMethod.Get, path, null))!["items"]!.AsArray())
        {
            var (name, space) = ((string)one!["metadata"]!["name"]!, (string?)one["metadata"]!["namespace"]);
            if (IsOurs(one))
            {
                var slash = path.LastIndexOf('/');
                var within = space == null ? path : $"{path[..slash]}/namespaces/{space}{path[slash..]}";
                await SendAsync(HttpMethod.Delete, $"{within}/{name}", null);
            }
            else if (!othersMay)
                throw new MachineException($"{Complaint}expected one in which only the tests have Calico's objects, got {path}/{name}");
        }
    }

    /// <summary>Its kind is known, and it is nobody else's.</summary>
    protected override async Task MakeReadyAsync(Manifest one, string path)
    {
        if (IsCalicos(one.Kind) && kinds.Add(one.Kind))
        {
            await ApplyAsync(Definition(one.Kind));
            await Until.TrueAsync($"the cluster knows {one.Kind}", async () => await FindAsync(Crd(one.Kind)) != null);
        }
        if (objects.Add(path) && await FindAsync(path) is { } there && !IsOurs(there))
            throw new MachineException($"{Complaint}expected one without {path}, which these tests make and delete");
    }

    private static bool IsOurs(JsonNode one) =>
        one["metadata"]!["managedFields"]?.AsArray().Any(field => (string?)field!["manager"] == Manager) ?? false;

    private string Complaint => $"KUBECONFIG_FOR_TESTS: the cluster of {named}: ";

    public override Task KillAsync() => relay!.CutAsync();

    public override Task RestartAsync(params string[] options)
    {
        if (options.Length > 0) throw new ArgumentException("only a server of the tests' own has options", nameof(options));
        relay!.Open();
        return Task.CompletedTask;
    }

    public override async Task<(long Listened, long Served)> ReturnAsync()
    {
        await RestartAsync();
        var now = Stopwatch.GetTimestamp();
        return (now, now);
    }

    /// <summary>Edits have never gone by the relay.</summary>
    public override Task<IAsyncDisposable?> BesideAsync() => Task.FromResult<IAsyncDisposable?>(null);

    public override async ValueTask DisposeAsync()
    {
        try
        {
            if (isJoined) await SweepAsync();
        }
        finally
        {
            if (relay != null) await relay.DisposeAsync();
            if (proxy != null) await proxy.DisposeAsync();
            await base.DisposeAsync();
            folder.Dispose();
            Turn.Release();
        }
    }
}
