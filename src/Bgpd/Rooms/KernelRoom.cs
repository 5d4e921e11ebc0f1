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

    /// <summary>What this daemon alone may write; it asks for the table of nftables again where <c>nat</c> comes by a reload.</summary>
    public Holding Holding { get; } = new();

    /// <summary>Nothing is read for adoption, and nothing written, before it is ours alone.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        var kernel = start.Config.Speaker.Kernel;
        if (kernel.InstallRoutes) Holding.Hold($"routes with protocol {kernel.Protocol} in table {kernel.Table}");
        if (start.Config.Nat != null) Holding.Hold(Holding.NatTable);
        return Loop.StartAsync(cancellationToken);
    }

    protected override async ValueTask LeaveAsync()
    {
        await Loop.DisposeAsync();
        Holding.Dispose();
    }
}
