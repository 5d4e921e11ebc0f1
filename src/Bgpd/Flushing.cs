using Calico.Bgp.Configuration;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// <c>--flush</c>: removes what the daemon left in the kernel: routes, told by protocol number and table, the table of nftables, and what
/// egress gateways have of rules, tables and next hops.
/// </summary>
internal static class Flushing
{
    public static async Task<int> RunAsync(string path, CancellationToken stop)
    {
        var result = DaemonConfig.Load(path, HostFacts.Read());
        Checking.Tell(result);
        if (result.Config == null) return 2;
        using var logs = Logging.For(result.Config.Log, TimeProvider.System);
        var kernel = result.Config.Speaker.Kernel;
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

    private static async Task<string?> FlushNatAsync(Loops loops, ILoggerFactory logs, CancellationToken stop)
    {
        await using var nftables = Translating.Open(loops, TimeProvider.System, logs);
        return await nftables.FlushAsync(stop);
    }
}
