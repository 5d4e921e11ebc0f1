using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel;

/// <summary>
/// What we want in the kernel, what is there of ours, and a queue of the prefixes where the two may differ. A million routes are rows,
/// not objects. Ours is what carries our protocol number; the kernel may hold several of ours for a prefix, with other metrics or
/// tables (an earlier run's, or for a moment while a route moves): all but one are kept aside as <c>extras</c>.
/// </summary>
internal sealed class Desired(byte protocol, TimeProvider clock) : IDisposable
{
    private readonly OwnRows[] rows = [new(IpFamily.IPv4), new(IpFamily.IPv6)];
    private readonly Dictionary<RowName, List<uint>> extras = [];
    private readonly ChunkedQueue<RowName> queue = new();
    private bool swept;

    public RouteTargets Targets { get; } = new(protocol);
    public Refusals<RowName> Refusals { get; } = new(clock);
    public int WantedCount { get; private set; }
    public int InstalledCount { get; private set; }
    public int Pending => queue.Count;

    public void Dispose()
    {
        foreach (var family in rows) family.Dispose();
    }

    public OwnRows Rows(IpFamily family) => rows[(int)family];
    public Prefix Prefix(RowName row) => Rows(row.Family)[row.Handle];
    public uint Wanted(RowName row) => Rows(row.Family).Wanted(row.Handle);
    public uint Installed(RowName row) => Rows(row.Family).Installed(row.Handle);
    public ref RowState State(RowName row) => ref Rows(row.Family).State(row.Handle);
    public RouteTarget? TargetOf(uint number) => number == 0 ? null : Targets[number];
    public bool HasExtras(RowName row) => extras.Count > 0 && extras.ContainsKey(row);
    public IReadOnlyList<uint> Extras(RowName row) => extras.GetValueOrDefault(row) ?? [];

    public void Wish(in RouteWish wish)
    {
        if (wish.Target is { } target) Want(Row(wish.Prefix), target);
        else if (Find(wish.Prefix, out var row)) Unwant(row);
    }

    private void Want(RowName row, RouteTarget target)
    {
        ref var state = ref State(row);
        var number = Targets.Acquire(row.Family, target);
        if (number == Wanted(row)) { Targets.Release(number); return; }
        state &= ~RowState.Stale;
        SetWanted(row, number);
        Enqueue(row);
    }

    private void Unwant(RowName row)
    {
        State(row) &= ~RowState.Stale;
        SetWanted(row, 0);
        Enqueue(row);
    }

    /// <summary>The kernel holds this route, and it carries our protocol.</summary>
    /// <returns>True where that is news.</returns>
    public bool Present(in RouteView route)
    {
        var row = Row(route.Prefix);
        ref var state = ref State(row);
        var installed = TargetOf(Installed(row));
        if (installed != null && !(installed.Metric == route.Metric && installed.Table == route.Table)) return PresentBeside(row, route);
        state |= RowState.Seen;
        if (installed != null && route.Satisfies(installed)) return false;
        var number = Targets.Acquire(route);
        SetInstalled(row, number);
        Targets.Release(number);
        if (Wanted(row) == 0 && !swept) state |= RowState.Stale;
        else Enqueue(row);
        return true;
    }

    private bool PresentBeside(RowName row, in RouteView route)
    {
        var number = Targets.Acquire(route);
        AddExtra(row, number);
        Targets.Release(number);
        if ((State(row) & RowState.Stale) == 0) Enqueue(row);
        return true;
    }

    /// <summary>Someone else removed a route of ours: the whole of it, or (IPv6) some of its hops.</summary>
    public bool Absent(in RouteView route)
    {
        if (!Find(route.Prefix, out var row)) return false;
        var installed = TargetOf(Installed(row));
        var rest = installed is { Hops.Length: > 1 } && row.Family == IpFamily.IPv6 && installed.SameKey(route.Metric, route.Table)
            ? installed.Without(route.ToTarget().Hops) : null;
        if (rest == null || rest.Hops.Length == installed!.Hops.Length) return Gone(row, route.Metric, route.Table);
        var number = Targets.Acquire(row.Family, rest);
        SetInstalled(row, number);
        Targets.Release(number);
        Enqueue(row);
        return true;
    }

    /// <summary>Whatever of ours had this key is not there any more.</summary>
    public bool Gone(RouteKey key) => Find(key.Prefix, out var row) && Gone(row, key.Metric, key.Table);

    private bool Gone(RowName row, uint metric, uint table)
    {
        if (TargetOf(Installed(row)) is not { } installed || !installed.SameKey(metric, table)) return RemoveExtra(row, metric, table);
        SetInstalled(row, 0);
        State(row) &= ~RowState.Stale;
        Enqueue(row);
        return true;
    }

    /// <summary>Next hops have been taken away, and with them whatever of ours led over them.</summary>
    public void GoneOver(IReadOnlySet<uint> hops)
    {
        if (!rows.Any(table => Targets.Any(table.Family, LeadsOver))) return;
        foreach (var row in AllRows())
        {
            foreach (var extra in Extras(row).Where(number => LeadsOver(Targets[number])).ToArray()) RemoveExtra(row, extra);
            if (TargetOf(Installed(row)) is { } installed && LeadsOver(installed)) Gone(row, installed.Metric, installed.Table);
        }

        bool LeadsOver(RouteTarget target) => target.NextHop != 0 && hops.Contains(target.NextHop);
    }

    /// <summary>Whether a route of this key is wanted, or is there.</summary>
    public bool Means(RouteKey key) =>
        Find(key.Prefix, out var row) && (TargetOf(Wanted(row))?.SameKey(key.Metric, key.Table) == true || Holds(row, key));

    /// <summary>Whether a route of this key is there.</summary>
    public bool Holds(RouteKey key) => Find(key.Prefix, out var row) && Holds(row, key);

    private bool Holds(RowName row, RouteKey key) => TargetOf(Installed(row))?.SameKey(key.Metric, key.Table) == true;

    public bool Has(Prefix prefix) => Find(prefix, out var row) && (Wanted(row) | Installed(row)) != 0;

    /// <summary>Another owner wants a route that is there, and that nobody wants here: it is his from now on.</summary>
    /// <returns>Where it leads; null: there is no such route.</returns>
    public RouteTarget? GiveUp(Prefix prefix, RouteTarget asked)
    {
        if (!Find(prefix, out var row) || Wanted(row) != 0) return null;
        var kept = asked.AsKept(row.Family);
        if (TargetOf(Installed(row)) is { } left && left.SameKey(kept)) SetInstalled(row, 0);
        else
        {
            var extra = Extras(row).FirstOrDefault(number => Targets[number].SameKey(kept));
            if (extra == 0) return null;
            left = Targets[extra];
            RemoveExtra(row, extra);
        }
        // Another leftover of the prefix waits as it did.
        if (Installed(row) != 0 || HasExtras(row)) return left;
        State(row) &= ~RowState.Stale;
        Tidy(row);
        return left;
    }

    public void Adopt(Prefix prefix, RouteTarget left)
    {
        var row = Row(prefix);
        var number = Targets.Acquire(row.Family, left);
        SetInstalled(row, number);
        Targets.Release(number);
    }

    /// <summary>A reading of the kernel's routes begins: what it does not meet is not there.</summary>
    /// <param name="through">Only routes through this interface are read; 0: all.</param>
    public void BeginReading(IpFamily family, int through)
    {
        var table = Rows(family);
        for (uint handle = 1; handle < table.End; handle++)
            if (table.IsUsed(handle)) table.State(handle) &= ~RowState.Seen;
        if (through == 0)
            foreach (var row in extras.Keys.Where(row => row.Family == family).ToArray()) DropExtras(row);
    }

    public void EndReading(IpFamily family, int through)
    {
        var table = Rows(family);
        for (uint handle = 1; handle < table.End; handle++)
        {
            if (!table.IsUsed(handle) || (table.State(handle) & RowState.Seen) != 0 || table.Installed(handle) == 0) continue;
            var installed = Targets[table.Installed(handle)];
            if (through == 0 || installed.LeadsThrough(through)) Gone(new(family, handle), installed.Metric, installed.Table);
        }
    }

    /// <summary>Whether some route of ours may depend on the interface without naming it, so that only a full reading can tell.</summary>
    public bool MayHideInterface(IpFamily family) => Targets.Any(family, target => target.Hops.Any(hop => hop.Interface == 0));

    /// <returns>How many routes are to go.</returns>
    public int Sweep()
    {
        swept = true;
        var count = 0;
        foreach (var row in AllRows())
        {
            if (HasExtras(row)) Enqueue(row);
            if ((State(row) & RowState.Stale) == 0) continue;
            State(row) &= ~RowState.Stale;
            Enqueue(row);
            count++;
        }
        return count;
    }

    public void Flush()
    {
        swept = true;
        foreach (var row in AllRows()) Unwant(row);
    }

    private IEnumerable<RowName> AllRows()
    {
        foreach (var table in rows)
            for (uint handle = 1; handle < table.End; handle++)
                if (table.IsUsed(handle)) yield return new(table.Family, handle);
    }

    public void Enqueue(RowName row)
    {
        ref var state = ref State(row);
        if ((state & RowState.Queued) != 0) return;
        state |= RowState.Queued;
        queue.Enqueue(row);
    }

    public bool TryDequeue(out RowName row)
    {
        if (!queue.TryDequeue(out row)) return false;
        State(row) &= ~RowState.Queued;
        return true;
    }

    /// <summary>
    /// Makes the installed route the one with the wanted key, if there is one, and everything else an extra that has to go.
    /// </summary>
    public void Align(RowName row)
    {
        if (TargetOf(Wanted(row)) is not { } wanted) return;
        var installed = Installed(row);
        if (installed != 0 && Targets[installed].SameKey(wanted)) return;
        if (installed != 0)
        {
            AddExtra(row, installed);
            SetInstalled(row, 0);
        }
        if (!HasExtras(row)) return;
        var found = extras[row].Find(number => Targets[number].SameKey(wanted));
        if (found == 0) return;
        SetInstalled(row, found);
        RemoveExtra(row, found);
    }

    public void SetInstalled(RowName row, uint number)
    {
        ref var installed = ref Rows(row.Family).Installed(row.Handle);
        InstalledCount += (number != 0 ? 1 : 0) - (installed != 0 ? 1 : 0);
        Targets.Hold(number);
        Targets.Release(installed);
        installed = number;
    }

    /// <summary>Takes over the count that the caller has acquired.</summary>
    private void SetWanted(RowName row, uint number)
    {
        Forgive(row);
        ref var wanted = ref Rows(row.Family).Wanted(row.Handle);
        WantedCount += (number != 0 ? 1 : 0) - (wanted != 0 ? 1 : 0);
        Targets.Release(wanted);
        wanted = number;
    }

    /// <summary>
    /// What else a route of the kernel's leads over beside all of our hops; null: ours are not in it, or nothing else is. IPv6 makes one
    /// route of all that have one key, whoever owns them, and shows it under the protocol of the first.
    /// </summary>
    public RouteTarget? Beside(in RouteView route)
    {
        if (route.Family != IpFamily.IPv6 || !Find(route.Prefix, out var row)) return null;
        if (TargetOf(Installed(row)) is not { Type: RouteType.Unicast, Hops.Length: > 0 } ours) return null;
        if (!ours.SameKey(route.Metric, route.Table)) return null;
        var all = route.ToTarget();
        var rest = all.Hops.RemoveAll(hop => ours.Hops.Any(one => one.LeadsAs(hop)));
        return !rest.IsEmpty && rest.Length + ours.Hops.Length == all.Hops.Length ? all with { Hops = rest } : null;
    }

    /// <summary>A reading has met what we have of this prefix, whatever else.</summary>
    public void Meet(Prefix prefix)
    {
        if (Find(prefix, out var row)) State(row) |= RowState.Seen;
    }

    /// <summary>What the kernel refused for this prefix is asked for again at once.</summary>
    public void Hasten(Prefix prefix)
    {
        if (!Find(prefix, out var row) || (State(row) & RowState.Refused) == 0) return;
        Refusals.Hasten(row);
        Enqueue(row);
    }

    public void Refuse(RowName row) => State(row) |= RowState.Refused;

    /// <summary>The row's refusal is settled, or does not concern what is wanted now.</summary>
    public void Forgive(RowName row)
    {
        ref var state = ref State(row);
        if ((state & RowState.Refused) == 0) return;
        state &= ~RowState.Refused;
        Refusals.Remove(row);
    }

    /// <summary>Forgets a row that has nothing to say any more.</summary>
    public void Tidy(RowName row)
    {
        if (Wanted(row) != 0 || Installed(row) != 0 || (State(row) & (RowState.Queued | RowState.Refused)) != 0 || HasExtras(row)) return;
        Rows(row.Family).Remove(row.Handle);
    }

    private RowName Row(Prefix prefix) => new(prefix.Family, Rows(prefix.Family).FindOrAdd(prefix));

    private bool Find(Prefix prefix, out RowName row)
    {
        var handle = Rows(prefix.Family).Find(prefix);
        row = new(prefix.Family, handle);
        return handle != 0;
    }

    private void AddExtra(RowName row, uint number)
    {
        if (!extras.TryGetValue(row, out var list)) extras[row] = list = [];
        var target = Targets[number];
        Targets.Hold(number);
        var same = list.FindIndex(other => Targets[other].SameKey(target));
        if (same < 0) { list.Add(number); return; }
        Targets.Release(list[same]);
        list[same] = number;
    }

    private bool RemoveExtra(RowName row, uint metric, uint table)
    {
        var found = Extras(row).FirstOrDefault(number => Targets[number].SameKey(metric, table));
        if (found != 0) RemoveExtra(row, found);
        return found != 0;
    }

    public void RemoveExtra(RowName row, uint number)
    {
        if (!extras.TryGetValue(row, out var list) || !list.Remove(number)) return;
        Targets.Release(number);
        if (list.Count == 0) extras.Remove(row);
    }

    private void DropExtras(RowName row)
    {
        foreach (var number in Extras(row)) Targets.Release(number);
        extras.Remove(row);
    }
}
