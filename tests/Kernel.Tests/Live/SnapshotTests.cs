using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>Links, addresses, neighbours and foreign routes, as told by notification.</summary>
public class SnapshotTests
{
    [NeedsFact(Needs.Namespaces)]
    public async Task The_first_snapshot_shows_what_is_there()
    {
        using var ns = new NetworkNamespace();
        ns.Batch("""
            route add 198.51.100.0/24 via 10.0.1.2 proto static metric 5 src 10.0.1.1
            route add blackhole 198.51.101.0/24 proto static
            route add 198.51.102.0/24 via 10.0.1.2 table 77
            neighbour add 10.0.0.2 lladdr 02:00:00:00:00:01 dev a0
            """);
        await using var loop = await ns.StartAsync();
        var snapshot = loop.Current;
        var link = snapshot.Links[ns.A];
        Assert.Equal(("a0", 1500, true, true, false), (link.Name, link.Mtu, link.IsUp, link.HasCarrier, link.IsLoopback));
        Assert.Contains(new LinkAddress(ns.A, Address.Parse("10.0.0.1"), 24, null, 0, false), snapshot.Addresses);
        Assert.Contains(new LinkAddress(ns.A, Address.Parse("fd00::1"), 64, null, 0, false), snapshot.Addresses);
        Assert.Equal(
            new ForeignRoute(Prefix.Parse("198.51.100.0/24"), new(RouteType.Unicast, [new(Address.Parse("10.0.1.2"), ns.B)], 5), 4, 0,
            Address.Parse("10.0.1.1")),
            snapshot.Routes[(Prefix.Parse("198.51.100.0/24"), 5, 254)]);
        Assert.Equal(RouteType.Blackhole, snapshot.Routes[(Prefix.Parse("198.51.101.0/24"), 0, 254)].Target.Type);
        var connected = snapshot.Routes[(Prefix.Parse("10.0.0.0/24"), 0, 254)];
        Assert.Equal((2, 253), (connected.Protocol, connected.Scope));
        Assert.DoesNotContain(snapshot.Routes.Keys, key => key.Table != 254);
        Assert.Equal(new MacAddress(0x020000000001), snapshot.Neighbours[(ns.A, Address.Parse("10.0.0.2"))].Mac);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Each_change_makes_a_new_snapshot_with_a_higher_version()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var told = new List<KernelSnapshot>();
        loop.Changed += snapshot => { lock (told) told.Add(snapshot); };
        KernelSnapshot[] Told() { lock (told) return [.. told]; }
        var before = loop.Current;

        ns.Ip("link set b0 down");
        await Until.TrueAsync(() => !loop.Current.Links[ns.B].IsUp);
        ns.Ip("address add 10.9.0.1/16 dev a0");
        await Until.TrueAsync(() => loop.Current.Addresses.Any(address => address.Address == Address.Parse("10.9.0.1")));
        ns.Ip("address del 10.9.0.1/16 dev a0");
        await Until.TrueAsync(() => loop.Current.Addresses.All(address => address.Address != Address.Parse("10.9.0.1")));
        ns.Ip("route add 198.51.100.0/24 via 10.0.0.2 proto static");
        await Until.TrueAsync(() => loop.Current.Routes.ContainsKey((Prefix.Parse("198.51.100.0/24"), 0, 254)));
        ns.Ip("route del 198.51.100.0/24");
        await Until.TrueAsync(() => !loop.Current.Routes.ContainsKey((Prefix.Parse("198.51.100.0/24"), 0, 254)));
        ns.Ip("neighbour add 10.0.0.2 lladdr 02:00:00:00:00:01 dev a0");
        await Until.TrueAsync(() => loop.Current.Neighbours.ContainsKey((ns.A, Address.Parse("10.0.0.2"))));
        ns.Ip("link add c0 type veth peer name c1");
        await Until.TrueAsync(() => loop.Current.Links.Values.Any(link => link.Name == "c1"));

        Assert.True(before.Links[ns.B].IsUp);
        var all = Told();
        Assert.Equal(all.Select(snapshot => snapshot.Version).Order().Distinct(), all.Select(snapshot => snapshot.Version));
        Assert.All(all, snapshot => Assert.True(snapshot.Version > before.Version));
        await Until.TrueAsync(() => ReferenceEquals(loop.Current, Told()[^1]));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Own_routes_are_no_part_of_the_snapshot()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var before = loop.Current;
        await loop.Have("192.0.2.0/24", Wishes.Via("10.0.0.2"));
        ns.Ip("route del 192.0.2.0/24");
        await Until.EqualAsync(2L, () => loop.Status.Writes);
        Assert.DoesNotContain(loop.Current.Routes.Keys, key => key.Prefix == Prefix.Parse("192.0.2.0/24"));
        Assert.Equal(before.Routes.Count, loop.Current.Routes.Count);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task IPv6_hops_of_a_foreign_route_come_and_go_one_by_one()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var key = (Prefix.Parse("2001:db8::/32"), 1024u, 254u);
        ns.Ip("-6 route add 2001:db8::/32 via fd00::2 proto static");
        ns.Ip("-6 route append 2001:db8::/32 via fd00::3 proto static");
        await Until.EqualAsync(2, () => loop.Current.Routes.GetValueOrDefault(key)?.Target.Hops.Length);
        ns.Ip("-6 route del 2001:db8::/32 via fd00::2");
        await Until.EqualAsync($"via fd00::3 dev {ns.A} metric 1024", () => loop.Current.Routes.GetValueOrDefault(key)?.Target.ToString());
        ns.Ip("-6 route del 2001:db8::/32");
        await Until.TrueAsync(() => !loop.Current.Routes.ContainsKey(key));
    }
}
