using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.NextHops;
using Calico.Bgp.Kernel.Rules;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>
/// Writes what egress wants of routes. Each way has a table: a default route over a group of next hops, in which a flow keeps its bucket
/// while others come and go, and behind it one that says unreachable. That one is there before any packet is led to the table, stands also
/// where the kernel drops the first with its links, and belongs to an owner of its own, because an owner has one route for a prefix.
/// </summary>
public sealed class EgressRouting(IRouteClaims claims, IKernelObjects objects)
{
    private const string Owner = "egress", Closed = "egress-closed";
    private const uint FirstTable = 700_000, FirstHop = 0x6267_0000, FirstGroup = 0x6268_0000, LastMetric = 1_000_000, MainTable = 254;
    private const int MostHops = 0xffff;
    private const ushort Buckets = 128;

    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    /// <summary>A bucket goes back to a next hop that has come back when nothing has passed it for this long, and never before.</summary>
    private static readonly Resilience Keeping = new(Buckets, TimeSpan.FromSeconds(120), TimeSpan.Zero);

    private readonly EgressNumbers hops = new();
    private readonly Dictionary<int, (IRouteClaim Ways, IRouteClaim Closed)> tables = [];
    private IObjectClaim? claim;
    private IRouteClaim? main;
    private EgressRoutes have = EgressRoutes.None, wanted = EgressRoutes.None;

    /// <summary>What is wanted is there when it ends, as far as the kernel takes it, and what was wanted before is there still.</summary>
    internal async Task PrepareAsync(EgressRoutes newer, CancellationToken stop)
    {
        if (newer == have && wanted == have) return;
        wanted = newer;
        claim ??= await objects.ClaimObjectsAsync(Owner, stop).ConfigureAwait(false);
        main ??= await claims.ClaimAsync(Owner, MainTable, stop).ConfigureAwait(false);
        foreach (var table in newer.Tables)
            if (!tables.ContainsKey(table.Number)) await BeginAsync(table.Number, stop).ConfigureAwait(false);
        hops.Keep(have.Tables.Concat(newer.Tables).SelectMany(table => table.Hops).Select(Word).Distinct(), MostHops);
        await WishAsync(newer, emptied: true, stop).ConfigureAwait(false);
        var before = Objects(have).ToDictionary(Key);
        foreach (var one in Objects(newer)) before[Key(one)] = one;
        await claim.WantAsync(before.Values, stop).ConfigureAwait(false);
        await WishAsync(newer, emptied: false, stop).ConfigureAwait(false);
    }

    /// <summary>What was wanted before and is not any more goes.</summary>
    internal async Task CleanAsync(CancellationToken stop)
    {
        if (claim == null || wanted == have) return;
        await claim.WantAsync([.. Objects(wanted)], stop).ConfigureAwait(false);
        foreach (var gone in tables.Keys.Except(wanted.Tables.Select(table => table.Number)).ToArray())
        {
            await tables[gone].Ways.FlushAsync(stop).ConfigureAwait(false);
            await tables[gone].Closed.FlushAsync(stop).ConfigureAwait(false);
            tables.Remove(gone);
        }
        hops.Keep(wanted.Tables.SelectMany(table => table.Hops).Select(Word).Distinct(), MostHops);
        have = wanted;
    }

    /// <summary>Nothing is wanted any more.</summary>
    public async Task EndAsync(CancellationToken stop = default)
    {
        if (claim == null) return;
        await PrepareAsync(EgressRoutes.None, stop).ConfigureAwait(false);
        await CleanAsync(stop).ConfigureAwait(false);
    }

    private async Task BeginAsync(int number, CancellationToken stop)
    {
        var table = FirstTable + (uint)number;
        var (ways, closed) = (await claims.ClaimAsync(Owner, table, stop).ConfigureAwait(false),
            await claims.ClaimAsync(Closed, table, stop).ConfigureAwait(false));
        tables[number] = (ways, closed);
        await closed.WishAsync(Array.ConvertAll(Families, family =>
            new RouteWish(Default(family), new(RouteType.Unreachable, [], LastMetric, table))), stop).ConfigureAwait(false);
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

    private static Prefix Host(Address address) => new(address, address.Family.Bits());

    private static Prefix Default(IpFamily family) => family == IpFamily.IPv4 ? Prefix.DefaultIPv4 : Prefix.DefaultIPv6;

    private static bool HasHops(EgressTable table, IpFamily family) => table.Hops.Any(hop => hop.Gateway!.Value.Family == family);

    private static uint Group(EgressTable table, IpFamily family) => FirstGroup + (2 * (uint)table.Number) + (uint)family;

    /// <summary>Next hops and groups are known by their numbers, rules by all that they say.</summary>
    private static object Key(KernelObject one) => one switch { NextHop hop => hop.Id, NextHopGroup group => group.Id, _ => one };

    private static string Word(RouteHop hop) => hop.ToString();

    private uint Hop(RouteHop hop) => FirstHop + (uint)hops.All[Word(hop)];

    private IEnumerable<KernelObject> Objects(EgressRoutes routes) =>
    [
        .. routes.Tables.SelectMany(table => table.Hops).Distinct()
            .Select(hop => new NextHop(Hop(hop), hop.Gateway!.Value.Family, hop.Gateway, hop.Interface) { OnLink = hop.OnLink }),
        .. from table in routes.Tables
           from family in Families
           where HasHops(table, family)
           select new NextHopGroup(Group(table, family),
               [.. table.Hops.Where(hop => hop.Gateway!.Value.Family == family).Select(hop => new NextHopShare(Hop(hop)))], Keeping),
        .. from table in routes.Tables
           from family in Families
           select new RoutingRule(family, (uint)routes.Priority, FirstTable + (uint)table.Number) { Mask = routes.Mask, Mark = table.Mark },
    ];
}
