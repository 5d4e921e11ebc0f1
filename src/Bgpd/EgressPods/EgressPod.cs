using System.Net.Sockets;
using System.Runtime.InteropServices;
using Calico.Bgp.Bgpd.Probing;
using Calico.Bgp.Configuration;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Egress;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.EgressPods;

/// <summary>What <c>bgpd egress-pod</c> has been told.</summary>
internal sealed record EgressPodOptions(EgressPodSettings Side, ListOf<EgressProbe> Probes)
{
    public ushort HealthPort { get; init; }

    /// <summary>How long packets pass, after SIGTERM, while it says that it is not ready.</summary>
    public TimeSpan Drain { get; init; }

    /// <summary>It ends when all is set up: for a container that may do what the other may not.</summary>
    public bool PreparesOnly { get; init; }

    /// <summary>It takes away what another run has set up, and ends.</summary>
    public bool Removes { get; init; }
}

/// <summary>
/// <c>bgpd egress-pod</c>: a pod as a gateway out of the cluster. It sets up the pod's side, which the kernel does the work of; says
/// whether the pod is ready, which is so while its targets upstream answer; and ends on SIGTERM when nobody should send by it any more.
/// </summary>
internal static class EgressPod
{
    public static async Task<int> RunAsync(EgressPodOptions options, CancellationToken stop)
    {
        var time = TimeProvider.System;
        using var logs = Logging.For(new LogConfig(), time);
        var log = logs.CreateLogger<Daemon>();
        var loops = Hosting.Watched(time, logs, logs);
        await using var kernel = new KernelLoop(new(), loops, time, logs.CreateLogger<KernelLoop>());
        try
        {
            await kernel.StartAsync(stop);
            await using var nftables = Translating.Open(loops, time, logs);
            var side = new EgressPodSide(kernel, nftables);
            if (options.Removes)
            {
                log.EgressPodIs(await side.RemoveAsync(stop) ? "taken away; the sysctls stay as they are" : "not there");
                return 0;
            }
            await side.ApplyAsync(options.Side, stop);
            log.EgressPodStands(string.Join(", ", options.Side.Addresses), options.Side.Network, options.Side.Port);
            if (!options.PreparesOnly) await ServeAsync(options, loops, time, log, stop);
            return 0;
        }
        catch (Exception refused) when (refused is IOException or SocketException or TimeoutException)
        {
            log.CannotRun(refused.Message);
            return 1;
        }
    }

    private static async Task ServeAsync(EgressPodOptions options, Loops loops, TimeProvider time, ILogger log, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var asked = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var broken = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        var bell = new Bell();
        await using var probes = new UpstreamProbes("egress-pod", [.. options.Probes], mark: 0, isBelieved: false, loops, time, bell.Ring);
        await using var port = new ReadinessPort(options.HealthPort, loops, time);
        log.EgressPodListens(port.LocalPort);
        string? said = "";
        while (!ending.IsCancellationRequested)
        {
            var (problem, left) = probes.Now;
            port.Say(problem == null, problem ?? "ready");
            if (problem != said) log.EgressPodIs(problem ?? "ready");
            said = problem;
            try
            {
                // Timers know whole milliseconds, and none too many: what is left of one would be waited for in a circle.
                if (left is { } some) await bell.HeardAsync(some + TimeSpan.FromMilliseconds(1), time, ending.Token);
                else await bell.HeardAsync(ending.Token);
            }
            catch (OperationCanceledException) { }
        }
        port.Say(isReady: false, "it ends");
        log.EgressPodIs($"ending in {options.Drain.TotalSeconds:0} s");
        await Task.Delay(options.Drain, time, CancellationToken.None);

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            ending.Cancel();
        }
    }
}
