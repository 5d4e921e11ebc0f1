using Calico.Bgp.Kernel.Routes;
using Microsoft.Extensions.Logging;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel;

/// <summary>
/// Takes prefixes off the queue of differences, decides what to ask of the kernel for each, and settles what it answers. A foreign
/// route is never replaced: where one has the same prefix, metric and table, ours is refused here, in the kernel's words.
/// </summary>
/// <param name="batch">Empty between calls, so that all writers share it.</param>
internal sealed class RouteWriter(Desired desired, RouteOwners owners, KernelView view, RouteBatch batch, ILogger log, TimeProvider clock)
{
    private static readonly TimeSpan BetweenRefusalLines = TimeSpan.FromSeconds(1);

    private long lastRefusalLine;

    public long Writes { get; private set; }
    public long Failures { get; private set; }

    /// <summary>The kernel holds something else than we think: read it anew.</summary>
    public bool Doubts { get; set; }

    /// <summary>Answers to the last batch are lost, and its rows queued again: a moment's rest.</summary>
    public bool Stumbled { get; private set; }

    /// <summary>Writes up to a batch of changes; false where there was nothing to do.</summary>
    public bool WriteSome()
    {
        var looked = 0;
        while (looked++ < RouteBatch.Most && desired.TryDequeue(out var row))
        {
            Plan(row);
            desired.Tidy(row);
        }
        Send();
        return looked > 1;
    }

    private void Plan(RowName row)
    {
        if ((desired.State(row) & RowState.Stale) != 0) return;
        desired.Align(row);
        var (wanted, installed) = (desired.Wanted(row), desired.Installed(row));
        if (wanted != 0) PlanWanted(row, wanted, installed);
        else if (installed != 0) Add(new(row, RouteChange.Delete, installed));
        // Make before break: the route that moves to another metric or table leaves its old place last.
        if (!desired.HasExtras(row)) return;
        foreach (var extra in desired.Extras(row).ToArray()) Add(new(row, RouteChange.Delete, extra));
    }

    private void PlanWanted(RowName row, uint wanted, uint installed)
    {
        var target = desired.Targets[wanted];
        if (installed != 0 && (installed == wanted || desired.Targets[installed].Satisfies(target))) { desired.Forgive(row); return; }
        var waits = (desired.State(row) & RowState.Refused) != 0 && desired.Refusals.Blocks(row);
        if (!waits && Other(new(desired.Prefix(row), target.Metric, target.Table)) is { } other)
        {
            Refuse(row, EEXIST, $"File exists: {desired.Prefix(row)} belongs to {other}");
            waits = true;
        }
        // What we hold but do not want leads astray: rather no route than a wrong one.
        if (waits && installed != 0) Add(new(row, RouteChange.Delete, installed));
        else if (!waits) Add(new(row, installed != 0 ? RouteChange.Replace : RouteChange.Create, wanted));
    }

    private string? Other(RouteKey key) =>
        view.Conflict(key) is { } foreign ? $"protocol {RouteProtocol.Name(foreign.Protocol)}" : owners.Holder(key, desired);

    private void Add(PlannedChange change)
    {
        var form = change.Change == RouteChange.Delete ? DeleteForm(change) : desired.Targets.New(change.Target);
        var prefix = desired.Prefix(change.Row);
        if (batch.TryAdd(change, prefix, form)) return;
        Send();
        batch.TryAdd(change, prefix, form);
    }

    /// <summary>IPv4 takes metric 0 for any metric, so where there is another of ours the hops have to say which is meant.</summary>
    private RouteForm DeleteForm(PlannedChange change)
    {
        var target = desired.Targets[change.Target];
        var ambiguous = target.Metric == 0 && (desired.Wanted(change.Row) != 0 || desired.HasExtras(change.Row)
            || owners.IsShared(desired.Prefix(change.Row), target.Table, desired));
        var form = desired.Targets.Delete(change.Target);
        return ambiguous ? form with { Attributes = desired.Targets.New(change.Target).Attributes } : form;
    }

    private void Send()
    {
        if (batch.Count == 0) return;
        Writes += batch.Count;
        var answered = batch.Exchange();
        if (!answered) KernelLog.AnswersLost(log, batch.Count);
        Stumbled = !answered;
        Doubts |= Stumbled;
        for (var i = 0; i < batch.Count; i++)
        {
            if (answered) Settle(batch[i], batch.Errno(i), batch.Words(i));
            else desired.Enqueue(batch[i].Row);
            desired.Tidy(batch[i].Row);
        }
        batch.Clear();
    }

    private void Settle(PlannedChange change, int errno, string words)
    {
        var row = change.Row;
        var done = errno == 0 || (change.Change == RouteChange.Delete && (errno == ESRCH || errno == ENOENT));
        if (!done) { Refused(change, errno, words); return; }
        if (change.Change != RouteChange.Delete)
        {
            desired.SetInstalled(row, change.Target);
            desired.Forgive(row);
        }
        else if (desired.Installed(row) == change.Target) desired.SetInstalled(row, 0);
        else desired.RemoveExtra(row, change.Target);
    }

    private void Refused(PlannedChange change, int errno, string words)
    {
        Failures++;
        var attempts = Refuse(change.Row, errno, words);
        // Nobody has told us of a route there, yet there is one: either news is on its way, or we have missed some.
        if (errno == EEXIST && attempts == 1) Doubts = true;
        // The old route is still there, and leads where we do not want to go any more.
        if (change.Change == RouteChange.Replace) desired.Enqueue(change.Row);
    }

    private int Refuse(RowName row, int errno, string words)
    {
        var attempts = desired.Refusals.Add(row, errno, words);
        desired.Refuse(row);
        if (attempts == 1 && (lastRefusalLine == 0 || clock.GetElapsedTime(lastRefusalLine) >= BetweenRefusalLines))
        {
            lastRefusalLine = clock.GetTimestamp();
            KernelLog.Refused(log, desired.Prefix(row), desired.TargetOf(desired.Wanted(row))?.ToString() ?? "(its removal)", words,
                desired.Refusals.Count);
        }
        return attempts;
    }
}
