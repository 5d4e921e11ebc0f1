using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Links;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;
using static Tmds.Linux.LibC;

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
        Owners = new(options, View, write, log, clock);
        Objects = new(options.Protocol, write, dump, log, clock);
    }

    public void Dispose() => Owners.Dispose();

    public KernelView View { get; }
    public RouteOwners Owners { get; }
    public KernelObjects Objects { get; }
    public long Resyncs { get; private set; }

    /// <summary>Another process still writes: tables are read and news taken, and wishes wait.</summary>
    public bool IsHeld { get; set; }

    /// <summary>The last reading was complete: what is shown is not half of what there is.</summary>
    public bool IsRead { get; private set; }
    public long Writes => Owners.All.Sum(owner => owner.Writer.Writes);
    public long Failures => Owners.All.Sum(owner => owner.Writer.Failures);
    public int Wanted => Owners.All.Sum(owner => owner.Desired.WantedCount);
    public int Installed => Owners.All.Sum(owner => owner.Desired.InstalledCount);
    public int Pending => Owners.All.Sum(owner => owner.Desired.Pending);

    private TimeSpan Now => clock.GetElapsedTime(start);

    public void Want(OwnerRoutes owner, in RouteWish wish)
    {
        if (!Installs(owner)) return;
        // A table that we have not written to before may hold routes of an earlier run.
        if (wish.Target is { } target && owner.Tables.Add(target.Table)) resyncAt = TimeSpan.Zero;
        Owners.Wish(owner, wish);
    }

    /// <summary>What is switched off are the speaker's routes: who else wants some has a switch of his own.</summary>
    private bool Installs(OwnerRoutes owner) => options.InstallRoutes || owner != Owners.First;

    /// <summary>Somebody beside the speaker wants routes in a table. What is there of ours is read: of this table alone.</summary>
    public OwnerRoutes Claim(string name, uint table)
    {
        if (Owners.All.FirstOrDefault(owner => owner.Name == name && owner.Tables.Contains(table)) is { } known) return known;
        var claimed = Owners.Add(name, table);
        if (!ReadTable(table)) resyncAt = TimeSpan.Zero;
        return claimed;
    }

    public void Apply(WatchNews news)
    {
        if (news.Octets == null)
        {
            KernelLog.Overrun(log);
            resyncAt = TimeSpan.Zero;
            return;
        }
        var messages = new NetlinkReader(news.Octets.AsSpan(0, news.Length));
        while (messages.Next(out var header, out var body)) ReadMessage(header, body);
    }

    public void Sweep(OwnerRoutes owner)
    {
        if (!Installs(owner)) return;
        var count = Owners.Sweep(owner);
        if (count > 0) KernelLog.Sweeping(log, count);
    }

    /// <summary>Does what is due; false where nothing was.</summary>
    public bool Round()
    {
        if (resyncAt <= Now) Resync();
        LookAfterLosses();
        if (IsHeld) return false;
        RetryRefused();
        RoundOfObjects();
        if (mayWriteAt > Now) return false;
        var any = false;
        foreach (var owner in Owners.All) any |= Write(owner.Writer);
        return any;
    }

    private void RoundOfObjects()
    {
        if (Objects.IsSettled) return;
        var (before, made) = (Objects.Restored, Objects.Made);
        Objects.Round(routesAreWritten: Pending == 0);
        if (Objects.TakeGone() is { Count: > 0 } hops)
        {
            foreach (var owner in Owners.All) owner.Desired.GoneOver(hops);
            View.ForgetOver(hops);
        }
        surroundingsChanged |= Objects.Made != made;
        // The kernel drops the routes over a next hop that goes, and says nothing of it.
        if (Objects.Restored != before) resyncAt = Later(mayDoubtAt, Now);
    }

    private bool Write(RouteWriter writer)
    {
        if (!writer.WriteSome()) return false;
        if (writer.Stumbled) mayWriteAt = Now + AfterStumble;
        if (writer.Doubts) (writer.Doubts, resyncAt) = (false, Later(mayDoubtAt, Now));
        return true;
    }

    /// <summary>All that was wished for has been written, or refused.</summary>
    public bool IsSettled => Pending == 0 && resyncAt == null && Objects.IsSettled;

    /// <summary>How long nothing has to be done if nothing comes in; null: for ever.</summary>
    public TimeSpan? Wait()
    {
        TimeSpan? wait = null;
        foreach (var (at, _) in losses.Values) wait = Earlier(wait, at - Now);
        if (resyncAt is { } resync) wait = Earlier(wait, resync - Now);
        if (IsHeld) return wait;
        foreach (var owner in Owners.All)
            if (owner.Desired.Refusals.Wait is { } refused) wait = Earlier(wait, refused);
        if (Objects.Wait is { } objects) wait = Earlier(wait, objects);
        if (surroundingsChanged) wait = Earlier(wait, mayRetryAllAt - Now);
        if (Pending > 0) wait = Earlier(wait, mayWriteAt - Now);
        return wait;

        static TimeSpan Earlier(TimeSpan? a, TimeSpan b) => a < b ? a.Value : b > TimeSpan.Zero ? b : TimeSpan.Zero;
    }

    private static TimeSpan Later(TimeSpan a, TimeSpan b) => a > b ? a : b;

    /// <summary>All of them when the surroundings have changed; where they are many, not at every change.</summary>
    private void RetryRefused()
    {
        var all = surroundingsChanged && (Owners.All.Sum(owner => owner.Desired.Refusals.Count) <= FewRefusals || mayRetryAllAt <= Now);
        foreach (var owner in Owners.All)
            if (all || owner.Desired.Refusals.Wait == TimeSpan.Zero) owner.Desired.Refusals.Release(all, owner.Desired.Enqueue);
        Objects.Retry(all);
        if (!all) return;
        surroundingsChanged = false;
        mayRetryAllAt = Now + BetweenManyRetries;
    }

    /// <summary>
    /// Of the speaker's, which may be as many as the Internet has routes, the first <paramref name="limit"/>, and of each other owner's,
    /// whose pods or addresses somebody misses, the first <paramref name="others"/>; null where they are the same as when they were last
    /// asked for.
    /// </summary>
    public ImmutableArray<KernelRefusal>? NewRefusals(int limit, int others)
    {
        if (Owners.All.All(owner => !owner.Desired.Refusals.Changed)) return null;
        foreach (var owner in Owners.All) owner.Desired.Refusals.Changed = false;
        return [.. Owners.All.GroupBy(owner => owner.Name).SelectMany(tables => tables.SelectMany(owner =>
            owner.Desired.Refusals.List(Most(owner)).Select(entry => Describe(owner, entry.Key, entry.Refusal)))
            .Take(Most(tables.First())))];

        int Most(OwnerRoutes owner) => owner == Owners.First ? limit : others;
    }

    private static KernelRefusal Describe(OwnerRoutes owner, RowName row, Refusal refusal) => new(owner.Desired.Prefix(row),
        owner.Desired.TargetOf(owner.Desired.Wanted(row)), refusal.Errno, refusal.Words, refusal.Since, refusal.Attempts)
    {
        Owner = owner.Name,
    };

    private void ReadMessage(in NetlinkHeader header, ReadOnlySpan<byte> body)
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
            case MessageType.NewRule or MessageType.DelRule or MessageType.NewNextHop or MessageType.DelNextHop when header.Port != ownPort:
                Objects.Hear(header, body);
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
        if (OwnerOf(route) is { } owner)
        {
            if (present ? owner.Desired.Present(route) : owner.Desired.Absent(route)) KernelLog.Disturbed(log, route.Prefix);
            if (!present) Owners.Freed(route.Prefix, owner.Desired);
            return;
        }
        if (present && (header.Flags & NetlinkFlags.Replace) == 0 && TakeBeside(route, route.Protocol) != null) return;
        surroundingsChanged |= View.TakeRoute(route, present) != ViewChange.None;
        if (present && (header.Flags & NetlinkFlags.Replace) != 0 && Gone(route.Key)) KernelLog.Disturbed(log, route.Prefix);
    }

    /// <summary>IPv6 has put hops of others and ours into one route.</summary>
    /// <returns>Whose route it is that they are in; null: they are not.</returns>
    private OwnerRoutes? TakeBeside(in RouteView route, byte protocol)
    {
        foreach (var owner in Owners.All)
        {
            if (owner.Desired.Beside(route) is not { } hops) continue;
            if (View.TakeBeside(route, hops, protocol)) KernelLog.Beside(log, route.Prefix, hops.ToString());
            return owner;
        }
        return null;
    }

    private bool Gone(RouteKey key)
    {
        var any = false;
        foreach (var owner in Owners.All) any |= owner.Desired.Gone(key);
        return any;
    }

    /// <summary>Null: it is not ours.</summary>
    private OwnerRoutes? OwnerOf(in RouteView route) => route.Protocol == options.Protocol ? Owners.Of(route) : null;

    private void Resync()
    {
        resyncAt = null;
        Resyncs++;
        Objects.Doubt();
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
        KernelLog.Read(log, View.LinkCount, View.RouteCount, Installed, (long)clock.GetElapsedTime(began).TotalMilliseconds);
    }

    private bool ReadEverything()
    {
        View.Clear();
        return Read(LinkMessage.Dump(), "link") && Read(AddressMessage.Dump(), "address") && Read(NeighbourMessage.Dump(), "neighbour")
            && ReadRoutes(IpFamily.IPv4, 0) && ReadRoutes(IpFamily.IPv6, 0);
    }

    private bool Read(NetlinkMessage request, string table) => Read(request, table, ReadMessage);

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
        foreach (var owner in Owners.All) owner.Desired.BeginReading(family, through);
        if (through == 0 || View.HasLink(through))
        {
            var request = through == 0 ? RouteMessage.Dump(family) : RouteMessage.Dump(family, through);
            if (!Read(request, family.Word() + " route", Meet)) return false;
        }
        foreach (var owner in Owners.All) owner.Desired.EndReading(family, through);
        surroundingsChanged |= View.Keep(family, through, met) != ViewChange.None;
        return true;

        void Meet(in NetlinkHeader header, ReadOnlySpan<byte> body)
        {
            if (!RouteView.TryRead(body, out var route)) return;
            var owner = OwnerOf(route);
            if (route.Family == IpFamily.IPv6 && TakeBeside(route, owner == null ? route.Protocol : (byte)0) is { } shared)
            {
                shared.Desired.Meet(route.Prefix);
                return;
            }
            if (route.Family == IpFamily.IPv6) View.ForgetBeside(route.Key);
            if (owner != null) { owner.Desired.Present(route); return; }
            met.Add(route.Key);
            View.TakeRoute(route, true);
        }
    }

    /// <summary>The first look at a table: a million routes in another one are not read again for it.</summary>
    private bool ReadTable(uint table) =>
        ((IpFamily[])[IpFamily.IPv4, IpFamily.IPv6]).All(family =>
        {
            var met = new HashSet<RouteKey>();
            var end = dump.Read(RouteMessage.Dump(family, table), Meet, out var errno);
            // A table in which there has never been anything is none to IPv4.
            if (end != DumpEnd.Complete && errno != ENOENT) return false;
            View.KeepTable(family, table, met);
            return true;

            void Meet(in NetlinkHeader header, ReadOnlySpan<byte> body)
            {
                if (!RouteView.TryRead(body, out var route)) return;
                // Until the table was claimed, what is there under our protocol was anybody's.
                var owner = OwnerOf(route);
                View.TakeRoute(route, owner == null);
                if (owner == null) met.Add(route.Key);
                else owner.Desired.Present(route);
            }
        });

    private void LookAfterLosses()
    {
        if (losses.Count == 0) return;
        foreach (var (index, (at, again)) in losses.ToArray())
        {
            if (at > Now) continue;
            Objects.Doubt();
            if (again) losses[index] = (Now + LaterAfterLoss, false);
            else losses.Remove(index);
            foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
                if (!ReadRoutes(family, Owners.All.Any(owner => owner.Desired.MayHideInterface(family)) ? 0 : index))
                    resyncAt = TimeSpan.Zero;
        }
    }
}
