using System.Collections.Immutable;
using Calico.Bgp.Kernel.Links;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel;

/// <summary>What a notification has changed, as far as others react to it.</summary>
internal enum ViewChange : byte
{
    None,
    /// <summary>Something is there, or is another than before: a refused route may be possible now.</summary>
    Some,
    /// <summary>A link went down or an address went away: the kernel may have dropped routes without a word.</summary>
    Loss,
}

/// <summary>
/// The kernel's links, addresses, neighbours and foreign routes, followed message by message; <see cref="Publish"/> makes a snapshot of
/// them. Of the foreign routes in other tables only those who look for a conflict hear.
/// </summary>
internal sealed class KernelView(uint table)
{
    private ImmutableDictionary<int, Link>.Builder links = KernelSnapshot.Empty.Links.ToBuilder();
    private ImmutableArray<LinkAddress> addresses = [];
    private ImmutableDictionary<(int, Address), Neighbour>.Builder neighbours = KernelSnapshot.Empty.Neighbours.ToBuilder();
    private ImmutableDictionary<(Prefix, uint, uint), ForeignRoute>.Builder routes = KernelSnapshot.Empty.Routes.ToBuilder();
    private Dictionary<RouteKey, ForeignRoute> elsewhere = [];
    private readonly Dictionary<RouteKey, ForeignRoute> beside = [];
    private bool changed;

    public KernelSnapshot Current { get; private set; } = KernelSnapshot.Empty;
    public int LinkCount => links.Count;
    public bool HasLink(int index) => links.ContainsKey(index);
    public int RouteCount => routes.Count + elsewhere.Count;

    /// <summary>Everything is read anew: what is not met again is gone.</summary>
    public void Clear()
    {
        links = KernelSnapshot.Empty.Links.ToBuilder();
        addresses = [];
        neighbours = KernelSnapshot.Empty.Neighbours.ToBuilder();
        routes = KernelSnapshot.Empty.Routes.ToBuilder();
        elsewhere = [];
        changed = true;
    }

    /// <summary>The next snapshot; false where nothing has changed since the last.</summary>
    public bool Publish(out KernelSnapshot snapshot)
    {
        snapshot = Current;
        if (!changed) return false;
        changed = false;
        Current = snapshot = new(Current.Version + 1, links.ToImmutable(), addresses, routes.ToImmutable())
        {
            Neighbours = neighbours.ToImmutable(),
        };
        return true;
    }

    public ViewChange TakeLink(ReadOnlySpan<byte> body, bool present, out int index)
    {
        index = 0;
        if (!LinkMessage.TryRead(body, out var link)) return ViewChange.None;
        index = link.Index;
        links.TryGetValue(link.Index, out var before);
        if (present)
        {
            if (link == before) return ViewChange.None;
            links[link.Index] = link;
            changed = true;
            return before is { IsUp: true } && !link.IsUp ? ViewChange.Loss : ViewChange.Some;
        }
        if (before == null) return ViewChange.None;
        links.Remove(link.Index);
        addresses = addresses.RemoveAll(address => address.Interface == link.Index);
        neighbours.RemoveRange(neighbours.Keys.Where(key => key.Item1 == link.Index).ToArray());
        changed = true;
        return ViewChange.Loss;
    }

    public ViewChange TakeAddress(ReadOnlySpan<byte> body, bool present, out int index)
    {
        index = 0;
        if (!AddressMessage.TryRead(body, out var address)) return ViewChange.None;
        index = address.Interface;
        var at = IndexOf(address);
        if (present && at >= 0 && addresses[at] == address) return ViewChange.None;
        if (!present && at < 0) return ViewChange.None;
        addresses = (present, at) switch
        {
            (true, < 0) => addresses.Add(address),
            (true, _) => addresses.SetItem(at, address),
            (false, _) => addresses.RemoveAt(at),
        };
        changed = true;
        return present ? ViewChange.Some : ViewChange.Loss;
    }

    /// <summary>The kernel tells addresses of a link apart by their prefix and other end too.</summary>
    private int IndexOf(LinkAddress address)
    {
        for (var i = 0; i < addresses.Length; i++)
            if (addresses[i] is var other && other.Interface == address.Interface && other.Address == address.Address
                && other.PrefixLength == address.PrefixLength && other.Opposite == address.Opposite) return i;
        return -1;
    }

    public void TakeNeighbour(ReadOnlySpan<byte> body, bool present)
    {
        if (!NeighbourMessage.TryRead(body, out var neighbour, out var known)) return;
        var key = (neighbour.Interface, neighbour.Address);
        if (!present || !known)
        {
            changed |= neighbours.Remove(key);
            return;
        }
        // Reachable, stale and back again every minute is no news.
        if (neighbours.TryGetValue(key, out var before) && before == neighbour) return;
        neighbours[key] = neighbour;
        changed = true;
    }

    /// <summary>Hops of others in routes of ours (IPv6).</summary>
    public IReadOnlyCollection<ForeignRoute> AllBeside => beside.Values;

    /// <summary>Set when one of <see cref="AllBeside"/> is another.</summary>
    public bool BesideChanged { get; set; } = true;

    public bool HasBeside(RouteKey key) => beside.Count > 0 && beside.ContainsKey(key);

    /// <param name="hops">Those of the route that are not ours.</param>
    /// <param name="protocol">Whose they are, where the kernel says so: of a whole route it says the first hop's. 0: it does not.</param>
    /// <returns>True where that is news.</returns>
    public bool TakeBeside(in RouteView route, RouteTarget hops, byte protocol)
    {
        var known = beside.GetValueOrDefault(route.Key);
        var told = new ForeignRoute(route.Prefix, hops, protocol != 0 ? protocol : known?.Protocol ?? 0, route.Scope, null);
        if (known == told) return false;
        beside[route.Key] = told;
        return BesideChanged = true;
    }

    /// <summary>Nothing of others is in our route any more, or nothing of ours in theirs.</summary>
    public ForeignRoute? ForgetBeside(RouteKey key)
    {
        if (beside.Count == 0 || !beside.Remove(key, out var was)) return null;
        BesideChanged = true;
        return was;
    }

    public ViewChange TakeRoute(in RouteView route, bool present) => present ? Add(route) : Remove(route);

    /// <summary>What was beside ours is all that is left there.</summary>
    public void Add(RouteKey key, ForeignRoute alone) => Set(key, alone);

    private ViewChange Add(in RouteView route)
    {
        var foreign = new ForeignRoute(route.Prefix, route.ToTarget(), route.Protocol, route.Scope, route.PreferredSource);
        if (Conflict(route.Key) is { } before && before == foreign) return ViewChange.None;
        if (route.Table != table) { elsewhere[route.Key] = foreign; return ViewChange.Some; }
        routes[(route.Prefix, route.Metric, route.Table)] = foreign;
        changed = true;
        return ViewChange.Some;
    }

    /// <summary>IPv6 takes the hops of a route away one by one, each with a message of its own.</summary>
    private ViewChange Remove(in RouteView route)
    {
        if (beside.GetValueOrDefault(route.Key) is { } merged)
        {
            ForgetBeside(route.Key);
            if (merged.Target.Without(route.ToTarget().Hops) is { Hops.Length: > 0 } left) TakeBeside(route, left, merged.Protocol);
            return ViewChange.Some;
        }
        if (Conflict(route.Key) is not { } before || before.Protocol != route.Protocol) return ViewChange.None;
        var rest = before.Target.Hops.Length > 1 && route.Family == IpFamily.IPv6 ? before.Target.Without(route.ToTarget().Hops) : null;
        if (rest is { Hops.Length: > 0 }) Set(route.Key, before with { Target = rest });
        else Forget(route.Key);
        return ViewChange.Some;
    }

    private void Set(RouteKey key, ForeignRoute route)
    {
        if (key.Table != table) { elsewhere[key] = route; return; }
        routes[(key.Prefix, key.Metric, key.Table)] = route;
        changed = true;
    }

    private void Forget(RouteKey key)
    {
        if (key.Table != table) { elsewhere.Remove(key); return; }
        changed |= routes.Remove((key.Prefix, key.Metric, key.Table));
    }

    /// <summary>Routes of that protocol in other tables, which are nobody's here.</summary>
    public IEnumerable<LeftRoute> Left(byte protocol) =>
        elsewhere.Where(one => one.Value.Protocol == protocol).Select(one => new LeftRoute(one.Key.Table, one.Key.Prefix, one.Key.Metric));

    /// <summary>The foreign route, of whatever table, that has this key.</summary>
    public ForeignRoute? Conflict(RouteKey key)
    {
        if (key.Table != table) return elsewhere.GetValueOrDefault(key);
        return routes.TryGetValue((key.Prefix, key.Metric, key.Table), out var found) ? found : null;
    }

    /// <summary>
    /// A reading of the routes through an interface (0: of all) has met only <paramref name="met"/>: the others are gone.
    /// </summary>
    public ViewChange Keep(IpFamily family, int through, HashSet<RouteKey> met) => Forget(
        (key, target) => key.Prefix.Family == family && (through == 0 || target.LeadsThrough(through)) && !met.Contains(key));

    /// <summary>Likewise of the routes of a table.</summary>
    public void KeepTable(IpFamily family, uint read, HashSet<RouteKey> met) =>
        Forget((key, _) => key.Table == read && key.Prefix.Family == family && !met.Contains(key));

    /// <summary>Next hops have been taken away, and the routes over them with them, of which IPv4 tells nothing.</summary>
    public void ForgetOver(IReadOnlySet<uint> hops) => Forget((_, target) => target.NextHop != 0 && hops.Contains(target.NextHop));

    private ViewChange Forget(Func<RouteKey, RouteTarget, bool> isGone)
    {
        var gone = routes.Select(pair => (Key: new RouteKey(pair.Key.Item1, pair.Key.Item2, pair.Key.Item3), pair.Value.Target))
            .Concat(elsewhere.Select(pair => (pair.Key, pair.Value.Target)))
            .Where(route => isGone(route.Key, route.Target)).Select(route => route.Key).ToArray();
        foreach (var key in gone) Forget(key);
        return gone.Length > 0 ? ViewChange.Some : ViewChange.None;
    }
}
