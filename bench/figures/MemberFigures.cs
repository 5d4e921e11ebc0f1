// Figures of labels and sets: 10,000 endpoints and 2,000 selectors, fifty of which match each pod, and 50,000 networks.
//   dotnet run --project bench -c Release -- members
using System.Diagnostics;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Sets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Bench;

internal static class MemberFigures
{
    private const int Rounds = 2_000, SelectorsOfAnApp = 45, SelectorsOfAll = 5, Replicas = 10, Networks = 50_000;

    public static void Run()
    {
        foreach (var share in (int[])[10, 1]) Run(10_000 / share, 2_000 / share, ownLabels: false);
        Run(10_000, 2_000, ownLabels: true);
        RunNetworks();
    }

    /// <param name="ownLabels">Each pod has labels that no other has (a StatefulSet's), rather than those of ten replicas.</param>
    private static void Run(int pods, int selectors, bool ownLabels)
    {
        var all = Enumerable.Range(0, pods).Select(n => Pod(n, ownLabels)).ToArray();
        var (sets, table) = (new MemberSets(), new TableWriter());
        var heap = Heap();
        var began = Stopwatch.GetTimestamp();
        // Of every selector the pods of some apps; each app's pods match about fifty.
        for (var n = 0; n < selectors - SelectorsOfAll; n++) sets.Use(Selector.Parse(Text(n, pods, selectors)), IpFamily.IPv4);
        for (var n = 0; n < SelectorsOfAll; n++) sets.Use(Selector.Parse($"has(app) && tier != 'none{n}'"), IpFamily.IPv4);
        var empty = Heap();
        foreach (var pod in all) sets.Apply(new(Kinds.Pod, pod.Key, null, pod));
        var known = Heap();
        var elements = Write(sets, table);
        Console.WriteLine($"{pods:N0} pods{(ownLabels ? " (each with labels of its own)" : "")}, {selectors:N0} selectors: " +
            $"{Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms to {elements:N0} elements; " +
            $"{(empty - heap) / selectors} octets a selector, {(known - empty) / pods} a pod");
        Repeat(sets, table, all, ownLabels);
        GC.KeepAlive(all);
    }

    private static string Text(int n, int pods, int selectors)
    {
        var apps = pods / Replicas;
        var each = apps * SelectorsOfAnApp / selectors + 1;
        return $"tier != 'none{n}' && projectcalico.org/namespace == 'default' && app in {{{string.Join(", ",
            Enumerable.Range(0, each).Select(i => $"'app{(n + i * 37) % apps}'"))}}}";
    }

    private static Pod Pod(int n, bool ownLabels) => new(new Metadata($"pod-{n}", "default")
    {
        Labels = Labels.From(
        [
            new("app", $"app{n / Replicas}"), new("tier", "backend"), new("version", "v1"), new("pod-template-hash", $"{n / Replicas:x8}"),
            new("projectcalico.org/namespace", "default"), new("projectcalico.org/orchestrator", "k8s"),
            new("projectcalico.org/serviceaccount", "default"),
            .. ownLabels ? (KeyValuePair<string, string>[])[new("statefulset.kubernetes.io/pod-name", $"pod-{n}")] : [],
        ]),
    })
    {
        Node = $"node{n % 50}",
        Nets = [new(Address.FromIPv4(0x0a000000 + (uint)n), 32)],
        Profiles = ["kns.default", "ksa.default.default"],
        Ports = [new("http", 6, 8080)],
    };

    private static void Repeat(MemberSets sets, TableWriter table, Pod[] all, bool ownLabels)
    {
        var times = new List<double>();
        var (elements, octets) = (0, 0L);
        for (var round = -Rounds / 10; round < Rounds; round++)
        {
            // In the place of one that goes comes the same app's next: here and there in the table.
            var at = Math.Abs(round * 7919) % all.Length;
            var pod = Pod(at, ownLabels) with { Nets = [new(Address.FromIPv4(0x0b000000 + (uint)(round + Rounds)), 32)] };
            sets.Apply(new(Kinds.Pod, all[at].Key, all[at], null));
            Write(sets, table);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var began = Stopwatch.GetTimestamp();
            sets.Apply(new(Kinds.Pod, pod.Key, null, pod));
            elements += Write(sets, table);
            if (round >= 0) times.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
            octets += GC.GetAllocatedBytesForCurrentThread() - before;
            all[at] = pod;
        }
        times.Sort();
        Console.WriteLine($"  a pod comes: p50 {times[Rounds / 2]:0.0} µs, p99 {times[Rounds * 99 / 100]:0.0} µs, " +
            $"{octets / (Rounds + Rounds / 10):N0} octets allocated, {elements / (Rounds + Rounds / 10)} elements written");
    }

    private static void RunNetworks()
    {
        ListOf<Prefix> nets = [.. Enumerable.Range(0, Networks).Select(n => new Prefix(Address.FromIPv4(0x14000000 + ((uint)n << 8)), 24))];
        var (sets, table) = (new MemberSets(), new TableWriter());
        for (var n = 0; n < 50; n++) sets.Use(Selector.Parse($"feed in {{'bad', 'x{n}'}}"), IpFamily.IPv4);
        var heap = Heap();
        var began = Stopwatch.GetTimestamp();
        var feed = Feed(nets);
        sets.Apply(new(Kinds.GlobalNetworkSet, feed.Key, null, feed));
        Console.Write($"{Networks:N0} networks that 50 selectors match: " +
            $"{Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms to be known, ");
        Console.Write($"{(Heap() - heap) / Networks} octets each; ");
        Write(sets, table);
        began = Stopwatch.GetTimestamp();
        var next = Feed([.. nets.Append(Prefix.Parse("198.51.100.0/24"))]);
        sets.Apply(new(Kinds.GlobalNetworkSet, feed.Key, feed, next));
        var elements = Write(sets, table);
        Console.WriteLine($"one more: {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0.0} ms, {elements} elements written");
        GC.KeepAlive(nets);
    }

    private static GlobalNetworkSet Feed(ListOf<Prefix> nets) =>
        new(new Metadata("feed") { Labels = Labels.From([new("feed", "bad")]) }) { Nets = nets };

    private static int Write(MemberSets sets, TableWriter table)
    {
        sets.Write(new PartsWriter("pol", table));
        return table.Take().Sum(change => change switch
        {
            Kernel.Nftables.NftChange.PutSet(var set) => set.Elements.Length,
            Kernel.Nftables.NftChange.PutElements(_, var elements) => elements.Length,
            Kernel.Nftables.NftChange.RemoveElements(_, var elements) => elements.Length,
            _ => 0,
        });
    }

    private static long Heap() => GC.GetTotalMemory(forceFullCollection: true);
}
