using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Dataplane;

namespace Calico.Bgp.Bench;

/// <summary>What figures of the dataplane have in common: children in namespaces, changes there and back, nft, packets.</summary>
internal static class Figures
{
    public static string Word(int number) => number.ToString(CultureInfo.InvariantCulture);

    public static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);

    /// <summary>This program anew, in a namespace, until it ends.</summary>
    public static async Task ChildAsync(Netns space, params string[] words)
    {
        using var child = space.Inside(() => Process.Start(Environment.ProcessPath!, words));
        await child.WaitForExitAsync();
        if (child.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', words)} ended with {child.ExitCode}");
    }

    /// <summary>There and back again, the first tenth unheard.</summary>
    /// <param name="change">In milliseconds.</param>
    /// <returns>p50 / p99.</returns>
    public static async Task<string> RepeatAsync(int rounds, Func<int, bool, Task<double>> change)
    {
        var times = new List<double>();
        for (var round = -rounds / 10; round < rounds; round++)
        {
            var time = await change(Math.Abs(round / 2), round % 2 == 0);
            if (round >= 0) times.Add(time);
        }
        times.Sort();
        return string.Create(CultureInfo.InvariantCulture, $"{times[rounds / 2]:0.00} / {times[rounds * 99 / 100]:0.00} ms");
    }

    /// <summary>In MiB, of this process at rest.</summary>
    public static (long Resident, long Managed) Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return (Environment.WorkingSet >> 20, GC.GetTotalMemory(true) >> 20);
    }

    /// <summary>The same table by the nft program, from its own listing: in place of ours.</summary>
    /// <returns>Milliseconds.</returns>
    public static async Task<double> NftAsync()
    {
        var file = Path.GetTempFileName();
        await ShellAsync($"nft list table inet {DataplaneLoop.Table} > {file}");
        await ShellAsync($"nft delete table inet {DataplaneLoop.Table}-hold");
        await ShellAsync($"sed -i 's/^table inet {DataplaneLoop.Table} /table inet again /' {file}");
        // The program can list what asks for a service and chooses among its backends, or for a pod's rules by a number, and cannot read
        // it. These rules are few.
        await ShellAsync($"sed -i '/ jhash / d; / ct original proto-dst / d; / vmap @pol-program-/ d' {file}");
        var time = await TimedAsync($"nft -f {file}");
        File.Delete(file);
        return time;
    }

    /// <returns>Milliseconds.</returns>
    public static async Task<double> TimedAsync(string command)
    {
        var began = Stopwatch.GetTimestamp();
        await ShellAsync(command);
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    private static async Task ShellAsync(string command)
    {
        using var shell = Process.Start("/bin/sh", ["-c", command]);
        await shell.WaitForExitAsync();
        if (shell.ExitCode != 0) throw new InvalidOperationException($"{command} ended with {shell.ExitCode}");
    }

    /// <summary>Datagrams, of which the way through the node is worked off while they are sent. Nobody reads: what finds no room in the end
    /// has come that far.</summary>
    /// <returns>How many a second.</returns>
    public static double PerSecond(int packets, Func<int, Socket> by, Func<int, IPEndPoint> to)
    {
        var octets = new byte[64];
        var began = Stopwatch.GetTimestamp();
        for (var n = 0; n < packets; n++) by(n).SendTo(octets, to(n));
        return packets / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
