using System.Text.RegularExpressions;
using Calico.Bgp.Conformance.Golden;
using Calico.Bgp.Conformance.Routers;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>A node changes over from BIRD, which is killed and leaves its routes (protocol 12): our daemon takes them over.</summary>
public sealed partial class ChangeOverTests
{
    private static readonly Manifest[] Objects =
        [Rack.NoMesh(), .. Rack.TorPeers(), Pool("pods", "10.65.0.0/16"), Block("node1", "10.65.1.0/26")];

    /// <summary>Calico's BIRD writes no metric up to 3.31; ours then has the same row, and else one beside it.</summary>
    [NeedsTheory(Needs.Daemon, "bird", "birdc", "stdbuf")]
    [InlineData("3.31")]
    [InlineData("3.33")]
    public async Task BIRDs_routes_are_taken_over_without_a_gap_and_left_over_ones_go(string compat)
    {
        await using var rack = await Rack.MakeAsync(1, null, Objects);
        var node = rack.Nodes[0];
        await node.KillAsync();
        await node.Namespace.IpAsync("route flush proto bird");
        await rack.Tor.AnnounceAsync("44.1.0.0/16");
        var bird = new NodeBird(node.Namespace);
        await bird.StartAsync();
        await Until.TrueAsync("BIRD has installed the ToR's route", async () =>
            (await node.KernelAsync("44.1.0.0/16")).Contains("proto bird"), 60, () => bird.Said);
        Assert.Contains("blackhole", await node.KernelAsync("44.9.0.0/16"), StringComparison.Ordinal);
        await bird.KillAsync();
        await bird.DisposeAsync();
        Assert.Contains("proto bird", await node.KernelAsync("44.1.0.0/16"), StringComparison.Ordinal);

        await using var monitor = new RouteMonitor(node.Namespace);
        await monitor.StartAsync();
        node.Keys = $"compat: '{compat}'";
        await node.StartAsync();
        await Until.TrueAsync("what nobody announces any more is gone", async () =>
            await node.KernelAsync("44.9.0.0/16") == "", 90, rack.Said);
        await Until.TrueAsync("the ToR's route is there once, and ours", async () =>
            Rows().Matches(await node.KernelAsync("44.1.0.0/16")) is [var row] && row.Value.Contains("proto bird")
            && row.Value.Contains("metric") == (compat != "3.31"), 60, rack.Said);
        Assert.Contains("blackhole", await node.KernelAsync("10.65.1.0/26"), StringComparison.Ordinal);
        monitor.AlwaysHad("44.1.0.0/16");
        monitor.AlwaysHad("10.65.1.0/26");
    }

    [GeneratedRegex(@"44\.1\.0\.0/16 .*")]
    private static partial Regex Rows();

    /// <summary>The BIRD of a Calico node: routes of protocol 12, persisting, and one that nobody will announce later.</summary>
    private sealed class NodeBird(Netns space) : BirdcRouter(space, new(Rack.NodeAs, Rack.Node4(1), [], []))
    {
        public override Task StartAsync()
        {
            var file = Write("bird.conf", $$"""
                log stderr all;
                router id {{Rack.Node4(1)}};
                protocol device { scan time 2; }
                protocol direct { ipv4; }
                protocol kernel { learn; persist; metric 0; ipv4 { import all; export where source ~ [RTS_BGP, RTS_STATIC]; }; }
                protocol static { ipv4; route 10.65.1.0/26 blackhole; route 44.9.0.0/16 blackhole; }
                protocol bgp tor {
                  local {{Rack.Node4(1)}} as {{Rack.NodeAs}}; neighbor {{Rack.Tor4}} as {{Rack.TorAs}}; multihop;
                  connect retry time 2; connect delay time 1; error wait time 1,2;
                  ipv4 { import all; export where net = 10.65.1.0/26; };
                }

                """);
            Process = Background.Start(Space, Log, null, "bird", "-f", "-c", file, "-s", Socket, "-P", Path.Combine(Folder, "pid"));
            return AnswersAsync("BIRD");
        }
    }

    /// <summary>The kernel's own news of its routes, from which it is told whether one was ever missing.</summary>
    private sealed partial class RouteMonitor(Netns space) : IAsyncDisposable
    {
        private const string Probe = "203.0.113.77";
        private readonly string log = Path.GetTempFileName();
        private readonly Dictionary<string, string[]> before = [];
        private Background? process;

        public async Task StartAsync()
        {
            process = Background.Start(space, log, null, "stdbuf", "-oL", "ip", "-4", "monitor", "route");
            // It listens once it tells of a route made for that.
            await Until.TrueAsync("the kernel's news are heard", async () =>
            {
                await space.RunAsync("ip", "route", "add", "blackhole", Probe);
                await space.RunAsync("ip", "route", "del", "blackhole", Probe);
                return Lines().Any(line => line.Contains(Probe));
            });
            foreach (var prefix in new[] { "44.1.0.0/16", "10.65.1.0/26" })
            {
                var rows = (await space.IpAsync($"-4 route show {prefix}")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
                before[prefix] = [.. rows.Select(MetricOf)];
            }
        }

        private string[] Lines() => File.Exists(log) ? File.ReadAllLines(log) : [];

        private static string MetricOf(string line) => Metric().Match(line).Groups[1].Value;

        /// <summary>A row is its metric: a replaced one is told as new, one that goes as deleted.</summary>
        public void AlwaysHad(string prefix)
        {
            var rows = before[prefix].ToHashSet();
            Assert.NotEmpty(rows);
            foreach (var line in Lines().Where(line => line.Contains(prefix)))
            {
                if (line.StartsWith("Deleted", StringComparison.Ordinal)) rows.Remove(MetricOf(line));
                else rows.Add(MetricOf(line));
                Assert.True(rows.Count > 0, $"{prefix} was missing after: {line}");
            }
        }

        [GeneratedRegex(@"metric (\d+)")]
        private static partial Regex Metric();

        public async ValueTask DisposeAsync()
        {
            if (process != null) await process.DisposeAsync();
            File.Delete(log);
        }
    }
}
