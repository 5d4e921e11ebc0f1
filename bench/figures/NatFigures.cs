// Figures of the NAT: not microbenchmarks, but one long look at the real kernel, in a network namespace of their own (as root):
//   make bench ARGS=nat
using System.Diagnostics;
using System.Text.Json;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Bench;

internal static class NatFigures
{
    private const int Pools = 100, Nodes = 1000, Edits = 10_000, Steps = 4;

    public static async Task RunAsync()
    {
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (loop, defect) => Environment.FailFast(loop.Name, defect));
        await using var kernel = new KernelLoop(new(), loops, TimeProvider.System, NullLogger<KernelLoop>.Instance);
        await kernel.StartAsync(CancellationToken.None);
        await using var nftables = new NftablesLoop(DataplaneLoop.Table, loops, TimeProvider.System, NullLogger<NftablesLoop>.Instance);
        nftables.Start();
        using var connections = new ConnectionTable();
        await using var dataplane = new DataplaneLoop(
            new("node0", new() { Enabled = true }), nftables, kernel, connections,
            loops, TimeProvider.System, NullLogger<DataplaneLoop>.Instance);
        dataplane.Start();

        var pools = AllPools();
        var clock = Stopwatch.StartNew();
        await dataplane.ApplyAsync([.. pools.Concat<Resource>(Hosts()).Select(one => Change(null, one))]);
        await dataplane.SettledAsync();
        Console.WriteLine($"{Pools} pools, {Nodes} nodes: in force {clock.Elapsed.TotalMilliseconds:0.0} ms"
            + $" after the resources came, {nftables.Status.Transactions} transaction");

        await EditsAsync(Pools * 2);
        Console.WriteLine("edits so far   managed KiB   resident MiB   objects in the table   handles");
        Tell(0);
        var times = new List<double>();
        for (var step = 1; step <= Steps; step++)
        {
            times.AddRange(await EditsAsync(Edits / Steps));
            Tell(step * Edits / Steps);
        }
        times.Sort();
        Console.WriteLine(
            $"an IPPool's edit to the kernel's acknowledgement, {Edits} edits: p50 {times[Edits / 2]:0.00} ms, "
            + $"p99 {times[Edits * 99 / 100]:0.00} ms, worst {times[^1]:0.00} ms");
        Console.WriteLine($"table read {nftables.Status.Readings} time(s), {nftables.Status.Transactions}"
            + $" transactions, refused {nftables.Status.Problems.Length}");

        // Each pool is turned an even number of times on the way, so that the table is the same whenever it is told of.
        async Task<double[]> EditsAsync(int count)
        {
            var times = new double[count];
            for (var i = 0; i < count; i++)
            {
                var before = pools[i % Pools];
                pools[i % Pools] = before with { NatOutgoing = !before.NatOutgoing };
                var began = Stopwatch.GetTimestamp();
                await dataplane.ApplyAsync([Change(before, pools[i % Pools])]);
                await dataplane.SettledAsync();
                times[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            }
            return times;
        }
    }

    private static void Tell(int edits)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Console.WriteLine(
            $"{edits,12}   {GC.GetTotalMemory(true) / 1024,11}   {Environment.WorkingSet >> 20,12}   "
                + $"{Objects(),20}   {Directory.GetFiles("/proc/self/fd").Length,7}");
    }

    /// <summary>Sets, chains, rules and elements, as nft counts them.</summary>
    private static int Objects()
    {
        using var nft = Process.Start(new ProcessStartInfo("nft", ["-j", "list", "ruleset"]) { RedirectStandardOutput = true })!;
        using var listing = JsonDocument.Parse(nft.StandardOutput.BaseStream);
        var objects = listing.RootElement.GetProperty("nftables").EnumerateArray().SelectMany(one => one.EnumerateObject()).ToArray();
        var sets = objects.Where(one => one.Name == "set").Select(one => one.Value);
        return objects.Length + sets.Sum(set => set.TryGetProperty("elem", out var elements) ? elements.GetArrayLength() : 0);
    }

    private static ResourceChange Change(Resource? before, Resource after) => new(after.Kind, after.Key, before, after);

    private static IPPool[] AllPools() =>
    [
        .. Enumerable.Range(0, Pools).Select(i => new IPPool(new Metadata($"pool{i}"))
        {
            Cidr = new Prefix(Address.FromIPv4(0x0a000000u + (uint)i * 0x20000), 16),
            BlockSize = 26,
            NatOutgoing = i % 2 == 0,
        }),
    ];

    /// <summary>They are no destinations of translation.</summary>
    private static IEnumerable<Resource> Hosts() =>
    [
        .. Enumerable.Range(0, Nodes).Select(i =>
        {
            var address = Address.FromIPv4(0xac140000u + (uint)i);
            return new Node(new Metadata($"node{i}")) { IPv4 = new(address, new Prefix(address, 16)) };
        }),
        new FelixConfiguration(new Metadata(FelixConfiguration.Default))
        {
            NatOutgoingExclusions = NatOutgoingExclusions.IPPoolsAndHostIPs,
        },
    ];
}
