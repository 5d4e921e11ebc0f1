using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Kubernetes;

/// <summary>
/// A real Kubernetes API server on a real etcd, in a namespace (<c>shared/kubeapi</c>): the tests' own, to which they do what befalls
/// servers.
/// </summary>
internal sealed class KubeApi : ApiServer
{
    private const int Port = 6443, PortBeside = 6444;

    private readonly Scratch folder = new("kubeapi");
    private readonly Netns space;
    private readonly string address;
    private int port = Port;

    private KubeApi(Netns space, string address) : base(new()
    {
        ConnectCallback = async (context, stop) =>
        {
            var socket = space.Socket(AddressFamily.InterNetwork);
            await socket.ConnectAsync(new DnsEndPoint(address, context.DnsEndPoint.Port), stop);
            return new NetworkStream(socket, ownsSocket: true);
        },
        SslOptions = new() { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=kubeapi" },
    }) => (this.space, this.address) = (space, address);

    private static string Script => SharedData.Get("kubeapi/run.sh");

    public override string Kubeconfig => folder.PathOf("kubeconfig");

    protected override async Task<(string Url, string? Token)> DoorAsync() => (Url(port), await TokenAsync());

    private string Url(int at) => $"https://{address}:{at}";

    private async Task<string> TokenAsync() => (await File.ReadAllTextAsync(folder.PathOf("admin.token"))).Trim();

    /// <param name="space">Where it runs.</param>
    /// <param name="address">Of that namespace; others reach it by this.</param>
    /// <param name="options">Of the server.</param>
    public static async Task<KubeApi> StartAsync(Netns space, string address, params string[] options)
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
    public override Task KillAsync() => space.DoAsync(
        "sh", "-c", $"kill -9 $(cat {folder.PathOf("kubeapi.pid")}); while [ -n \"$(ss -Hltn sport = :{Port})\" ]; do sleep 0.02; done");

    public override Task RestartAsync(params string[] options) => RunAsync("restart", options);

    /// <summary>Between the two moments it does not know Calico's kinds, and then fills its caches.</summary>
    public override async Task<(long Listened, long Served)> ReturnAsync()
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
        var served = WhenAsync("the server serves", async () => Worked(
            await AskAsync(Url(Port), await TokenAsync(), HttpMethod.Get, Crd("BGPFilter")), HttpMethod.Get, Crd("BGPFilter")));
        await RestartAsync();
        return (await listened, await served);
    }

    /// <summary>A second server on the same etcd, at another port, begun while the first is there: it takes the edits
    /// until it is disposed of, whatever becomes of the first.</summary>
    public override async Task<IAsyncDisposable?> BesideAsync()
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

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (File.Exists(folder.PathOf("kubeapi.pid"))) await RunAsync("stop");
        folder.Dispose();
    }
}
