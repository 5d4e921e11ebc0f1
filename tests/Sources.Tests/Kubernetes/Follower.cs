using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources.Kubernetes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

/// <summary>A source on a scripted server, and the store that hears of it.</summary>
internal sealed class Follower : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("follower").FullName;
    private readonly CancellationTokenSource ending = new();
    private readonly ResourceStore store = new(1);
    private readonly Task running, applying;

    /// <summary>What a node asks for that enforces no policy.</summary>
    public const Concern Wanted = Concern.Plan | Concern.Nat | Concern.Report;

    public Follower(Uri server, TimeProvider? time = null, Func<KubernetesSettings, KubernetesSettings>? change = null)
    {
        var file = Path.Combine(folder, "kubeconfig");
        File.WriteAllText(Path.Combine(folder, "token"), "first\n");
        File.WriteAllText(file, $$"""
            current-context: c
            clusters: [{ name: c, cluster: { server: "{{server}}" } }]
            users: [{ name: c, user: { tokenFile: token } }]
            contexts: [{ name: c, context: { cluster: c, user: c } }]
            """);
        var settings = new KubernetesSettings { KubeConfig = file, Node = "n1" };
        var source = new ClusterSource(0, change?.Invoke(settings) ?? settings, Wanted, time ?? TimeProvider.System);
        var updates = Channel.CreateBounded<SourceUpdate>(64);
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (_, _) => { });
        var loop = loops.Start(
            "source", OnDefect.EndProcess, own => source.RunAsync(own, updates.Writer, ending.Token), stop: ending.Token);
        running = loop.Ended;
        applying = ApplyAsync(updates.Reader);
    }

    /// <summary>How many updates the store was told.</summary>
    public int Updates;

    public SourceState State => store.Status(0, "kubernetes", "").State;
    public ResourceSnapshot Resources => store.Current;
    public string Problems => string.Join('\n', Resources.Problems);

    public void WriteToken(string token) => File.WriteAllText(Path.Combine(folder, "token"), token);

    public void RemoveToken() => File.Delete(Path.Combine(folder, "token"));

    private async Task ApplyAsync(ChannelReader<SourceUpdate> updates)
    {
        try
        {
            await foreach (var update in updates.ReadAllAsync(ending.Token))
            {
                store.Apply(update);
                Interlocked.Increment(ref Updates);
            }
        }
        catch (OperationCanceledException) { }
    }

    public Task InSyncAsync() => Until.TrueAsync("the source is in sync", () => State.InSyncSince != null, 20, () => $"{State}");

    /// <summary>The names of the pools that count.</summary>
    public string Pools => string.Join(' ', Resources.Of(Kinds.IPPool).Select(pool => pool.Name));

    public Task PoolsAsync(string names) => Until.SeenAsync(
        $"the pools are {names}", () => Task.FromResult(Pools), seen => seen == names, 20, () => $"{State}\n{Problems}");

    public Task ToldAsync(string problem) =>
        Until.TrueAsync($"it is told: {problem}", () => Problems.Contains(problem, StringComparison.Ordinal), 20, () => Problems);

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await running;
        await applying;
        ending.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
