using System.Collections.Immutable;
using System.ComponentModel;
using Calico.Bgp.Control.Http;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>
/// Before the sources are read: where no earlier run has left a table, or one without policy, <see cref="FirstTable"/> is in force, and is
/// put right, until the dataplane begins, which adopts it. Where the daemon ends in order before that (its start fails, or it is told to),
/// what it has closed it opens: nobody would. What was closed before it stays, and so does all when it is killed: it is the next run's.
/// Where a table with policy is left, and nobody would keep it, it goes: pods that come would be closed by it for ever.
/// </summary>
internal sealed class ClosingRoom(
    Start start, KernelRoom kernel, Loops loops, TimeProvider time, ILoggerFactory logs, ILogger<ClosingRoom> log) : Room
{
    private enum Left
    {
        /// <summary>Nobody lets us ask, or write.</summary>
        Unknown,
        Nothing,
        /// <summary>By a run that had not begun.</summary>
        Closed,
        /// <summary>By such a one, over one without policy.</summary>
        ClosedBeside,
        WithoutPolicy,
        WithPolicy,
    }

    private NftablesLoop? table;

    /// <summary>As this run has found it.</summary>
    private Left left;

    /// <summary>What workloads are closed by.</summary>
    private ImmutableArray<NftChange> closed = [];

    public KnownWorkloads Workloads { get; } =
        new(KnownWorkloads.FileIn(SavedTranslations.Folder), logs.CreateLogger<KnownWorkloads>());

    /// <summary>Workloads are.</summary>
    public bool IsClosed => table != null;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // The process that is taken over from has a table, or wants none.
        if (start.From != null) return;
        var (settings, waits) = (start.Config.Dataplane, !start.Config.Sources.IsEmpty);
        var (polices, leads) = (settings.Policy is { Enabled: true }, settings.Egress is { Enabled: true });
        left = Look();
        await (left switch
        {
            Left.Nothing or Left.Closed when waits && (polices || leads) => CloseAsync(isBeside: false, cancellationToken),
            Left.WithoutPolicy or Left.ClosedBeside when waits && polices => CloseAsync(isBeside: true, cancellationToken),
            Left.Closed or Left.ClosedBeside => RemoveAsync(log.Opened),
            Left.WithPolicy when settings is { Nat: null, Policy: null, Services: null, Egress: null } =>
                RemoveAsync(() => log.Left(DataplaneLoop.Table)),
            _ => Task.CompletedTask,
        });
    }

    private static Left Look()
    {
        try
        {
            using var rules = new ForeignRules();
            return Has(FirstTable.Mark) ? Left.Closed : Has(FirstTable.MarkBeside) ? Left.ClosedBeside : !Has(null) ? Left.Nothing
                : Has(FirstTable.PolicyChain) ? Left.WithPolicy : Left.WithoutPolicy;

            bool Has(string? chain) => rules.Has(family: null, DataplaneLoop.Table, chain);
        }
        catch (Win32Exception)
        {
            return Left.Unknown;
        }
    }

    /// <summary>False: another daemon keeps it, or the dataplane will be refused, too, and say so.</summary>
    private bool Open(bool keepsOthers = false)
    {
        try
        {
            kernel.Holding.Hold(Holding.NatTable);
            table = Translating.Open(loops, time, logs, keepsOthers);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private async Task CloseAsync(bool isBeside, CancellationToken stop)
    {
        if (!Open(keepsOthers: isBeside)) return;
        var (settings, workloads) = (start.Config.Dataplane, Workloads.Read());
        using var rules = new ForeignRules();
        closed = isBeside
            ? FirstTable.Beside(settings, workloads, time, chain => rules.Has(family: null, DataplaneLoop.Table, chain))
            : FirstTable.Of(settings, workloads, time);
        await table!.ApplyAsync(closed, stop);
        if (isBeside) log.ClosedBeside();
        else log.Closed();
    }

    private async Task RemoveAsync(Action say)
    {
        if (!Open()) return;
        if (await table!.FlushAsync() == null) say();
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

    /// <summary>Where the dataplane has not begun.</summary>
    protected override async ValueTask LeaveAsync()
    {
        if (table is { } closing && !closed.IsEmpty)
        {
            if (left is Left.Closed or Left.ClosedBeside) log.StayClosed();
            else if (await OpenAsync(closing) is { } problem) log.NotOpened(problem);
            else log.OpenedAgain();
        }
        await EndAsync();
    }

    /// <returns>Null, or the kernel's words.</returns>
    private async Task<string?> OpenAsync(NftablesLoop closing)
    {
        if (left == Left.Nothing) return await closing.FlushAsync();
        await closing.ApplyAsync(FirstTable.Without(closed));
        return closing.Status.Problems is [var first, ..] ? first.ToString() : null;
    }
}
