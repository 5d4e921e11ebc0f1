using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Calico.Bgp.Conformance.Golden;

namespace Calico.Bgp.Conformance.Kubernetes;

/// <summary>
/// A real Kubernetes API server on a real etcd, in a namespace (<c>shared/kubeapi</c>), and a hand that edits its objects. Objects are
/// given as Calico's API spells them, and lie there as they do in a cluster: in crd.projectcalico.org/v1, and nodes' in annotations.
/// </summary>
internal sealed partial class KubeApi : IAsyncDisposable
{
    private static readonly Dictionary<string, string> Paths = new()
    {
        ["Node"] = "/api/v1/nodes",
        ["Service"] = "/api/v1/namespaces/NS/services",
        ["Secret"] = "/api/v1/namespaces/NS/secrets",
        ["EndpointSlice"] = "/apis/discovery.k8s.io/v1/namespaces/NS/endpointslices",
        ["BlockAffinity"] = "/apis/crd.projectcalico.org/v1/blockaffinities",
        ["CustomResourceDefinition"] = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        ["ClusterRole"] = "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        ["ClusterRoleBinding"] = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    };

    private const int Port = 6443, PortBeside = 6444;

    private readonly Scratch folder = new("kubeapi");
    private readonly Netns space;
    private readonly string address;
    private readonly HttpClient client;
    private int port = Port;

    private KubeApi(Netns space, string address)
    {
        (this.space, this.address) = (space, address);
        client = new(new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            SslOptions = new() { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=kubeapi" },
        });
    }

    private static string Script => SharedData.Get("kubeapi/run.sh");

    public string Kubeconfig => folder.PathOf("kubeconfig");

    /// <summary>As <c>sources</c> of bgpd.yaml name it.</summary>
    public string Source => $"{{ kubernetes: {{ kubeconfig: {Kubeconfig} }} }}";

    /// <param name="space">Where it runs.</param>
    /// <param name="address">Of that namespace; others reach it by this.</param>
    /// <param name="options">Of the server.</param>
    public static async Task<KubeApi> StartAsync(Netns space, string address = "127.0.0.1", params string[] options)
    {
        var api = new KubeApi(space, address);
        try
        {
            await api.RunAsync("start", options);
            return api;
        }
        catch
        {
            await api.DisposeAsync();
            throw;
        }
    }

    /// <summary>Its own words go into a file: the servers that it leaves behind would hold a pipe open.</summary>
    private Task RunAsync(string verb, params string[] options) => space.DoAsync(
        "sh",
        ["-c", $"BIND={address} {Script} {verb} {folder.Path} \"$@\" >{folder.PathOf("said")} 2>&1 </dev/null "
            + $"|| {{ cat {folder.PathOf("said")} >&2; exit 1; }}", "sh", .. options]);

    /// <summary>Its port is free by then: its first thread may be gone before the one that holds it.</summary>
    public Task KillAsync() => space.DoAsync(
        "sh", "-c", $"kill -9 $(cat {folder.PathOf("kubeapi.pid")}); while [ -n \"$(ss -Hltn sport = :{Port})\" ]; do sleep 0.02; done");

    public Task RestartAsync(params string[] options) => RunAsync("restart", options);

    /// <returns>When its port was open again, and when it answered with a list of Calico's, by <see cref="Stopwatch"/>: in between it does
    /// not know these kinds, and then fills its caches.</returns>
    public async Task<(long Listened, long Served)> ReturnAsync()
    {
        async Task<long> WhenAsync(string what, Func<Task> attempt)
        {
            await Until.TrueAsync(what, async () =>
            {
                try { await attempt(); }
                catch (Exception refused) when (refused is SocketException or HttpRequestException or MachineException) { return false; }
                return true;
            }, 60, () => Said);
            return Stopwatch.GetTimestamp();
        }
        var listened = WhenAsync("the server listens", async () =>
        {
            using var socket = space.Socket(AddressFamily.InterNetwork);
            await socket.ConnectAsync(address, Port);
        });
        var served = WhenAsync("the server serves", () => SendAsync(HttpMethod.Get, Crd("BGPFilter"), null, at: Port));
        await RestartAsync();
        return (await listened, await served);
    }

    /// <summary>A second server on the same etcd, at another port, begun while the first is there: it takes the edits
    /// until it is disposed of, whatever becomes of the first.</summary>
    public async Task<IAsyncDisposable> BesideAsync()
    {
        var pid = (await File.ReadAllTextAsync(folder.PathOf("kubeapi.pid"))).Trim();
        var words = (await File.ReadAllTextAsync($"/proc/{pid}/cmdline")).TrimEnd('\0').Split('\0');
        words[Array.IndexOf(words, "-port") + 1] = $"{PortBeside}";
        words[Array.IndexOf(words, "-audit") + 1] = folder.PathOf("audit-beside.log");
        var log = folder.PathOf("beside.log");
        var server = Background.Start(space, log, null, words[0], words[1..]);
        await Until.TrueAsync("the second server is ready", () => Background.SaidIn(log).Contains("ready"), 60, () => server.Said);
        port = PortBeside;
        return new Beside(this, server);
    }

    private sealed class Beside(KubeApi api, Background server) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            api.port = Port;
            await server.DisposeAsync();
        }
    }

    public Task CompactAsync() => RunAsync("compact");

    /// <summary>A ServiceAccount's token and kubeconfig.</summary>
    public async Task<string> AccountAsync(string @namespace, string name)
    {
        await RunAsync("account", @namespace, name);
        return folder.PathOf($"{name}.kubeconfig");
    }

    public string PathOf(string name) => folder.PathOf(name);

    public string Said => Background.SaidIn(folder.PathOf("kubeapi.log"));

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var socket = space.Socket(AddressFamily.InterNetwork);
        await socket.ConnectAsync(new DnsEndPoint(address, context.DnsEndPoint.Port), stop);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Server-side apply, as kubectl does it; a status goes in by its own door.</summary>
    public async Task ApplyAsync(params IEnumerable<Manifest> objects)
    {
        foreach (var one in objects)
        {
            var text = Spelled(one);
            await SendAsync(HttpMethod.Patch, $"{PathOf(one)}/{one.Name}?fieldManager=tests&force=true", text);
            if (one.Text.Contains("\nstatus:", StringComparison.Ordinal))
                await SendAsync(HttpMethod.Patch, $"{PathOf(one)}/{one.Name}/status?fieldManager=tests&force=true", text);
        }
    }

    public Task DeleteAsync(Manifest one) => SendAsync(HttpMethod.Delete, $"{PathOf(one)}/{one.Name}", null);

    public async Task<string> SendAsync(
        HttpMethod method, string path, string? body, string type = "application/apply-patch+yaml", int? at = null)
    {
        using var question = new HttpRequestMessage(method, $"https://{address}:{at ?? port}{path}");
        var token = await File.ReadAllTextAsync(folder.PathOf("admin.token"));
        question.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
        if (body != null) question.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue(type));
        using var answer = await client.SendAsync(question);
        var said = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode && !(method == HttpMethod.Delete && answer.StatusCode == HttpStatusCode.NotFound))
            throw new MachineException($"{method} {path} should have worked: {said}\n{body}");
        return said;
    }

    private static string PathOf(Manifest one) => Paths.GetValueOrDefault(one.Kind, Crd(one.Kind)).Replace(
        "NS", NamespaceLine().Match(one.Text) is { Success: true } match ? match.Groups[1].Value : "default");

    private static string Crd(string kind) =>
        $"/apis/crd.projectcalico.org/v1/{kind.ToLowerInvariant()}{(kind.EndsWith('s') ? "es" : "s")}";

    private static string Spelled(Manifest one) => one.Kind == "Node" && one.Text.Contains("projectcalico.org/v3", StringComparison.Ordinal)
        ? KubernetesNode(one) : one.Text.Replace("apiVersion: projectcalico.org/v3", "apiVersion: crd.projectcalico.org/v1");

    /// <summary>calico-node's start writes what it finds into annotations.</summary>
    private static string KubernetesNode(Manifest one)
    {
        var notes = new List<string>();
        foreach (var (field, annotation) in ((string, string)[])[("ipv4Address", "IPv4Address"), ("ipv6Address", "IPv6Address"),
            ("asNumber", "ASNumber"), ("routeReflectorClusterID", "RouteReflectorClusterID"), ("ipv4IPIPTunnelAddr", "IPv4IPIPTunnelAddr")])
            if (Regex.Match(one.Text, $@"{field}: *'?""?([^,'""}}\s]+)") is { Success: true } match)
                notes.Add($"projectcalico.org/{annotation}: '{match.Groups[1].Value}'");
        var labels = LabelsLine().Match(one.Text) is { Success: true } found ? found.Groups[1].Value : "{}";
        var metadata = $"{{ name: {one.Name}, labels: {labels}, annotations: {{ {string.Join(", ", notes)} }} }}";
        return $"apiVersion: v1\nkind: Node\nmetadata: {metadata}\n";
    }

    [GeneratedRegex(@"^  namespace:\s*(\S+)", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^  labels:\s*(\{.*\})", RegexOptions.Multiline)]
    private static partial Regex LabelsLine();

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        if (File.Exists(folder.PathOf("kubeapi.pid"))) await RunAsync("stop");
        folder.Dispose();
    }
}
