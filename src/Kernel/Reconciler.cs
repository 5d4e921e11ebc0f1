using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Links;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Kernel;

/// <summary>
/// Wishes and news in, writes and snapshots out, one round at a time; the kernel loop's thread calls it and nobody else. It is told of
/// changes; it reads whole tables only at the start, after lost notifications, and (the routes through one interface) after a link went
/// down or an address away: IPv4 drops the routes concerned without a notification.
/// </summary>
internal sealed class Reconciler : IDisposable
{
    private const int Attempts = 5, FewRefusals = 1000;
    private static readonly TimeSpan BetweenReadings = TimeSpan.FromSeconds(1), BetweenManyRetries = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AfterStumble = TimeSpan.FromMilliseconds(100);

    // The notification of a link that goes down leaves before the kernel has dropped its routes: look soon, and once more.
    private static readonly TimeSpan SoonAfterLoss = TimeSpan.FromMilliseconds(20), LaterAfterLoss = TimeSpan.FromMilliseconds(500);

    private readonly KernelOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private readonly uint ownPort;
    private readonly NetlinkDump dump;
    private readonly RouteWriter writer;
    private readonly HashSet<uint> ourTables;
    private readonly Dictionary<int, (TimeSpan At, bool Again)> losses = [];
    private readonly long start;
    private TimeSpan? resyncAt = TimeSpan.Zero;
    private TimeSpan mayDoubtAt, mayRetryAllAt, mayWriteAt;
    private bool surroundingsChanged;

    public Reconciler(KernelOptions options, TimeProvider clock, ILogger log, NetlinkSocket write, NetlinkSocket read)
    {
        (this.options, this.clock, this.log, ownPort, start) = (options, clock, log, write.Port, clock.GetTimestamp());
        dump = new(read);
        View = new(options.Table);
        Desired = new(options.Protocol, clock);
        writer = new(Desired, View, write, log, clock);
        ourTables = [options.Table];
    }

    public void Dispose() => Desired.Dispose();

    public KernelView View { get; }
    public Desired Desired { get; }
    public long Resyncs { get; private set; }

    /// <summary>The last reading was complete: what is shown is not half of what there is.</summary>
    public bool IsRead { get; private set; }
    public long Writes => writer.Writes;
    public long Failures => writer.Failures;

    private TimeSpan Now => clock.GetElapsedTime(start);

    public void Take(in RouteWish wish)
    {
        if (!options.InstallRoutes) return;
        // A table that we have not written to before may hold routes of an earlier run.
        if (wish.Target is { } target && ourTables.Add(target.Table)) resyncAt = TimeSpan.Zero;
        Desired.Wish(wish);
    }

    public void Take(WatchNews news)
    {
        if (news.Octets == null)
        {
            KernelLog.Overrun(log);
            resyncAt = TimeSpan.Zero;
            return;
        }
        var messages = new NetlinkReader(news.Octets.AsSpan(0, news.Length));
        while (messages.Next(out var header, out var body)) Take(header, body);
    }

    public void Sweep()
    {
        if (!options.InstallRoutes) return;
        var count = Desired.Sweep();
        if (count > 0) KernelLog.Sweeping(log, count);
    }

    /// <summary>Does what is due; false where nothing was.</summary>
    public bool Round()
    {
        if (resyncAt <= Now) Resync();
        LookAfterLosses();
        RetryRefused();
        if (mayWriteAt > Now || !writer.WriteSome()) return false;
        if (writer.Stumbled) mayWriteAt = Now + AfterStumble;
        if (writer.Doubts) (writer.Doubts, resyncAt) = (false, Later(mayDoubtAt, Now));
        return true;
    }

    /// <summary>All that was wished for has been written, or refused.</summary>
    public bool IsSettled => Desired.Pending == 0 && resyncAt == null;

    /// <summary>How long nothing has to be done if nothing comes in; null: for ever.</summary>
    public TimeSpan? Wait()
    {
        var wait = Desired.Refusals.Wait;
        foreach (var (at, _) in losses.Values) wait = Earlier(wait, at - Now);
        if (resyncAt is { } resync) wait = Earlier(wait, resync - Now);
        if (surroundingsChanged) wait = Earlier(wait, mayRetryAllAt - Now);
        if (Desired.Pending > 0) wait = Earlier(wait, mayWriteAt - Now);
        return wait;

        static TimeSpan Earlier(TimeSpan? a, TimeSpan b) => a < b ? a.Value : b > TimeSpan.Zero ? b : TimeSpan.Zero;
    }

    private static TimeSpan Later(TimeSpan a, TimeSpan b) => a > b ? a : b;

    /// <summary>All of them when the surroundings have changed; where they are many, not at every change.</summary>
    private void RetryRefused()
    {
        var all = surroundingsChanged && (Desired.Refusals.Count <= FewRefusals || mayRetryAllAt <= Now);
        if (!all && Desired.Refusals.Wait != TimeSpan.Zero) return;
        Desired.Refusals.Release(all, Desired.Enqueue);
        if (!all) return;
        surroundingsChanged = false;
        mayRetryAllAt = Now + BetweenManyRetries;
    }

    public ImmutableArray<KernelRefusal> ListRefusals(int limit) =>
        [.. Desired.Refusals.List(limit).Select(entry => Describe(entry.Key, entry.Refusal))];

    private KernelRefusal Describe(RowName row, Refusal refusal) =>
        new(Desired.Prefix(row), Desired.TargetOf(Desired.Wanted(row)), refusal.Errno, refusal.Words, refusal.Since, refusal.Attempts);

    private void Take(in NetlinkHeader header, ReadOnlySpan<byte> body)
    {
        switch (header.Type)
        {
            case MessageType.NewLink or MessageType.DelLink:
                Note(View.TakeLink(body, header.Type == MessageType.NewLink, out var link), link);
                break;
            case MessageType.NewAddress or MessageType.DelAddress:
                Note(View.TakeAddress(body, header.Type == MessageType.NewAddress, out var of), of);
                break;
            case MessageType.NewNeighbour or MessageType.DelNeighbour:
                View.TakeNeighbour(body, header.Type == MessageType.NewNeighbour);
                break;
            case MessageType.NewRoute or MessageType.DelRoute when header.Port != ownPort:
                if (RouteView.TryRead(body, out var route)) TakeRoute(header, route);
                break;
        }
    }

    private void Note(ViewChange change, int index)
    {
        surroundingsChanged |= change != ViewChange.None;
        if (change == ViewChange.Loss) losses[index] = (Now + SoonAfterLoss, true);
    }

    private void TakeRoute(in NetlinkHeader header, in RouteView route)
    {
        var present = header.Type == MessageType.NewRoute;
        if (IsOurs(route))
        {
            if (present ? Desired.Present(route) : Desired.Absent(route)) KernelLog.Disturbed(log, route.Prefix);
            return;
        }
        surroundingsChanged |= View.TakeRoute(route, present) != ViewChange.None;
        if (present && (header.Flags & NetlinkFlags.Replace) != 0 && Desired.Gone(route.Key)) KernelLog.Disturbed(log, route.Prefix);
    }

    private bool IsOurs(in RouteView route) => route.Protocol == options.Protocol && ourTables.Contains(route.Table);

    private void Resync()
    {
        resyncAt = null;
        Resyncs++;
        var began = clock.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            IsRead = ReadEverything();
            if (IsRead) break;
            if (attempt < Attempts) continue;
            resyncAt = Now + BetweenReadings;
            break;
        }
        mayDoubtAt = Now + BetweenReadings;
        losses.Clear();
        surroundingsChanged = true;
        KernelLog.Read(log, View.LinkCount, View.RouteCount, Desired.InstalledCount, (long)clock.GetElapsedTime(began).TotalMilliseconds);
    }

    private bool ReadEverything()
    {
        View.Clear();
        return Read(LinkMessage.Dump(), "link") && Read(AddressMessage.Dump(), "address") && Read(NeighbourMessage.Dump(), "neighbour")
            && ReadRoutes(IpFamily.IPv4, 0) && ReadRoutes(IpFamily.IPv6, 0);
    }

    private bool Read(NetlinkMessage request, string table) => Read(request, table, Take);

    private bool Read(NetlinkMessage request, string table, DumpEntry entry)
    {
        var end = dump.Read(request, entry, out var errno);
        if (end == DumpEnd.Refused) KernelLog.DumpRefused(log, table, Marshal.GetPInvokeErrorMessage(errno));
        return end != DumpEnd.Interrupted;
    }

    /// <summary>Reads the routes of a family, or only those through an interface, and forgets those that it does not meet.</summary>
    private bool ReadRoutes(IpFamily family, int through)
    {
        var met = new HashSet<RouteKey>();
        Desired.BeginReading(family, through);
        if (through == 0 || View.HasLink(through))
        {
            var request = through == 0 ? RouteMessage.Dump(family) : RouteMessage.Dump(family, through);
            if (!Read(request, family.Word() + " route", MeetRoute)) return false;
        }
        Desired.EndReading(family, through);
        surroundingsChanged |= View.Keep(family, through, met) != ViewChange.None;
        return true;

        void MeetRoute(in NetlinkHeader header, ReadOnlySpan<byte> body)
        {
            if (!RouteView.TryRead(body, out var route)) return;
            if (IsOurs(route)) { Desired.Present(route); return; }
            met.Add(route.Key);
            View.TakeRoute(route, true);
        }
    }

    private void LookAfterLosses()
    {
        if (losses.Count == 0) return;
        foreach (var (index, (at, again)) in losses.ToArray())
        {
            if (at > Now) continue;
            if (again) losses[index] = (Now + LaterAfterLoss, false);
            else losses.Remove(index);
            foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
                if (!ReadRoutes(family, Desired.MayHideInterface(family) ? 0 : index)) resyncAt = TimeSpan.Zero;
        }
    }
}
