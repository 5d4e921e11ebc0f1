using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;
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
        if (installed != 0 && row.Family == IpFamily.IPv6 && view.HasBeside(new(desired.Prefix(row), target.Metric, target.Table)))
        {
            PlanHops(row, target, desired.Targets[installed]);
            return;
        }
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

    /// <summary>
    /// Somebody else's hops are in the same route of IPv6, and to replace it would replace them: only the hops that differ come and go. The
    /// new ones first, so that packets have a way; but the kernel takes none twice, with another weight neither.
    /// </summary>
    private void PlanHops(RowName row, RouteTarget wanted, RouteTarget installed)
    {
        var more = Except(wanted, installed);
        var less = Except(installed, wanted);
        Add(row, RouteChange.RemoveHops, installed, [.. less.Where(hop => more.Any(other => other.LeadsAs(hop)))]);
        Add(row, RouteChange.AddHops, wanted, more);
        Add(row, RouteChange.RemoveHops, installed, [.. less.Where(hop => !more.Any(other => other.LeadsAs(hop)))]);
    }

    private static RouteHop[] Except(RouteTarget some, RouteTarget others) =>
        [.. some.Hops.Where(hop => !others.Hops.Any(other => other.Weight == hop.Weight && other.LeadsAs(hop)))];

    /// <summary>The number of the target is held until the kernel has answered.</summary>
    private void Add(RowName row, RouteChange change, RouteTarget of, RouteHop[] hops)
    {
        if (hops.Length > 0) Add(new(row, change, desired.Targets.Acquire(row.Family, of with { Hops = [.. hops] })));
    }

    private string? Other(RouteKey key) =>
        view.Conflict(key) is { } foreign ? $"protocol {RouteProtocol.Name(foreign.Protocol)}" : owners.Holder(key, desired);

    private void Add(PlannedChange change)
    {
        var form = change.Change switch
        {
            RouteChange.Delete => DeleteForm(change),
            RouteChange.RemoveHops => desired.Targets.Delete(change.Target),
            _ => desired.Targets.New(change.Target),
        };
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
            if (batch[i].Change is RouteChange.AddHops or RouteChange.RemoveHops) desired.Targets.Release(batch[i].Target);
            desired.Tidy(batch[i].Row);
        }
        batch.Clear();
    }

    private void Settle(PlannedChange change, int errno, string words)
    {
        var row = change.Row;
        var removes = change.Change is RouteChange.Delete or RouteChange.RemoveHops;
        var done = errno == 0 || (removes && (errno == ESRCH || errno == ENOENT));
        if (!done) { Refused(change, errno, words); return; }
        if (change.Change is RouteChange.AddHops or RouteChange.RemoveHops) SettleHops(row, change);
        else if (change.Change != RouteChange.Delete)
        {
            desired.SetInstalled(row, change.Target);
            desired.Forgive(row);
        }
        else
        {
            LeaveToOthers(row, desired.Targets[change.Target]);
            if (desired.Installed(row) == change.Target) desired.SetInstalled(row, 0);
            else desired.RemoveExtra(row, change.Target);
            owners.Freed(desired.Prefix(row), desired);
        }
    }

    private void SettleHops(RowName row, PlannedChange change)
    {
        var hops = desired.Targets[change.Target];
        var before = desired.TargetOf(desired.Installed(row)) ?? hops with { Hops = [] };
        var now = change.Change == RouteChange.AddHops ? before.With(hops)
            : before with { Hops = before.Hops.RemoveAll(hop => hops.Hops.Contains(hop)) };
        // None, for a moment, where all of them get other weights.
        var number = now.Hops.IsEmpty ? 0 : desired.Targets.Acquire(row.Family, now);
        desired.SetInstalled(row, number);
        desired.Targets.Release(number);
        if (desired.TargetOf(desired.Wanted(row)) is { } wanted && now.Satisfies(wanted)) desired.Forgive(row);
    }

    /// <summary>What others have in the route stays there, and is a route of theirs.</summary>
    private void LeaveToOthers(RowName row, RouteTarget gone)
    {
        var key = new RouteKey(desired.Prefix(row), gone.Metric, gone.Table);
        if (view.ForgetBeside(key) is { } alone) view.Add(key, alone);
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
            KernelLog.Refused(log, desired.Prefix(row), desired.TargetOf(desired.Wanted(row))?.ToString()
                ?? $"(its removal from table {desired.TargetOf(desired.Installed(row))?.Table})", words, desired.Refusals.Count);
        }
        return attempts;
    }
}
