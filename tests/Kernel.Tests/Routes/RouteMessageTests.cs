using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static Calico.Bgp.Kernel.Tests.Live.Wishes;

namespace Calico.Bgp.Kernel.Tests.Routes;

/// <summary>The octets are what <c>ip</c> 6.1 sends for the command above them (strace -e write=all), with nlmsg_seq 1.</summary>
public class RouteMessageTests
{
    private const int Link = 3;
    private const NetlinkFlags Create = NetlinkFlags.Create | NetlinkFlags.Exclusive | NetlinkFlags.Ack;

    private static string Add(string prefix, RouteTarget target, NetlinkFlags flags = Create)
    {
        var at = Prefix.Parse(prefix);
        return Written(MessageType.NewRoute, flags, at, RouteMessage.New(target.AsKept(at.Family), at.Family, 12));
    }

    private static string Delete(string prefix, RouteTarget target)
    {
        var at = Prefix.Parse(prefix);
        return Written(MessageType.DelRoute, NetlinkFlags.Ack, at, RouteMessage.Delete(target.AsKept(at.Family), at.Family, 12));
    }

    private static string Written(ushort type, NetlinkFlags flags, Prefix prefix, RouteForm form)
    {
        var octets = new byte[RouteMessage.Octets(form)];
        return Octets.Text(octets.AsSpan(0, RouteMessage.Write(octets, type, flags, 1, prefix, form)));
    }

    private static void Same(string expected, string octets) => Assert.Equal(Octets.Text(Octets.Of(expected)), octets);

    // ip route add 192.0.2.0/24 via 10.0.0.2 metric 32 table 1000 dev a0 proto 12
    [Fact]
    public void A_gateway_with_metric_and_a_large_table() => Same(
        "44000000 1800 0506 01000000 00000000  02 18 00 00 00 0c 00 01 00000000  08000100 c0000200  08000500 0a000002"
        + "08000600 20000000  08000f00 e8030000  08000400 03000000",
        Add("192.0.2.0/24", Via("10.0.0.2", Link) with { Metric = 32, Table = 1000 }));

    // ip route add default via 10.0.0.2 proto 12
    [Fact]
    public void The_default_route_has_no_destination() => Same(
        "24000000 1800 0506 01000000 00000000  02 00 00 00 fe 0c 00 01 00000000  08000500 0a000002",
        Add("0.0.0.0/0", Via("10.0.0.2")));

    // ip route replace 192.0.2.0/24 via 10.0.0.2 proto 12
    [Fact]
    public void A_replacement_differs_in_its_flags() => Same(
        "2c000000 1800 0505 01000000 00000000  02 18 00 00 fe 0c 00 01 00000000  08000100 c0000200  08000500 0a000002",
        Add("192.0.2.0/24", Via("10.0.0.2"), NetlinkFlags.Create | NetlinkFlags.Replace | NetlinkFlags.Ack));

    // ip route add 192.0.2.0/24 dev a0 proto 12
    [Fact]
    public void A_route_straight_onto_a_link_has_scope_link() => Same(
        "2c000000 1800 0506 01000000 00000000  02 18 00 00 fe 0c fd 01 00000000  08000100 c0000200  08000400 03000000",
        Add("192.0.2.0/24", Straight(Link)));

    // ip route add 192.0.9.0/24 via 10.9.9.9 dev a0 onlink proto 12
    [Fact]
    public void On_link_is_a_flag_of_the_route() => Same(
        "34000000 1800 0506 01000000 00000000  02 18 00 00 fe 0c 00 01 04000000  08000100 c0000900  08000500 0a090909  08000400 03000000",
        Add("192.0.9.0/24", Over(Hop("10.9.9.9", Link, onLink: true))));

    // ip route add 192.0.3.0/24 via inet6 fe80::2 dev a0 proto 12
    [Fact]
    public void An_IPv6_gateway_of_an_IPv4_route_goes_into_RTA_VIA() => Same(
        "44000000 1800 0506 01000000 00000000  02 18 00 00 fe 0c 00 01 00000000  08000100 c0000300"
        + "16001200 0a00 fe800000000000000000000000000002 0000  08000400 03000000",
        Add("192.0.3.0/24", Via("fe80::2", Link)));

    // ip route add blackhole 192.0.4.0/24 proto 12
    [Fact]
    public void A_blackhole_has_a_type_and_no_way_out() => Same(
        "24000000 1800 0506 01000000 00000000  02 18 00 00 fe 0c 00 06 00000000  08000100 c0000400",
        Add("192.0.4.0/24", Nowhere()));

    // ip route add 192.0.5.0/24 proto 12 metric 32 nexthop via 10.0.0.2 dev a0 weight 2 nexthop via inet6 fe80::3 dev a0 onlink
    [Fact]
    public void Several_hops_are_nested_with_weights_and_flags() => Same(
        "60000000 1800 0506 01000000 00000000  02 18 00 00 fe 0c 00 01 00000000  08000100 c0000500  08000600 20000000"
        + "34000900  1000 00 01 03000000 08000500 0a000002"
        + "2000 04 00 03000000 16001200 0a00 fe800000000000000000000000000003 0000",
        Add("192.0.5.0/24", Over(Hop("10.0.0.2", Link, weight: 2), Hop("fe80::3", Link, onLink: true)) with { Metric = 32 }));

    // ip -6 route add 2001:db8::/32 via fd00::2 metric 1024 dev a0 proto 12
    [Fact]
    public void IPv6_gets_its_default_metric_in_words() => Same(
        "54000000 1800 0506 01000000 00000000  0a 20 00 00 fe 0c 00 01 00000000  14000100 20010db8000000000000000000000000"
        + "14000500 fd000000000000000000000000000002  08000600 00040000  08000400 03000000",
        Add("2001:db8::/32", Via("fd00::2", Link)));

    // ip -6 route add 2001:db9::/32 proto 12 metric 1024 nexthop via fd00::2 dev a0 nexthop via fd00::3 dev a0
    [Fact]
    public void IPv6_hops_are_nested_like_IPv4s() => Same(
        "74000000 1800 0506 01000000 00000000  0a 20 00 00 fe 0c 00 01 00000000  "
            + "14000100 20010db9000000000000000000000000  08000600 00040000"
        + "3c000900  1c00 00 00 03000000 14000500 fd000000000000000000000000000002"
        + "1c00 00 00 03000000 14000500 fd000000000000000000000000000003",
        Add("2001:db9::/32", Over(Hop("fd00::2", Link), Hop("fd00::3", Link))));

    // ip -6 route add unreachable 2001:dba::/32 metric 1024 proto 12
    [Fact]
    public void Unreachable_is_the_kernels_type_7() => Same(
        "38000000 1800 0506 01000000 00000000  0a 20 00 00 fe 0c 00 07 00000000  "
            + "14000100 20010dba000000000000000000000000  08000600 00040000",
        Add("2001:dba::/32", Nowhere(RouteType.Unreachable)));

    // ip route del 192.0.2.0/24 metric 32 table 1000 proto 12
    [Fact]
    public void A_deletion_names_key_and_protocol_only() => Same(
        "34000000 1900 0500 01000000 00000000  02 18 00 00 00 0c ff 00 00000000  08000100 c0000200  08000600 20000000  08000f00 e8030000",
        Delete("192.0.2.0/24", Via("10.0.0.2", Link) with { Metric = 32, Table = 1000 }));

    // ip -6 route del 2001:db8::/32 via fd00::2 metric 1024 dev a0 proto 12
    [Fact]
    public void An_IPv6_deletion_names_its_gateway() => Same(
        "54000000 1900 0500 01000000 00000000  0a 20 00 00 fe 0c ff 00 00000000  14000100 20010db8000000000000000000000000"
        + "14000500 fd000000000000000000000000000002  08000600 00040000  08000400 03000000",
        Delete("2001:db8::/32", Via("fd00::2", Link)));

    // ip route show table all
    [Fact]
    public void A_dump_asks_for_a_family() => Same(
        "1c000000 1a00 0103 01000000 00000000  02 00 00 00 00 00 00 00 00000000",
        Octets.Text(RouteMessage.Dump(IpFamily.IPv4).Numbered(1).Span));

    private static readonly Gen<Address> SomeIPv4 = Gen.Choose(0, int.MaxValue).Select(bits => Address.FromIPv4((uint)bits));
    private static readonly Gen<Address> SomeIPv6 =
        Gen.Choose(0, int.MaxValue).Two().Select(x => new Address(new UInt128((ulong)(uint)x.Item1 << 20, (ulong)x.Item2), IpFamily.IPv6));

    private static Gen<RouteHop> SomeHop(Gen<Address> gateway) =>
        from address in gateway
        from direct in Gen.Choose(0, 3)
        from link in Gen.Choose(0, 9)
        from weight in Gen.Choose(1, 256)
        from onLink in ArbMap.Default.GeneratorFor<bool>()
        select new RouteHop(direct == 0 ? null : address, direct == 0 ? link + 1 : link, weight, onLink);

    private static Gen<(Prefix Prefix, RouteTarget Target)> SomeRoute(IpFamily family) =>
        from address in family == IpFamily.IPv4 ? SomeIPv4 : SomeIPv6
        from length in Gen.Choose(0, family.Bits())
        from type in Gen.Elements(RouteType.Unicast, RouteType.Unicast, RouteType.Blackhole, RouteType.Unreachable, RouteType.Prohibit)
        from hops in SomeHop(family == IpFamily.IPv4 ? Gen.OneOf(SomeIPv4, SomeIPv6) : SomeIPv6).NonEmptyListOf()
        from metric in Gen.Choose(0, int.MaxValue)
        from table in Gen.Elements(1u, 254u, 256u, 1000u, uint.MaxValue)
        select (new Prefix(address, length), new RouteTarget(type, [.. hops], (uint)metric, table).AsKept(family));

    private static class Arbitraries
    {
        public static Arbitrary<(Prefix Prefix, RouteTarget Target)> Routes() =>
            Gen.OneOf(SomeRoute(IpFamily.IPv4), SomeRoute(IpFamily.IPv6)).ToArbitrary();
    }

    [Property(Arbitrary = [typeof(Arbitraries)])]
    public void What_is_written_is_read_back_the_same((Prefix Prefix, RouteTarget Target) route)
    {
        var form = RouteMessage.New(route.Target, route.Prefix.Family, 12);
        var octets = new byte[RouteMessage.Octets(form)];
        var length = RouteMessage.Write(octets, MessageType.NewRoute, Create, 7, route.Prefix, form);
        var messages = new NetlinkReader(octets.AsSpan(0, length));
        Assert.True(messages.Next(out var header, out var body));
        Assert.Equal(((uint)length, MessageType.NewRoute, 7u), (header.Length, header.Type, header.Sequence));
        Assert.True(RouteView.TryRead(body, out var read));
        Assert.Equal((route.Prefix, (byte)12), (read.Prefix, read.Protocol));
        Assert.Equal(route.Target, read.ToTarget().AsKept(route.Prefix.Family));
        Assert.True(read.Satisfies(route.Target));
        Assert.False(messages.Next(out _, out _));
    }

    [Property]
    public void No_octets_make_the_readers_throw(byte[] octets)
    {
        foreach (var first in (byte[])[0, 2, 10])
        {
            byte[] body = [first, .. octets];
            if (RouteView.TryRead(body, out var route)) route.ToTarget();
            Kernel.Links.LinkMessage.TryRead(body, out _);
            Kernel.Links.AddressMessage.TryRead(body, out _);
            Kernel.Neighbours.NeighbourMessage.TryRead(body, out _, out _);
            _ = new NetlinkAnswer(new NetlinkHeader(0, 2, (NetlinkFlags)0x300, 0, 0), body).Words;
        }
    }
}
