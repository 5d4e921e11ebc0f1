using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.NextHops;
using Calico.Bgp.Kernel.Overlays;
using Calico.Bgp.Kernel.Rules;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>
/// Writes what egress wants of routes. Each way has a table: a default route over a group of next hops, in which a flow keeps its bucket
/// while others come and go, and behind it one that says unreachable. That one is there before any packet is led to the table, stands also
/// where the kernel drops the first with its links, and belongs to an owner of its own, because an owner has one route for a prefix.
/// </summary>
public sealed class EgressRouting(IRouteClaims claims, IKernelObjects objects)
{
    private const string Owner = "egress", Closed = "egress-closed";

    /// <summary>It is one of egress'.</summary>
    internal static bool IsOwner(string name) => name is Owner or Closed;

    private const uint FirstTable = ExternalNetwork.FirstOfWays - 1, LastTable = FirstTable + EgressMarks.MostTables,
        FirstGroup = 0x6268_0000, FirstHop = 0x7000_0000, MainTable = 254;

    /// <summary>Where rules of ways stand: behind those that no packet passes, so that who is led to none leaves by none.</summary>
    private const uint WaysPriority = 0x6268_0000;

    /// <summary>So many that two next hops hardly ever mean the same number, and have their own again after a restart.</summary>
    private const int MostHops = 0x0fff_ffff;

    /// <summary>
    /// The metric of what stands behind a table's way. Its lower bits tell whose table it is, so that a daemon that comes back gives it to
    /// nobody else.
    /// </summary>
    private const uint LastMetric = EgressNumbers.MostTags;

    private const ushort Buckets = 128;

    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    /// <summary>A bucket goes back to a next hop that has come back when nothing has passed it for this long, and never before.</summary>
    private static readonly Resilience Keeping = new(Buckets, TimeSpan.FromSeconds(120), TimeSpan.Zero);

    private readonly EgressNumbers hops = new();
    private readonly Dictionary<int, (IRouteClaim Ways, IRouteClaim Closed)> tables = [];
    private IObjectClaim? claim;
    private IRouteClaim? main;
    private EgressRoutes have = EgressRoutes.None, wanted = EgressRoutes.None;
    private bool isSwept;

    /// <summary>Whose the tables are that are there, by what tells of whom.</summary>
    internal async Task<ImmutableArray<(uint Tag, int Number)>> TablesAsync(CancellationToken stop) =>
    [
        .. have.Tables.Select(table => (table.Tag, table.Number)),
        .. (await LeftAsync(stop).ConfigureAwait(false)).Where(left => left.Metric >= LastMetric)
            .Select(left => (left.Metric - LastMetric, (int)(left.Table - FirstTable))).Distinct(),
    ];

    /// <summary>What is wanted is there when it ends, as far as the kernel takes it, and what was wanted before is there still.</summary>
    internal async Task PrepareAsync(EgressRoutes newer, CancellationToken stop)
    {
        if (newer == have && wanted == have) return;
        wanted = newer;
        claim ??= await objects.ClaimObjectsAsync(Owner, stop).ConfigureAwait(false);
        main ??= await claims.ClaimAsync(Owner, MainTable, stop).ConfigureAwait(false);
        foreach (var table in newer.Tables)
            if (!tables.ContainsKey(table.Number)) await BeginAsync(table, stop).ConfigureAwait(false);
        hops.Keep(have.Tables.Concat(newer.Tables).SelectMany(table => table.Hops).Select(Word).Distinct(), MostHops);
        await WishAsync(newer, emptied: true, stop).ConfigureAwait(false);
        var before = Objects(have).ToDictionary(Key);
        foreach (var one in Objects(newer)) before[Key(one)] = one;
        await claim.WantAsync(before.Values, stop).ConfigureAwait(false);
        await WishAsync(newer, emptied: false, stop).ConfigureAwait(false);
    }

    /// <summary>What was wanted before and is not any more goes; at first what an earlier run has left, too.</summary>
    internal async Task CleanAsync(CancellationToken stop)
    {
        if (isSwept && wanted == have) return;
        var left = isSwept ? [] : await LeftAsync(stop).ConfigureAwait(false);
        isSwept = true;
        if (claim == null && left.Length == 0) return;
        claim ??= await objects.ClaimObjectsAsync(Owner, stop).ConfigureAwait(false);
        // Rules before the tables that they lead to, and groups behind the routes over them, which would go with them unheard.
        var all = Objects(wanted).ToArray();
        await claim.WantAsync([.. all.Concat(Objects(have).Where(one => one is not RoutingRule)).DistinctBy(Key)], stop)
            .ConfigureAwait(false);
        foreach (var table in left.Select(left => left.Table).Distinct()) await SweepAsync(table, stop).ConfigureAwait(false);
        foreach (var gone in tables.Keys.Except(wanted.Tables.Select(table => table.Number)).ToArray())
        {
            await tables[gone].Ways.FlushAsync(stop).ConfigureAwait(false);
            await tables[gone].Closed.FlushAsync(stop).ConfigureAwait(false);
            tables.Remove(gone);
        }
        await claim.WantAsync(all, stop).ConfigureAwait(false);
        hops.Keep(wanted.Tables.SelectMany(table => table.Hops).Select(Word).Distinct(), MostHops);
        have = wanted;
    }

    /// <summary>What is there in tables of ours that nobody has wanted in this run.</summary>
    private async Task<LeftRoute[]> LeftAsync(CancellationToken stop) =>
        [.. (await claims.LeftAsync(stop).ConfigureAwait(false)).Where(left => left.Table is > FirstTable and <= LastTable)];

    /// <summary>A table that no packet is led to any more.</summary>
    private async Task SweepAsync(uint table, CancellationToken stop)
    {
        var left = await claims.ClaimAsync(Owner, table, stop).ConfigureAwait(false);
        await left.FlushAsync(stop).ConfigureAwait(false);
        await left.SweepAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Nothing is wanted any more, of what an earlier run has left neither.</summary>
    public async Task EndAsync(CancellationToken stop = default)
    {
        await PrepareAsync(EgressRoutes.None, stop).ConfigureAwait(false);
        await CleanAsync(stop).ConfigureAwait(false);
    }

    private async Task BeginAsync(EgressTable begun, CancellationToken stop)
    {
        var table = TableOf(begun);
        var (ways, closed) = (await claims.ClaimAsync(Owner, table, stop).ConfigureAwait(false),
            await claims.ClaimAsync(Closed, table, stop).ConfigureAwait(false));
        tables[begun.Number] = (ways, closed);
        await closed.WishAsync(Array.ConvertAll(Families, family =>
            new RouteWish(Default(family), new(RouteType.Unreachable, [], LastMetric + begun.Tag, table))), stop).ConfigureAwait(false);
        await closed.SweepAsync(stop).ConfigureAwait(false);
    }

    /// <param name="emptied">
    /// Only what is not to lead anywhere any more, which goes before its group does. Nothing is swept then: what an earlier run has left is
    /// what packets are led by until it is wished for.
    /// </param>
    private async Task WishAsync(EgressRoutes newer, bool emptied, CancellationToken stop)
    {
        foreach (var table in newer.Tables)
        {
            var ways = tables[table.Number].Ways;
            var wishes = Families.Where(family => HasHops(table, family) != emptied).Select(family => new RouteWish(Default(family),
                emptied ? null : new(RouteType.Unicast, [], 0, ways.Table) { NextHop = Group(table, family) })).ToArray();
            await ways.WishAsync(wishes, stop).ConfigureAwait(false);
            if (!emptied) await ways.SweepAsync(stop).ConfigureAwait(false);
        }
        // An answer is translated back before it is routed; what comes for a gateway and is none must not go round between us and the ToR.
        var gone = have.Here.Except(newer.Here).Select(address => new RouteWish(Host(address), null));
        var here = newer.Here.Select(address => new RouteWish(Host(address), new(RouteType.Blackhole, [], 0, MainTable)));
        await main!.WishAsync(emptied ? [.. gone] : here.ToArray(), stop).ConfigureAwait(false);
        if (!emptied) await main.SweepAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Its number in the kernel.</summary>
    internal static uint TableOf(EgressTable table) => FirstTable + (uint)table.Number;

    private static Prefix Host(Address address) => new(address, address.Family.Bits());

    private static Prefix Default(IpFamily family) => family == IpFamily.IPv4 ? Prefix.DefaultIPv4 : Prefix.DefaultIPv6;

    private static bool HasHops(EgressTable table, IpFamily family) => table.Hops.Any(hop => hop.Gateway!.Value.Family == family);

    /// <summary>The number of its next hops of a family.</summary>
    internal static uint Group(EgressTable table, IpFamily family) => FirstGroup + (2 * (uint)table.Number) + (uint)family;

    /// <summary>Next hops and groups are known by their numbers, rules by all that they say; of the overlay there is one.</summary>
    private static object Key(KernelObject one) => one switch
    {
        NextHop hop => hop.Id,
        NextHopGroup group => group.Id,
        VxlanLink link => link.Name,
        OverlayPeer peer => (peer.Interface, peer.Mac),
        OverlayNeighbour neighbour => (neighbour.Interface, neighbour.Address),
        _ => one,
    };

    private static string Word(RouteHop hop) => hop.ToString();

    private uint Hop(RouteHop hop) => FirstHop + (uint)hops.All[Word(hop)];

    /// <summary>
    /// The kernel asks rules one after the other, of every packet that it routes. So there is one that asks all packets, which leads those
    /// of gateways elsewhere to the others' place, one for each share of the ways there, and behind these the ways of each share.
    /// </summary>
    private static IEnumerable<RoutingRule> Ways(EgressRoutes routes, IpFamily family)
    {
        if (routes.Tables.Count == 0) yield break;
        var marks = new EgressMarks(routes.Mask);
        yield return new(family, (uint)routes.Priority, 0) { Mask = marks.Both, Mark = marks.Away, Goto = WaysPriority };
        foreach (var share in routes.Tables.GroupBy(table => table.Mark & (marks.Both | marks.Shares)))
        {
            var priority = WaysPriority + 1 + marks.ShareOf(share.Key);
            yield return new(family, WaysPriority, 0) { Mask = marks.Both | marks.Shares, Mark = share.Key, Goto = priority };
            foreach (var table in share)
                yield return new(family, priority, TableOf(table)) { Mask = routes.Mask, Mark = table.Mark };
        }
    }

    private IEnumerable<KernelObject> Objects(EgressRoutes routes) =>
    [
        .. routes.Overlay,
        .. routes.Tables.SelectMany(table => table.Hops).Distinct()
            .Select(hop => new NextHop(Hop(hop), hop.Gateway!.Value.Family, hop.Gateway, hop.Interface) { OnLink = hop.OnLink }),
        .. from table in routes.Tables
           from family in Families
           where HasHops(table, family)
           select new NextHopGroup(Group(table, family),
               [.. table.Hops.Where(hop => hop.Gateway!.Value.Family == family).Select(hop => new NextHopShare(Hop(hop)))], Keeping),
        // What is around a packet of the overlay's has its mark, and would be led into the overlay again.
        .. routes.Overlay.OfType<VxlanLink>().Select(link => new RoutingRule(
            link.Local.Family, (uint)routes.Priority - 1, MainTable)
        {
            Source = Host(link.Local),
            Mask = new EgressMarks(routes.Mask).Both,
            Mark = new EgressMarks(routes.Mask).Away,
        }),
        .. Families.SelectMany(family => Ways(routes, family)),
        .. from network in routes.Networks
           from family in Families
           select new RoutingRule(family, network.Priority, network.Table) { Mask = routes.Mask, Mark = network.Mark },
    ];
}
