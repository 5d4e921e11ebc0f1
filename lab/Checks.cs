namespace Calico.Bgp.Lab;

/// <summary>The lab without a screen: everything that must be so, waited for once, one line each.</summary>
internal static class Checks
{
    /// <summary>Seconds.</summary>
    private const int Patience = 30;

    public static async Task<bool> RunAsync(Topology lab, CancellationToken stop)
    {
        Console.WriteLine($"ToR: {(lab.TorIsBird ? "BIRD" : "our daemon")}; nodes: our daemon");
        var good = true;
        foreach (var (what, holds) in Expectations(lab)) good &= await WaitAsync(what, holds, stop);
        if (!good) foreach (var router in lab.Routers) Console.WriteLine($"--- {router.Name} said:\n{router.Daemon.Said}");
        Console.WriteLine(good ? "The lab works." : "The lab does not work.");
        return good;
    }

    private static IEnumerable<(string What, Func<Task<bool>> Holds)> Expectations(Topology lab)
    {
        foreach (var router in lab.Routers)
            yield return ($"{router.Name}: every session is established", async () =>
                await router.SessionsAsync() is { Count: > 0 } all && all.All(session => session.Up));
        var tor = lab.Routers.First(router => router.Name == "tor");
        foreach (var node in (int[])[1, 2])
        {
            var name = $"node{node}";
            var itself = lab.Routers.First(router => router.Name == name);
            yield return ($"tor: knows {name}'s pod", async () => await tor.RoutesAsync() is var routes
                && routes.ContainsKey($"10.244.{node}.2/32") && routes.ContainsKey($"fd00:244:{node}::2/128"));
            yield return ($"{name}: the ToR's routes are in the kernel", async () => await itself.KernelRoutesAsync() is var kernel
                && kernel.Any(line => line.StartsWith("198.51.100.0/24", StringComparison.Ordinal))
                && kernel.Any(line => line.StartsWith("fd00:198::/64", StringComparison.Ordinal)));
        }
        foreach (var one in Reach.All)
            yield return ($"{one.From} reaches {one.To} at {one.Address}", async () => await one.AskAsync(lab) != null);
    }

    private static async Task<bool> WaitAsync(string what, Func<Task<bool>> holds, CancellationToken stop)
    {
        var good = await Until.WithinAsync(Patience, holds, stop);
        Console.WriteLine($"{(good ? "ok  " : "FAIL")} {what}");
        return good;
    }
}
