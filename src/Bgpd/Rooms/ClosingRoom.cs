using System.ComponentModel;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>
/// Before the sources are read: where no earlier run has left a table, <see cref="FirstTable"/> is in force, and is put right, until the
/// dataplane begins, which adopts it. It stays where the daemon ends before that, and is the next run's.
/// </summary>
internal sealed class ClosingRoom(
    Start start, KernelRoom kernel, Loops loops, TimeProvider time, ILoggerFactory logs, ILogger<ClosingRoom> log) : Room
{
    private NftablesLoop? table;

    /// <summary>Nothing but that is in force.</summary>
    public bool IsClosed => table != null;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // The process that is taken over from has a table, or wants none.
        if (start.From != null) return;
        var closes = !start.Config.Sources.IsEmpty && start.Config.Dataplane is { Policy.Enabled: true } or { Egress.Enabled: true };
        if (Look() is not { } isFirst || (!closes && !isFirst)) return;
        try
        {
            kernel.Holding.Hold(Holding.NatTable);
            table = Translating.Open(loops, time, logs);
        }
        catch (IOException)
        {
            return; // As the dataplane will be refused, and say.
        }
        await (closes ? CloseAsync(table, cancellationToken) : OpenAsync(table));
    }

    /// <returns>Null: the table is another's, or an earlier run's that had begun. True: one that had not.</returns>
    private static bool? Look()
    {
        try
        {
            using var rules = new ForeignRules();
            var isFirst = rules.Has(family: null, DataplaneLoop.Table, FirstTable.Mark);
            return isFirst || !rules.Has(family: null, DataplaneLoop.Table) ? isFirst : null;
        }
        catch (Win32Exception)
        {
            return null; // Nobody lets us ask, or write.
        }
    }

    private async Task CloseAsync(NftablesLoop of, CancellationToken stop)
    {
        await of.ApplyAsync(FirstTable.Of(start.Config.Dataplane, time), stop);
        log.Closed();
    }

    private async Task OpenAsync(NftablesLoop of)
    {
        if (await of.FlushAsync() == null) log.Opened();
        await EndAsync();
        if (start.Config.Nat == null) kernel.Holding.Release(Holding.NatTable);
    }

    /// <summary>From now on another writes the table.</summary>
    public async Task EndAsync()
    {
        if (table is not { } ended) return;
        table = null;
        await ended.DisposeAsync();
    }

    protected override ValueTask LeaveAsync() => new(EndAsync());
}
