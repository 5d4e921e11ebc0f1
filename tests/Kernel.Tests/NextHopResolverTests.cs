using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Tests;

public class NextHopResolverTests
{
    private const uint Up = 1, Carrier = 0x10000;
    private const int A = 2, B = 3, Dead = 4, Downed = 5;

    private static readonly KernelSnapshot Snapshot = Make(
        "10.0.0.0/24 dev 2", "10.0.1.0/24 dev 3", "10.0.4.0/24 dev 4",
        "0.0.0.0/0 via 10.0.0.254 dev 2", "172.16.0.0/12 via 10.0.1.254 dev 3", "172.20.0.0/16 blackhole",
        "172.21.0.0/16 via 10.0.4.1 dev 4", "172.22.0.0/16 via 10.0.4.1 dev 4 metric 5", "172.22.0.0/16 via 10.0.0.7 dev 2 metric 9",
        "172.23.0.0/16 via 10.0.0.5 dev 2 via 10.0.1.5 dev 3", "10.65.0.7/32 dev 3",
        "fd00::/64 dev 2 metric 256", "2001:db8::/32 via fe80::9 dev 3 metric 1024");

    private static KernelSnapshot Make(params string[] routes) => new(
        1,
        new[] { Link(1, Up | Carrier | 8), Link(A, Up | Carrier), Link(B, Up | Carrier), Link(Dead, Up),
        Link(Downed, 0) }.ToImmutableDictionary(link => link.Index),
        [Own(A, "10.0.0.1", 24), Own(B, "10.0.1.1", 24), Own(A, "fd00::1", 64), Own(B, "192.168.9.1", 24)],
        routes.Select(Route).ToImmutableDictionary(route => (route.Prefix, route.Target.Metric, route.Target.Table)));

    private static Link Link(int index, uint flags) => new(index, $"eth{index}", flags, 1500, 0, null);

    private static LinkAddress Own(int link, string address, int length) => new(link, Address.Parse(address), length, null, 0, false);

    /// <summary>PREFIX [blackhole] [via GATEWAY] dev LINK … [metric METRIC], as ip route would write it.</summary>
    private static ForeignRoute Route(string text)
    {
        var words = text.Split(' ');
        var (type, metric, hops) = (RouteType.Unicast, 0u, ImmutableArray.CreateBuilder<RouteHop>());
        Address? gateway = null;
        for (var i = 1; i < words.Length; i++)
        {
            if (words[i] == "blackhole") type = RouteType.Blackhole;
            if (words[i] == "via") gateway = Address.Parse(words[i + 1]);
            if (words[i] == "metric") metric = uint.Parse(words[i + 1]);
            if (words[i] != "dev") continue;
            hops.Add(new(gateway, int.Parse(words[i + 1])));
            gateway = null;
        }
        return new(Prefix.Parse(words[0]), new(type, hops.ToImmutable(), metric), 4, 0, null);
    }

    private static Resolution Resolve(string nextHop, int onInterface = 0) =>
        new NextHopResolver(Snapshot).Resolve(Address.Parse(nextHop), onInterface);

    private static void Leads(string nextHop, string via, string hops, bool connected, uint metric = 0, int onInterface = 0)
    {
        var found = Resolve(nextHop, onInterface);
        Assert.Equal((true, connected, false, metric), (found.Resolvable, found.Connected, found.OwnAddress, found.Metric));
        Assert.Equal((Prefix.Parse(via), hops, found.Hops[0].Interface),
            (found.Via!.Value, string.Join(" and ", found.Hops), found.Interface));
    }

    [Fact]
    public void A_next_hop_on_a_link_is_its_own_gateway() => Leads("10.0.0.9", "10.0.0.0/24", "via 10.0.0.9 dev 2", connected: true);

    [Fact]
    public void A_host_route_onto_a_link_connects_too() => Leads("10.65.0.7", "10.65.0.7/32", "via 10.65.0.7 dev 3", connected: true);

    [Fact]
    public void A_subnet_without_a_route_of_its_own_counts() =>
        Leads("192.168.9.7", "192.168.9.0/24", "via 192.168.9.7 dev 3", connected: true);

    [Fact]
    public void A_distant_next_hop_takes_the_covering_routes_gateway() =>
        Leads("172.17.0.1", "172.16.0.0/12", "via 10.0.1.254 dev 3", connected: false);

    [Fact]
    public void A_covering_route_with_several_hops_gives_them_all() =>
        Leads("172.23.0.1", "172.23.0.0/16", "via 10.0.0.5 dev 2 and via 10.0.1.5 dev 3", connected: false);

    [Fact]
    public void The_default_route_covers_the_rest() => Leads("192.0.2.1", "0.0.0.0/0", "via 10.0.0.254 dev 2", connected: false);

    [Fact]
    public void IPv6_follows_the_same_rules()
    {
        Leads("fd00::9", "fd00::/64", "via fd00::9 dev 2", connected: true, metric: 256);
        Leads("2001:db8::1", "2001:db8::/32", "via fe80::9 dev 3", connected: false, metric: 1024);
        Assert.Equal(Resolution.Unresolvable, Resolve("3fff::1"));
    }

    [Fact]
    public void Of_two_metrics_the_lower_one_with_a_live_link_is_taken() =>
        Leads("172.22.0.1", "172.22.0.0/16", "via 10.0.0.7 dev 2", connected: false, metric: 9);

    [Fact]
    public void An_interface_may_be_asked_for()
    {
        Leads("172.23.0.1", "172.23.0.0/16", "via 10.0.1.5 dev 3", connected: false, onInterface: B);
        Assert.False(Resolve("10.0.0.9", B).Resolvable);
    }

    [Theory]
    [InlineData("172.20.0.1", "172.20.0.0/16", Bar.Blackhole)]
    [InlineData("172.21.0.1", "172.21.0.0/16", Bar.LinkDown)]  // through a link without carrier
    [InlineData("10.0.4.9", "10.0.4.0/24", Bar.LinkDown)]      // on a link without carrier
    [InlineData("0.0.0.0", null, Bar.NotUnicast)]
    [InlineData("224.0.0.5", null, Bar.NotUnicast)]
    [InlineData("fe80::1", null, Bar.NoLink)]                  // on which link?
    [InlineData("2002::1", null, Bar.NoRoute)]
    public void Not_resolvable_whatever_covers_it_and_says_why(string nextHop, string? by, Bar bar)
    {
        Assert.Equal(Resolution.Unresolvable with { Via = by == null ? null : Prefix.Parse(by) }, Resolve(nextHop));
        Assert.Equal(bar, Resolve(nextHop).Bar);
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("fd00::1")]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Own_addresses_are_told_apart(string nextHop) =>
        Assert.Equal((false, true), (Resolve(nextHop).Resolvable, Resolve(nextHop).OwnAddress));

    [Fact]
    public void A_link_local_next_hop_needs_a_link_that_is_up()
    {
        Leads("fe80::1", "fe80::/64", "via fe80::1 dev 2", connected: true, onInterface: A);
        Assert.False(Resolve("fe80::1", Dead).Resolvable);
        Assert.False(Resolve("fe80::1", Downed).Resolvable);
        Assert.False(Resolve("fe80::1", 99).Resolvable);
    }

    [Fact]
    public void A_snapshot_that_differs_in_neighbours_only_keeps_its_resolver()
    {
        var resolver = new NextHopResolver(Snapshot);
        var neighbour = new Neighbour(A, Address.Parse("10.0.0.9"), null, false);
        Assert.Same(resolver, resolver.For(Snapshot with
        {
            Version = 2,
            Neighbours = Snapshot.Neighbours.Add((A, neighbour.Address), neighbour)
        }));
        Assert.NotSame(resolver, resolver.For(Snapshot with { Links = Snapshot.Links.Remove(A) }));
    }

    [Fact]
    public void The_subnet_of_a_link_that_was_set_down_does_not_hide_the_route_that_leads_there()
    {
        var withSubnet = Snapshot with { Addresses = Snapshot.Addresses.Add(Own(Downed, "10.0.5.1", 24)) };
        var found = new NextHopResolver(withSubnet).Resolve(Address.Parse("10.0.5.9"));
        Assert.Equal((true, A, (Prefix?)Prefix.Parse("0.0.0.0/0")), (found.Resolvable, found.Interface, found.Via));
    }

    [Fact]
    public void The_subnet_of_a_link_that_has_lost_its_carrier_does()
    {
        var withSubnet = Snapshot with { Addresses = Snapshot.Addresses.Add(Own(Dead, "10.0.5.1", 24)) };
        Assert.False(new NextHopResolver(withSubnet).Resolve(Address.Parse("10.0.5.9")).Resolvable);
    }
}
