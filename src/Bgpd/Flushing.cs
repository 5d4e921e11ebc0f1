using Calico.Bgp.Configuration;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// <c>--flush</c>: removes what the daemon left in the kernel: routes, told by protocol number and table, the table of nftables, and what
/// egress gateways have of rules, tables and next hops.
/// </summary>
internal static class Flushing
{
    /// <param name="anyway">Beside a daemon that runs, too.</param>
    public static async Task<int> RunAsync(string path, bool anyway, CancellationToken stop)
    {
        var result = DaemonConfig.Load(path, HostFacts.Read());
        Checking.Tell(result);
        if (result.Config == null) return 2;
        using var logs = Logging.For(result.Config.Log, TimeProvider.System);
        var kernel = result.Config.Speaker.Kernel;
        using var holding = new Holding();
        if (Running(holding, kernel) is { } running)
        {
            Console.Error.WriteLine(anyway ? $"warning: {running}: what is taken out is missed by it until it puts it back"
                : $"error: {running}, which has in force what this would take out: end it first, or say --force");
            if (!anyway) return 1;
        }
        var loops = Hosting.Watched(TimeProvider.System, logs, logs);
        await using var loop = new KernelLoop(
            new() { Protocol = kernel.Protocol, Table = kernel.Table }, loops, TimeProvider.System, logs.CreateLogger<KernelLoop>());
        try
        {
            await loop.StartAsync(stop);
            await (await loop.ClaimObjectsAsync("flush", stop)).WantAsync([], stop);
            await new EgressRouting(loop, loop).EndAsync(stop);
            await loop.FlushAsync(stop);
            if (await FlushNatAsync(loops, logs, stop) is { } words)
                throw new IOException($"table inet {DataplaneLoop.Table} cannot be removed: {words}");
        }
        catch (IOException refused)
        {
            Console.Error.WriteLine($"error: {refused.Message}");
            return 1;
        }
        catch (System.Net.Sockets.SocketException refused)
        {
            Console.Error.WriteLine($"error: the kernel's routes cannot be changed: {refused.Message} (root or CAP_NET_ADMIN is needed)");
            return 1;
        }
        return loop.Status is { Failures: 0, RefusedObjects.IsEmpty: true } ? 0 : 1;
    }

    /// <summary>That a daemon writes what is to go; null: none does.</summary>
    private static string? Running(Holding holding, KernelConfig kernel)
    {
        try
        {
            holding.Hold(Holding.Routes(kernel));
            holding.Hold(Holding.NatTable);
            return null;
        }
        catch (IOException held)
        {
            return held.Message;
        }
    }

    private static async Task<string?> FlushNatAsync(Loops loops, ILoggerFactory logs, CancellationToken stop)
    {
        await using var nftables = Translating.Open(loops, TimeProvider.System, logs);
        return await nftables.FlushAsync(stop);
    }
}
