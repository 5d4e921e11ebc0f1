// Figures of a large cluster: not microbenchmarks, but the real path from a manifest to an UPDATE. The mesh has 1,000 nodes; services come
// in three sizes, each in a process of its own, so that memory is one cluster's.
//   dotnet run --project bench -c Release -- scale
using System.Diagnostics;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources;
using Calico.Bgp.Sources.Yaml;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Bench;

internal sealed class ScaleFigures : IDisposable
{
    private const int Port = 17917, WarmUp = 100, Rounds = 500;

    private readonly ManifestFolder folder;
    private readonly CancellationTokenSource ending = new();
    private readonly Stopwatch clock = Stopwatch.StartNew();

    private ScaleFigures(int services) => folder = new(services, Port);

    public static async Task RunAsync()
    {
        foreach (var services in (int[])[10, 1_000, 10_000])
        {
            using var child = Process.Start(Environment.ProcessPath!, ["scale", services.ToString()]);
            await child.WaitForExitAsync();
        }
    }

    public static async Task RunAsync(int services)
    {
        using var figures = new ScaleFigures(services);
        await figures.MeasureAsync();
    }

    private async Task MeasureAsync()
    {
        var endpoints = folder.Services * ManifestFolder.EndpointsEach;
        Console.WriteLine($"{ManifestFolder.Nodes:N0} nodes, {folder.Services:N0} services, {endpoints:N0} endpoints; a file each object");
        var store = new ResourceStore(1);
        using var feed = store.Subscribe(Concern.Plan);
        clock.Restart();
        var source = new YamlFolderSource(0, folder.Path, FolderRules.Default, TimeProvider.System);
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (loop, defect) => Environment.FailFast(loop.Name, defect));
        var sources = new SourcesLoop(store, [source], loops, NullLogger<SourcesLoop>.Instance).RunAsync(ending.Token);
        var first = await feed.ReadAsync(ending.Token);
        Tell("files read, checked and merged");
        using var follower = new PlanFollower(
            new() { RouterId = new(1), As = new(64512), HostName = ManifestFolder.Self, Listen = [ManifestFolder.AddressOf(0)] },
            new() { Node = ManifestFolder.Self }, first.After);
        Tell($"planned: {follower.Plan.Peers.Count} peers");
        await using var speaker = new SpeakerLoop(
            follower.Joined, new IdleKernel(), loops, TimeProvider.System, NullLoggerFactory.Instance);
        await speaker.StartAsync();
        await follower.FollowAsync(speaker);
        Tell("speaker started");
        await using var neighbour = await Neighbour.ConnectAsync(ManifestFolder.AddressOf(0), ManifestFolder.AddressOf(1), Port);
        var following = FollowAsync(feed, follower);
        await neighbour.HearsAsync(ManifestFolder.ClusterIP(0), announced: true);
        Tell("a neighbour of the mesh has heard of the first service");
        Settle();
        Console.WriteLine($"  memory: managed {GC.GetTotalMemory(false) >> 20} MiB, resident {Environment.WorkingSet >> 20} MiB");

        await RepeatAsync("one endpoint's change, file to UPDATE at the neighbour", async round =>
        {
            var ready = round % 2 == 1;
            var text = ManifestFolder.SliceText(0, ready);
            return await TimedAsync(() => folder.Write("slice-0", text), () => neighbour.HearsAsync(ManifestFolder.ClusterIP(0), ready));
        });
        foreach (var (what, file, texts) in ManifestFolder.OtherChanges())
            await RepeatAsync($"{what}, file to speaker configured", async round =>
            {
                var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                follower.Taken = _ => taken.TrySetResult();
                return await TimedAsync(() => folder.Write(file, texts[round % 2]), () => taken.Task);
            });
        await ending.CancelAsync();
        await following;
        await sources;
    }

    private async Task FollowAsync(ResourceFeed feed, PlanFollower follower)
    {
        try
        {
            while (true) await follower.ApplyAsync(await feed.ReadAsync(ending.Token));
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested) { }
    }

    private void Tell(string what)
    {
        Console.WriteLine($"  {clock.Elapsed.TotalMilliseconds,8:0.0} ms {what}");
        clock.Restart();
    }

    private readonly record struct Cost(double Milliseconds, long Octets);

    private static async Task<Cost> TimedAsync(Action change, Func<Task> seen)
    {
        var (began, octets) = (Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes(precise: true));
        change();
        await seen();
        return new(Stopwatch.GetElapsedTime(began).TotalMilliseconds, GC.GetTotalAllocatedBytes(precise: true) - octets);
    }

    private static async Task RepeatAsync(string what, Func<int, Task<Cost>> once)
    {
        for (var i = 0; i < WarmUp; i++) await once(i);
        Settle();
        var costs = new Cost[Rounds];
        for (var i = 0; i < Rounds; i++) costs[i] = await once(i);
        var times = costs.Select(cost => cost.Milliseconds).Order().ToArray();
        Console.WriteLine(
            $"  {what}: p50 {times[Rounds / 2]:0.00} ms, p99 {times[Rounds * 99 / 100]:0.00} ms, worst {times[^1]:0.00} ms, " +
            $"{costs.Average(cost => cost.Octets) / 1024:0} KiB allocated");
    }

    private static void Settle()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    public void Dispose()
    {
        ending.Dispose();
        folder.Dispose();
    }
}
