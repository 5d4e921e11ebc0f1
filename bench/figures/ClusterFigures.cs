// Figures of the compiled daemon (out/bgpd) on a real API server that holds a large cluster, beside the same objects in a folder. In a
// network namespace of its own (as root); the server is shared/kubeapi, built beforehand, and KUBEAPI names its run.sh:
//   KUBEAPI=…/run.sh make bench ARGS=cluster            1,000 nodes and BlockAffinities, 10,000 services, 100,000 endpoints
//   KUBEAPI=…/run.sh make bench ARGS='cluster 1000'     the same nodes, a tenth of the rest
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Calico.Bgp.Bench;

internal sealed partial class ClusterFigures : IAsyncDisposable
{
    private const int Port = 17918, WarmUp = 100, Rounds = 500, Edits = 10_000, Hands = 4;
    private const string Slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

    private readonly Scratch folder = new("cluster");
    private readonly ManifestFolder manifests;
    private readonly HttpClient api;
    private Process? daemon;

    private ClusterFigures(int services)
    {
        manifests = new(services, Port, blocks: services / 10);
        api = new(new SocketsHttpHandler
        {
            SslOptions = new() { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=kubeapi" },
        })
        { BaseAddress = new("https://127.0.0.1:6443"), Timeout = Timeout.InfiniteTimeSpan };
    }

    private string Http => folder.PathOf("http");

    public static async Task RunAsync(int services)
    {
        await using var figures = new ClusterFigures(services);
        await figures.MeasureAsync();
    }

    private static string Script => Environment.GetEnvironmentVariable("KUBEAPI")
        ?? throw new MachineException("expected KUBEAPI to name kubeapi's run.sh");

    /// <summary>Its own words go into a file: the servers that it leaves behind would hold a pipe open.</summary>
    private Task ServerAsync(string verb) => Shell.DoAsync(
        "sh", "-c", $"exec {Script} {verb} {folder.PathOf("api")} >{folder.PathOf("said")} 2>&1 </dev/null");

    private async Task MeasureAsync()
    {
        var services = manifests.Services;
        Console.WriteLine(
            $"{ManifestFolder.Nodes:N0} nodes, {services:N0} services, {services * ManifestFolder.EndpointsEach:N0} endpoints, "
            + $"{services / 10:N0} BlockAffinities");
        Start($"files: {manifests.Path}");
        Console.WriteLine($"  from a folder: in sync after {await InSyncAsync():N0} ms");
        var inFolder = await RestsAsync("from a folder");
        await EndAsync();

        await ServerAsync("start");
        api.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", File.ReadAllText(folder.PathOf("api/admin.token")).Trim());
        await FillAsync();
        Start($"kubernetes: {{ kubeconfig: {folder.PathOf("api/kubeconfig")} }}");
        Console.WriteLine($"  from the API server: in sync after {await InSyncAsync():N0} ms, {await ReceivedAsync():N0} octets received");
        var inCluster = await RestsAsync("from the API server");
        Console.WriteLine($"  resident memory, API server to folder: {(double)inCluster / inFolder:0.00}");
        await EditAsync();
        await EndAsync();
    }

    private void Start(string source)
    {
        var program = Path.Combine("out", "bgpd");
        if (!File.Exists(program)) throw new MachineException("expected out/bgpd (make build), in the folder where this is run");
        File.Delete(Http);
        var file = folder.Write("bgpd.yaml", $$"""
            node: {{ManifestFolder.Self}}
            sources: [{ {{source}} }]
            control: { http: ["unix:{{Http}}"], socket: {{folder.PathOf("ctl")}} }

            """);
        daemon = Process.Start(new ProcessStartInfo("sh", ["-c", $"exec {program} --config {file} >{folder.PathOf("log")} 2>&1"]))!;
    }

    private async Task EndAsync()
    {
        if (daemon == null) return;
        daemon.Kill();
        await daemon.WaitForExitAsync();
        daemon.Dispose();
        daemon = null;
    }

    /// <returns>Milliseconds since the process's start.</returns>
    private async Task<double> InSyncAsync()
    {
        var began = Stopwatch.GetTimestamp();
        using var http = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new("http://bgpd") };
        while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(1))
        {
            try
            {
                var status = JsonNode.Parse(await http.GetStringAsync("/v1/status"))!;
                if (status["sources"]![0]!["inSyncSince"] != null) return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            }
            catch (HttpRequestException) { } // it does not answer yet
            await Task.Delay(10);
        }
        throw new MachineException($"not in sync after a minute: {Background.SaidIn(folder.PathOf("log"))}");
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try { await socket.ConnectAsync(new UnixDomainSocketEndPoint(Http), stop); }
        catch { socket.Dispose(); throw; }
        return new NetworkStream(socket, ownsSocket: true);
    }

    private long Resident(string what = "VmRSS") =>
        long.Parse(Regex.Match(File.ReadAllText($"/proc/{daemon!.Id}/status"), $@"{what}:\s+(\d+)").Groups[1].Value,
            CultureInfo.InvariantCulture);

    /// <returns>KiB, once it has rested for five seconds.</returns>
    private async Task<long> RestsAsync(string what)
    {
        await Task.Delay(TimeSpan.FromSeconds(5));
        Console.WriteLine($"  {what}: resident {Resident() / 1024.0:0.0} MiB at rest, {Resident("VmHWM") / 1024.0:0.0} MiB at most");
        return Resident();
    }

    /// <summary>On its one connection to the server, as the kernel counts.</summary>
    private async Task<long> ReceivedAsync()
    {
        var said = await Shell.DoAsync("ss", "-Htinp", "dport", "=", ":6443");
        var of = said.Split("\nESTAB").Where(text => text.Contains($"pid={daemon!.Id},", StringComparison.Ordinal));
        return of.Sum(text => long.Parse(ReceivedWords().Match(text).Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"bytes_received:(\d+)")]
    private static partial Regex ReceivedWords();

    private async Task FillAsync()
    {
        var began = Stopwatch.GetTimestamp();
        var files = Directory.GetFiles(manifests.Path, "*.yaml");
        await Parallel.ForEachAsync(files, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (file, stop) =>
        {
            var (path, text) = AsServed(await File.ReadAllTextAsync(file, stop));
            await SendAsync(HttpMethod.Post, path, text, "application/yaml");
        });
        Console.WriteLine($"  {files.Length:N0} objects into the API server: {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
    }

    /// <summary>As they lie in a cluster: Calico's in crd.projectcalico.org/v1, what it says of nodes in annotations.</summary>
    private static (string Path, string Text) AsServed(string text)
    {
        var kind = Regex.Match(text, @"^kind: (\w+)", RegexOptions.Multiline).Groups[1].Value;
        if (kind == "Service") return ("/api/v1/namespaces/default/services", text);
        if (kind == "EndpointSlice") return (Slices, text);
        if (kind != "Node")
            return ($"/apis/crd.projectcalico.org/v1/{kind.ToLowerInvariant().Replace("affinity", "affinitie", StringComparison.Ordinal)}s",
                text.Replace("projectcalico.org/v3", "crd.projectcalico.org/v1", StringComparison.Ordinal));
        var (name, address) = (Regex.Match(text, @"name: ([\w-]+)").Groups[1], Regex.Match(text, @"ipv4Address: (\S+)").Groups[1]);
        return ("/api/v1/nodes",
            $"apiVersion: v1\nkind: Node\nmetadata: {{ name: {name}, annotations: {{ projectcalico.org/IPv4Address: {address} }} }}\n");
    }

    private async Task SendAsync(HttpMethod method, string path, string text, string type)
    {
        using var content = new StringContent(text, Encoding.UTF8, new MediaTypeHeaderValue(type));
        using var question = new HttpRequestMessage(method, path) { Content = content };
        using var answer = await api.SendAsync(question);
        if (!answer.IsSuccessStatusCode) throw new MachineException($"{method} {path}: {await answer.Content.ReadAsStringAsync()}\n{text}");
    }

    private Task ReadyAsync(int service, bool ready) => SendAsync(
        HttpMethod.Patch, $"{Slices}/web-{service}-x",
        $$"""[{"op":"replace","path":"/endpoints/0/conditions/ready","value":{{(ready ? "true" : "false")}}}]""",
        "application/json-patch+json");

    private async Task EditAsync()
    {
        await using var neighbour = await Neighbour.ConnectAsync(ManifestFolder.AddressOf(0), ManifestFolder.AddressOf(1), Port);
        await neighbour.HearsAsync(ManifestFolder.ClusterIP(0), announced: true);
        using var watch = new StreamReader(await api.GetStreamAsync($"{Slices}?watch=1&fieldSelector=metadata.name=web-0-x"));
        await watch.ReadLineAsync();
        var (told, edit) = (new double[Rounds], new double[Rounds]);
        for (var round = -WarmUp; round < Rounds; round++)
        {
            var ready = round % 2 != 0;
            var began = Stopwatch.GetTimestamp();
            var seen = Task.Run(async () => { await watch.ReadLineAsync(); return Stopwatch.GetTimestamp(); });
            var heard = Task.Run(async () =>
            {
                await neighbour.HearsAsync(ManifestFolder.ClusterIP(0), ready);
                return Stopwatch.GetTimestamp();
            });
            await ReadyAsync(0, ready);
            if (round >= 0) (told[round], edit[round]) = (Milliseconds(await seen, await heard), Milliseconds(began, await heard));
            await seen;
            await heard;
        }
        Tell("one endpoint edited, the server's event (as another watch sees it) to the UPDATE at a neighbour", told);
        Tell("the same from before the edit is asked for", edit);

        Console.WriteLine($"  edits so far 0: resident {Resident() / 1024.0:0.0} MiB");
        for (var done = 0; done < Edits; done += Edits / 4)
        {
            await Task.WhenAll(Enumerable.Range(1, Hands).Select(async hand =>
            {
                for (var i = 0; i < Edits / 4 / Hands; i++) await ReadyAsync(hand, i % 2 != 0);
            }));
            Console.WriteLine($"  edits so far {done + Edits / 4:N0}: resident {Resident() / 1024.0:0.0} MiB");
        }
    }

    private static double Milliseconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalMilliseconds;

    private static void Tell(string what, double[] times)
    {
        Array.Sort(times);
        Console.WriteLine($"  {what}: p50 {times[Rounds / 2]:0.00} ms, p99 {times[Rounds * 99 / 100]:0.00} ms, worst {times[^1]:0.00} ms");
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        if (File.Exists(folder.PathOf("api/etcd.pid"))) await ServerAsync("stop");
        api.Dispose();
        manifests.Dispose();
        folder.Dispose();
    }
}
