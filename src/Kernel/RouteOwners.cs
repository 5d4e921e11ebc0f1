using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Kernel;

/// <summary>What one owner wants of routes, and has. Nobody else's rows are touched by its wishes or its sweep.</summary>
internal sealed class OwnerRoutes(string name, Desired desired, RouteWriter writer, params IEnumerable<uint> tables)
{
    public string Name => name;
    public Desired Desired => desired;
    public RouteWriter Writer => writer;

    /// <summary>The tables that it has, or has had, routes in.</summary>
    public HashSet<uint> Tables { get; } = [.. tables];

    /// <summary>It has wished for all that it wants: what else is of ours in its tables is a leftover.</summary>
    public bool HasSwept { get; set; }

    public bool Shares(OwnerRoutes other) => other != this && other.Tables.Overlaps(Tables);
}

/// <summary>
/// Who our routes belong to. They all carry one protocol number, so the kernel tells only that one is ours: it is its who means its key
/// (prefix, metric, table), and where nobody does (an earlier run left it) his whose table it is. In a table of several owners that is the
/// first's (the speaker, or who claimed first), until another wishes for it; such leftovers stay until all owners of the table have swept.
/// </summary>
internal sealed class RouteOwners : IDisposable
{
    public const string Speaker = "speaker";

    private readonly List<OwnerRoutes> all = [];
    private readonly KernelView view;
    private readonly RouteBatch batch;
    private readonly ILogger log;
    private readonly TimeProvider clock;
    private readonly byte protocol;

    public RouteOwners(KernelOptions options, KernelView view, NetlinkSocket write, ILogger log, TimeProvider clock)
    {
        (this.view, this.log, this.clock, protocol) = (view, log, clock, options.Protocol);
        batch = new(write);
        First = Add(Speaker, options.Table);
    }

    /// <summary>The speaker: it has one route for a prefix, in whichever table that is to stand.</summary>
    public OwnerRoutes First { get; }

    public IReadOnlyList<OwnerRoutes> All => all;

    public OwnerRoutes Add(string name, uint table)
    {
        var desired = new Desired(protocol, clock);
        var owner = new OwnerRoutes(name, desired, new(desired, this, view, batch, log, clock), table);
        all.Add(owner);
        return owner;
    }

    public void Dispose()
    {
        foreach (var owner in all) owner.Desired.Dispose();
    }

    /// <summary>Whose a route is that the kernel holds under our protocol; null: nobody's, we never had anything in that table.</summary>
    public OwnerRoutes? Of(in RouteView route)
    {
        if (all.Count > 1)
            for (var i = 1; i < all.Count; i++)
                if (all[i].Tables.Contains(route.Table) && all[i].Desired.Means(route.Key)) return all[i];
        foreach (var owner in all)
            if (owner.Tables.Contains(route.Table)) return owner;
        return null;
    }

    /// <summary>Who else means a route of this key; null: nobody.</summary>
    public string? Holder(RouteKey key, Desired except)
    {
        if (all.Count == 1) return null;
        foreach (var owner in all)
            if (owner.Desired != except && owner.Desired.Holds(key)) return owner.Name;
        return null;
    }

    /// <summary>A route of one owner's is gone: who was refused the prefix for its sake is not to wait until he would ask again.</summary>
    public void Freed(Prefix prefix, Desired by)
    {
        if (all.Count == 1) return;
        foreach (var owner in all)
            if (owner.Desired != by) owner.Desired.Hasten(prefix);
    }

    /// <summary>Whether anybody else has a route of the prefix in the table, whatever its metric.</summary>
    public bool IsShared(Prefix prefix, uint table, Desired except) =>
        all.Count > 1 && all.Exists(owner => owner.Desired != except && owner.Tables.Contains(table) && owner.Desired.Has(prefix));

    public void Wish(OwnerRoutes owner, in RouteWish wish)
    {
        if (wish.Target is { } target && owner != First && Left(owner, wish.Prefix, target) is { } left)
            owner.Desired.Adopt(wish.Prefix, left);
        owner.Desired.Wish(wish);
    }

    /// <summary>It may be there already, left by the same owner's earlier run in a table that he shares with others.</summary>
    private RouteTarget? Left(OwnerRoutes owner, Prefix prefix, RouteTarget asked)
    {
        foreach (var other in all)
            if (other != owner && other.Tables.Contains(asked.Table) && other.Desired.GiveUp(prefix, asked) is { } left) return left;
        return null;
    }

    /// <returns>How many leftovers are to go.</returns>
    public int Sweep(OwnerRoutes owner)
    {
        owner.HasSwept = true;
        var ready = all.Where(one => one.HasSwept && all.TrueForAll(other => other.HasSwept || !other.Shares(one)));
        return ready.Sum(one => one.Desired.Sweep());
    }
}
