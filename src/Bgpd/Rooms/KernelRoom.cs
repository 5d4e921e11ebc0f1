using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>The kernel's tables: everything has been read once before anybody else begins. Our routes stay when it ends.</summary>
internal sealed class KernelRoom(Start start, Loops loops, TimeProvider time, ILogger<KernelLoop> log) : Room
{
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(5), LookAgainAfter = TimeSpan.FromMilliseconds(5);

    public KernelLoop Loop { get; } = new(OptionsOf(start), loops, time, log);

    private static KernelOptions OptionsOf(Start start)
    {
        var kernel = start.Config.Speaker.Kernel;
        return new()
        {
            Protocol = kernel.Protocol,
            Table = kernel.Table,
            InstallRoutes = kernel.InstallRoutes,
            IsHeld = start.From != null,
        };
    }

    /// <summary>What this daemon alone may write; it asks for the table of nftables again where <c>nat</c> comes by a reload.</summary>
    public Holding Holding { get; } = new();

    /// <summary>Nothing is read for adoption, and nothing written, before it is ours alone.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (start.From == null) Hold();
        return Loop.StartAsync(cancellationToken);
    }

    private void Hold()
    {
        var kernel = start.Config.Speaker.Kernel;
        if (kernel.InstallRoutes) Holding.Hold(Holding.Routes(kernel));
        if (start.Config.Nat != null) Holding.Hold(Holding.NatTable);
    }

    /// <summary>The process before has ended, or does so right now: what it held is ours.</summary>
    /// <exception cref="IOException">It, or another, holds it still.</exception>
    public async Task BeginWritingAsync(CancellationToken stop)
    {
        for (var began = time.GetTimestamp(); !TryHold(isLast: time.GetElapsedTime(began) > EndsWithin);)
            await Task.Delay(LookAgainAfter, time, stop);
        Loop.BeginWriting();
    }

    private bool TryHold(bool isLast)
    {
        try
        {
            Hold();
            return true;
        }
        catch (IOException) when (!isLast)
        {
            return false;
        }
    }

    protected override async ValueTask LeaveAsync()
    {
        await Loop.DisposeAsync();
        Holding.Dispose();
    }
}
