using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>The kernel's tables: everything has been read once before anybody else begins. Our routes stay when it ends.</summary>
internal sealed class KernelRoom(Start start, Loops loops, TimeProvider time, ILogger<KernelLoop> log) : Room
{
    public KernelLoop Loop { get; } = new(OptionsOf(start), loops, time, log);

    private static KernelOptions OptionsOf(Start start)
    {
        var kernel = start.Config.Speaker.Kernel;
        return new() { Protocol = kernel.Protocol, Table = kernel.Table, InstallRoutes = kernel.InstallRoutes };
    }

    public override Task StartAsync(CancellationToken cancellationToken) => Loop.StartAsync(cancellationToken);

    protected override ValueTask LeaveAsync() => Loop.DisposeAsync();
}
