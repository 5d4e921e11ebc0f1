// Figures of a table as policies make it: 2,000 chains of 10 rules, of which some have sets of their own, beside 4,000 sets; what one
// element, one chain, and one chain with its place in a map cost to the kernel's acknowledgement, beside the nft program with the same
// change. Where the kernel's floor is: a transaction with any rule that decides or looks something up has it validate the whole table
// (nft_table_validate), and it finds a set by walking along all of them. Run inside a network namespace of its own:
//   unshare -n dotnet run --project bench -c Release -- policy-table
using System.Diagnostics;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Bench;

internal static class PolicyTableFigures
{
    private const string Table = "bgpd-policy";
    private const int RulesEach = 10, ElementsEach = 10, Rounds = 400, RoundsOfNft = 20;

    public static async Task RunAsync()
    {
        foreach (var chains in (int[])[200, 2_000]) await RunAsync(chains, 2 * chains);
    }

    private static NftElement Host(int n) => NftElement.Of(NftOctets.Of(Address.FromIPv4(0x0a000000 + (uint)n)));

    private static NftSet Set(int n) =>
        new($"set{n}", [NftType.Ipv4Address], false, [.. Enumerable.Range(n * ElementsEach, ElementsEach).Select(Host)]);

    /// <summary>Eight rules that ask sets by name, one with ports of its own, and a last one.</summary>
    private static NftChain Chain(int n, int sets, int mark) => new($"chain{n}", null,
    [
        .. Enumerable.Range(0, RulesEach - 2).Select(i => new NftRule(new MatchFamily(IpFamily.IPv4),
            new MatchAddress(IpFamily.IPv4, NftEnd.Source, $"set{(n * 7 + i) % sets}"), new MatchProtocols(IpProtocol.Tcp),
            new MatchPorts(NftEnd.Destination, (ushort)(80 + i)), ActDecide.Accept)),
        new NftRule(new MatchProtocols(IpProtocol.Tcp), new MatchPorts(NftEnd.Destination, [new(80, 80), new(443, 443)]), ActDecide.Accept),
        new NftRule(new MatchMark(0xff, (uint)mark & 0xff), ActDecide.Drop),
    ]);

    private static NftElement Leading(int n) =>
        NftElement.Of(NftOctets.OfInterface($"cali{n}"), new NftVerdict(NftVerdictCode.Goto, $"chain{n}"));

    private static async Task RunAsync(int chains, int sets)
    {
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (_, defect) => Environment.FailFast(defect.Message, defect));
        await using var nftables = new NftablesLoop(Table, loops, TimeProvider.System, NullLogger<NftablesLoop>.Instance);
        nftables.Start();
        var began = Stopwatch.GetTimestamp();
        await nftables.ApplyAsync(
        [
            .. Enumerable.Range(0, sets).Select(n => new NftChange.PutSet(Set(n))),
            .. Enumerable.Range(0, chains).Select(n => new NftChange.PutChain(Chain(n, sets, 0))),
            new NftChange.PutSet(new("dispatch", [NftType.InterfaceName], false,
                [.. Enumerable.Range(0, chains).Select(Leading)], [NftType.Verdict])),
            new NftChange.PutChain(new("forward", new("filter", NftHookPoint.Forward, 0),
                [new NftRule(new ActDecideByInterface(false, "dispatch"))])),
        ]);
        Console.WriteLine($"{chains:N0} chains of {RulesEach} rules, {sets:N0} sets: in force after " +
            $"{Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms, {nftables.Status.Problems.Length} refused");
        await RepeatAsync("one element of the first set", Rounds, Ours(nftables, (i, turn) => [Element(0, turn)]));
        await RepeatAsync("one element of the last set", Rounds, Ours(nftables, (i, turn) => [Element(sets - 1, turn)]));
        await RepeatAsync("one chain rewritten", Rounds,
            Ours(nftables, (i, turn) => [new NftChange.PutChain(Chain(i * 7919 % chains, sets, turn ? i + 1 : 0))]));
        // What the kernel itself costs: by a rule that asks no set, with a verdict and without.
        foreach (var (what, act) in ((string, NftStatement)[])[("a verdict", ActDecide.Drop), ("no verdict", new ActCount())])
            await RepeatAsync($"one chain of one rule with {what}", Rounds, Ours(nftables, (i, turn) =>
                [new NftChange.PutChain(new($"chain{i * 7919 % chains}", null, [new NftRule(new MatchMark(turn ? 0xffu : 1, 1), act)]))]));
        await RepeatAsync("one chain and its place in the map", Rounds, Ours(nftables, (i, turn) => turn
            ? [new NftChange.PutChain(Chain(chains, sets, 0)), new NftChange.PutElements("dispatch", [Leading(chains)])]
            : [new NftChange.RemoveElements("dispatch", [Leading(chains)]), new NftChange.RemoveChain($"chain{chains}")]));
        await RepeatAsync("nft -f, one element of the last set", RoundsOfNft, (i, turn) =>
            NftAsync($"{(turn ? "add" : "delete")} element inet {Table} set{sets - 1} {{ 10.240.0.0 }}\n"));
        await RepeatAsync("nft -f, one chain rewritten", RoundsOfNft, (i, turn) =>
            NftAsync(Text(i * 7919 % chains, sets, turn ? i + 1 : 0)));
        await nftables.FlushAsync();
    }

    private static NftChange Element(int set, bool turn) =>
        turn ? new NftChange.PutElements($"set{set}", [Host(0xf00000)]) : new NftChange.RemoveElements($"set{set}", [Host(0xf00000)]);

    private static string Text(int n, int sets, int mark) => $"flush chain inet {Table} chain{n}\n" +
        string.Concat(Chain(n, sets, mark).Rules.Select(rule => $"add rule inet {Table} chain{n} {rule}\n"));

    private static Func<int, bool, Task> Ours(NftablesLoop nftables, Func<int, bool, NftChange[]> change) =>
        (i, turn) => nftables.ApplyAsync([.. change(i, turn)]);

    private static async Task NftAsync(string text)
    {
        using var nft = Process.Start(new ProcessStartInfo("nft", ["-f", "-"]) { RedirectStandardInput = true })!;
        await nft.StandardInput.WriteAsync(text);
        nft.StandardInput.Close();
        await nft.WaitForExitAsync();
        if (nft.ExitCode != 0) throw new InvalidOperationException($"expected nft to take this, and it ended with {nft.ExitCode}: {text}");
    }

    /// <summary>There and back again, the first tenth unheard.</summary>
    private static async Task RepeatAsync(string what, int rounds, Func<int, bool, Task> change)
    {
        var times = new List<double>();
        for (var round = -rounds / 10 / 2 * 2; round < rounds; round++)
        {
            var began = Stopwatch.GetTimestamp();
            await change(Math.Abs(round / 2), round % 2 == 0);
            if (round >= 0) times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        times.Sort();
        Console.WriteLine($"  {what}: p50 {times[rounds / 2]:0.000} ms, p99 {times[rounds * 99 / 100]:0.000} ms");
    }
}
