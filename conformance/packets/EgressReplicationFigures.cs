// Figures, not verdicts: run when asked for, CONFORMANCE_FIGURES=1, and printed. On a busy machine they are worth little.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit.Abstractions;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>What of a thousand flows goes on when a pinned address moves, for how long nothing comes, and what telling costs.</summary>
public sealed class EgressReplicationFigures(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Figures = "CONFORMANCE_FIGURES";
    private const int Each = 125, Ports = 20000, Sources = 200;

    private readonly EgressReplicationTests with = new();

    public Task InitializeAsync() => with.InitializeAsync();

    public Task DisposeAsync() => with.DisposeAsync();

    [NeedsTheory(Needs.Asked + Figures, Needs.Daemon, "nft", "bird", "birdc", "curl")]
    [InlineData("egress: { pinned: true, replicateFlows: true }")]
    [InlineData("egress: { pinned: true }")]
    public async Task Flows_that_go_on_and_the_time_without_packets(string egress)
    {
        var isTold = egress.Contains("replicateFlows", StringComparison.Ordinal);
        var site = await with.StartAsync(egress);
        await with.BeginAsync(Each);
        if (isTold) await with.ThereAsync("gate2");
        using var probe = await LastingFlow.BeginAsync(
            site["a"], EgressSite.AddressOf("a"), 30000, EgressSite.Outside4, SocketType.Dgram);
        foreach (var (words, move, led) in ((string, Func<Task>, string)[])
            [("the first node is lost", () => site.CutAsync("gate1"), "172.20.0.12"),
                ("it comes back", () => site.MendAsync("gate1"), "172.20.0.11")])
        {
            using var enough = new CancellationTokenSource();
            var gap = probe.LongestGapAsync(enough.Token);
            await move();
            await with.LedToAsync(led);
            await Task.Delay(TimeSpan.FromSeconds(3));
            await enough.CancelAsync();
            var longest = await gap;
            output.WriteLine($"{egress}: {words}: {await with.CountAsync(isTold ? 30 : 5)} of {with.Count} flows go on; "
                + $"longest time without an answer {longest.TotalMilliseconds:0} ms");
        }
    }

    [NeedsTheory(Needs.Asked + Figures, Needs.Daemon, "nft", "bird", "birdc", "curl")]
    [InlineData("egress: { pinned: true, replicateFlows: true }", 2000)]
    [InlineData("egress: { pinned: true, flowLog: true }", 2000)]
    [InlineData("egress: { pinned: true }", 2000)]
    public async Task What_new_flows_cost_the_daemon(string egress, int perSecond)
    {
        var site = await with.StartAsync(egress);
        // Of one port the kernel looks through all that it has translated of that port before, whoever asks it for one more.
        var sockets = Enumerable.Range(0, Sources)
            .Select(_ => site["a"].Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
            .ToArray();
        foreach (var socket in sockets) socket.Bind(new IPEndPoint(IPAddress.Parse(EgressSite.AddressOf("a")), 0));
        var (before, since, sent) = (Cpu("gate1"), Stopwatch.GetTimestamp(), 0);
        var outside = IPAddress.Parse(EgressSite.Outside4);
        while (sent < Ports)
        {
            await sockets[sent % Sources].SendToAsync(new byte[1], new IPEndPoint(outside, 10000 + sent++));
            while (sent > perSecond * Stopwatch.GetElapsedTime(since).TotalSeconds) await Task.Delay(5);
        }
        var took = Stopwatch.GetElapsedTime(since);
        foreach (var socket in sockets) socket.Dispose();
        output.WriteLine($"{egress}: {sent} new flows of UDP in {took.TotalSeconds:0.0} s cost gate1's daemon "
            + $"{(Cpu("gate1") - before).TotalMilliseconds:0} ms of a processor; gate2's has had {Cpu("gate2").TotalMilliseconds:0} ms");

        TimeSpan Cpu(string node)
        {
            using var process = Process.GetProcessById(site.PidOf(node));
            return process.TotalProcessorTime;
        }
    }
}
