// Figures of a large table: how long one element and one chain take beside thousands of others, and a hundred thousand elements at once.
// Not microbenchmarks, but one long look at the real kernel. Run inside a network namespace of its own:
//   unshare -n dotnet run --project bench -c Release -- parts
using System.Collections.Immutable;
using System.Diagnostics;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Bench;

internal static class PartsFigures
{
    private const string Table = "bgpd-parts";
    private const int ElementsEach = 10, Rounds = 2_000, Bulk = 100_000;

    public static async Task RunAsync()
    {
        foreach (var parts in (int[])[1_000, 10_000]) await ManyAsync(parts);
        await BulkAsync();
    }

    private static NftablesLoop Start()
    {
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (_, defect) => Environment.FailFast(defect.Message, defect));
        var nftables = new NftablesLoop(Table, loops, TimeProvider.System, NullLogger<NftablesLoop>.Instance);
        nftables.Start();
        return nftables;
    }

    private static NftElement Host(int n) => NftElement.Of(NftOctets.Of(Address.FromIPv4(0x0a000000 + (uint)n)));

    private static NftSet Hosts(string name, int first, int count) =>
        new(name, [NftType.Ipv4Address], false, [.. Enumerable.Range(first, count).Select(Host)]);

    /// <summary>One that asks a set, and one that does not; a map leads to each, as to the endpoints of a policy.</summary>
    private static NftChain Chain(int n, int mark) => new($"chain{n}", null,
        [new NftRule(new MatchFamily(IpFamily.IPv4), new MatchAddress(IpFamily.IPv4, NftEnd.Source, $"set{n}"), ActDecide.Drop),
            new NftRule(new MatchMark(0xff, (uint)mark), ActDecide.Return)]);

    private static NftElement Leading(int n) =>
        NftElement.Of(NftOctets.OfInterface($"cali{n}"), new NftVerdict(NftVerdictCode.Goto, $"chain{n}"));

    private static async Task ManyAsync(int parts)
    {
        var each = parts / 2;
        await using var nftables = Start();
        var began = Stopwatch.GetTimestamp();
        await nftables.ApplyAsync(
        [
            .. Enumerable.Range(0, each).Select(n => new NftChange.PutSet(Hosts($"set{n}", n * ElementsEach, ElementsEach))),
            .. Enumerable.Range(0, each).Select(n => new NftChange.PutChain(Chain(n, 0))),
            new NftChange.PutSet(new("names", [NftType.Ipv4Address], false, []) { Dynamic = true }),
            new NftChange.PutSet(new("dispatch", [NftType.InterfaceName], false,
                [.. Enumerable.Range(0, each).Select(Leading)], [NftType.Verdict])),
            new NftChange.PutChain(new("forward", new("filter", NftHookPoint.Forward, 0),
                [new NftRule(new ActDecideByInterface(false, "dispatch"))])),
        ]);
        Console.WriteLine($"{parts:N0} parts, {each:N0} sets of {ElementsEach} elements and {each:N0} chains of 2 rules: in force after " +
            $"{Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms, {nftables.Status.Transactions} transaction(s)");
        await RepeatAsync(nftables, "one element of a set, to the kernel's acknowledgement",
            (i, turn) => turn
                ? new NftChange.PutElements($"set{i % each}", [Host(1 << 20)])
                : new NftChange.RemoveElements($"set{i % each}", [Host(1 << 20)]));
        await RepeatAsync(nftables, "one element of a dynamic set, which stands in front",
            (i, turn) => turn
                ? new NftChange.PutElements("names", [Host(1 << 20)])
                : new NftChange.RemoveElements("names", [Host(1 << 20)]));
        await RepeatAsync(nftables, "one chain's two rules", (i, turn) => new NftChange.PutChain(Chain(i % each, turn ? i + 1 : 0)));
        Console.WriteLine($"  table read {nftables.Status.Readings} time(s), refused {nftables.Status.Problems.Length}");
        began = Stopwatch.GetTimestamp();
        await nftables.FlushAsync();
        Console.WriteLine($"  gone after {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms");
    }

    private static async Task RepeatAsync(NftablesLoop nftables, string what, Func<int, bool, NftChange> change)
    {
        var times = new List<double>();
        var octets = GC.GetTotalAllocatedBytes(precise: true);
        for (var round = -Rounds / 10; round < Rounds; round++)
        {
            // Here and there in the table, twice at each place.
            var change1 = change(Math.Abs(round / 2 * 7919), round % 2 == 0);
            var began = Stopwatch.GetTimestamp();
            await nftables.ApplyAsync([change1]);
            if (round >= 0) times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        times.Sort();
        var each = (GC.GetTotalAllocatedBytes(precise: true) - octets) / (Rounds + (Rounds / 10)) / 1024;
        Console.WriteLine($"  {what}: p50 {times[Rounds / 2]:0.000} ms, p99 {times[Rounds * 99 / 100]:0.000} ms, " +
            $"worst {times[^1]:0.000} ms, {each} KiB allocated");
    }

    private static async Task BulkAsync()
    {
        await using var nftables = Start();
        await nftables.ApplyAsync([new NftChange.PutSet(Hosts("bulk", 0, 0)), new NftChange.PutSet(Hosts("other", 0, 1))]);
        var before = nftables.Status.Transactions;
        ImmutableArray<NftElement> elements = [.. Enumerable.Range(0, Bulk).Select(Host)];
        foreach (var (what, change) in ((string, NftChange)[])[
            ("come", new NftChange.PutElements("bulk", elements)), ("are said again", new NftChange.PutSet(Hosts("bulk", 0, Bulk))),
            ("go", new NftChange.RemoveElements("bulk", elements))])
        {
            var began = Stopwatch.GetTimestamp();
            await nftables.ApplyAsync([change]);
            Console.WriteLine($"{Bulk:N0} elements {what}: {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms, " +
                $"{nftables.Status.Transactions - before} transaction(s)");
            before = nftables.Status.Transactions;
        }
        await nftables.FlushAsync();
    }
}
