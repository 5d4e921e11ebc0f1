using System.Collections.Immutable;
using System.Net;

namespace Calico.Bgp.Conformance.Bird;

/// <summary>The interpreter itself: each construct that Calico's configurations use, once for each way it can go.</summary>
public class FilterTests
{
    private static BirdRoute Plain(string net = "10.1.2.0/24") => new(IPNetwork.Parse(net), Source.RTS_STATIC);

    private static BirdRoute Rich() => new BirdRoute(IPNetwork.Parse("10.1.2.0/24"), Source.RTS_BGP)
        .With("ifname", "vxlan.calico").With("krt_metric", 1024u).With("bgp_local_pref", 200u)
            .With("bgp_next_hop", IPAddress.Parse("192.0.2.1"))
        .With("bgp_path", ImmutableArray.Create(65000u, 65001u)).With("bgp_community", ImmutableArray.Create(new Community(65000, 100)))
        .With("bgp_large_community", ImmutableArray.Create(new LargeCommunity(65000, 1, 2)));

    private static bool Accepts(string body, BirdRoute route, string functions = "")
    {
        var config = BirdConfig.Parse($"{functions} filter f {{ {body} }}");
        return config.Accepts(config.Filter("f"), route);
    }

    private static bool Holds(string condition, BirdRoute route) => Accepts($"if ({condition}) then accept; reject;", route);

    private static BirdRoute After(string body, BirdRoute route, string functions = "")
    {
        Assert.True(Accepts(body + " accept;", route, functions));
        return route;
    }

    [Theory]
    [InlineData("net = 10.1.2.0/24", true)]
    [InlineData("net = 10.1.0.0/16", false)]
    [InlineData("net != 10.1.2.0/24", false)]
    [InlineData("net != 10.1.0.0/16", true)]
    [InlineData("net ~ 10.1.0.0/16", true)]
    [InlineData("net ~ 10.1.2.0/24", true)]
    [InlineData("net ~ 10.1.2.0/25", false)]
    [InlineData("net ~ 10.2.0.0/16", false)]
    [InlineData("net !~ 10.1.0.0/16", false)]
    [InlineData("net !~ 2001:db8::/32", true)]
    [InlineData("net ~ [ 10.0.0.0/8{24,32} ]", true)]
    [InlineData("net ~ [ 10.0.0.0/8{25,32} ]", false)]
    [InlineData("net ~ [ 10.0.0.0/8{8,23} ]", false)]
    [InlineData("net ~ [ 11.0.0.0/8{8,32} ]", false)]
    [InlineData("net ~ [ 11.0.0.0/8{8,32}, 10.1.2.0/24 ]", true)]
    [InlineData("net ~ [ 10.1.0.0/16 ]", false)]
    [InlineData("net !~ [ 10.0.0.0/8{24,32} ]", false)]
    [InlineData("net ~ [ 10.1.2.64/26{20,26} ]", true)]   // shorter than the pattern: the bits that both have
    [InlineData("net ~ [ 10.1.3.64/26{20,26} ]", false)]
    public void Prefixes(string condition, bool holds) => Assert.Equal(holds, Holds(condition, Plain()));

    [Theory]
    [InlineData("net ~ 2001:db8::/32", true)]
    [InlineData("net ~ [ 2001:db8::/32{33,48} ]", true)]
    [InlineData("net = ::/0", false)]
    [InlineData("net ~ ::/0", true)]
    [InlineData("net ~ 0.0.0.0/0", false)]
    public void Prefixes_of_IPv6(string condition, bool holds) => Assert.Equal(holds, Holds(condition, Plain("2001:db8:1::/48")));

    [Theory]
    [InlineData("ifname ~ \"vxlan.calico\"", true)]
    [InlineData("ifname ~ \"*.calico\"", true)]
    [InlineData("ifname ~ \"vxlan?calico\"", true)]
    [InlineData("ifname ~ \"*.cali\"", false)]
    [InlineData("ifname ~ \"vxlanXcalico\"", false)]
    [InlineData("ifname ~ \"*\"", true)]
    [InlineData("defined(ifname)", true)]
    [InlineData("source = RTS_BGP", true)]
    [InlineData("source = RTS_STATIC", false)]
    [InlineData("source ~ [ RTS_BGP ]", true)]
    [InlineData("source ~ [ RTS_STATIC, RTS_DEVICE ]", false)]
    [InlineData("krt_metric < 1024", false)]
    [InlineData("krt_metric <= 1024", true)]
    [InlineData("krt_metric > 1023", true)]
    [InlineData("krt_metric >= 1025", false)]
    [InlineData("bgp_local_pref = 200", true)]
    [InlineData("bgp_local_pref != 200", false)]
    [InlineData("2147483647 - bgp_local_pref = 2147483447", true)]
    [InlineData("bgp_local_pref + 1 = 201", true)]
    [InlineData("bgp_next_hop ~ 192.0.2.0/24", true)]
    [InlineData("bgp_next_hop ~ 198.51.100.0/24", false)]
    [InlineData("bgp_next_hop = 192.0.2.1", true)]
    [InlineData("bgp_path ~ [= 65000 * =]", true)]
    [InlineData("bgp_path ~ [= 65000 65001 * =]", true)]
    [InlineData("bgp_path ~ [= 65001 * =]", false)]
    [InlineData("bgp_path ~ [= 65000 =]", false)]
    [InlineData("bgp_path ~ [= * 65001 =]", true)]
    [InlineData("bgp_path ~ [= 65000 65001 65002 * =]", false)]
    [InlineData("(65000, 100) ~ bgp_community", true)]
    [InlineData("(65000, 101) ~ bgp_community", false)]
    [InlineData("(65000, 1, 2) ~ bgp_large_community", true)]
    [InlineData("(65000, 1, 3) ~ bgp_large_community", false)]
    public void Attributes(string condition, bool holds) => Assert.Equal(holds, Holds(condition, Rich()));

    [Theory]
    [InlineData("true && false", false)]
    [InlineData("true || false", true)]
    [InlineData("!false", true)]
    [InlineData("!(true && true)", false)]
    [InlineData("true || true && false", true)]                       // && binds more tightly
    [InlineData("defined(krt_metric) && krt_metric < 5", false)]      // the right side is not asked
    [InlineData("!defined(krt_metric) || krt_metric < 5", true)]
    [InlineData("defined(bgp_next_hop)", false)]
    [InlineData("bgp_path ~ [= * =]", true)]                          // lists that are not there are empty
    [InlineData("(1, 2) ~ bgp_community", false)]
    public void Logic(string condition, bool holds) => Assert.Equal(holds, Holds(condition, Plain()));

    [Theory]
    [InlineData("if true then accept; reject;", true)]
    [InlineData("if false then accept; reject;", false)]
    [InlineData("if false then accept; else reject;", false)]
    [InlineData("if false then reject; else if true then accept; else reject;", true)]
    [InlineData("if true then { accept; } reject;", true)]
    [InlineData("if true then if false then reject; else accept;", true)] // else belongs to the nearest if
    [InlineData("inner(true); reject;", true)]
    [InlineData("inner(false); accept;", false)]
    [InlineData("early(); accept;", true)]
    [InlineData("outer(); reject;", true)]
    public void Flows(string body, bool accepts) => Assert.Equal(accepts, Accepts(body, Plain(), """
        function inner(bool good) { if good then accept; reject; }
        function early() { return; reject; }
        function outer() { early(); 'quoted-name'(); reject; }
        function 'quoted-name'() { accept; }
        """));

    [Fact]
    public void Assignments_change_the_route_also_from_within_calls()
    {
        var route = After("krt_metric = 2147483647 - bgp_local_pref; change(7); krt_tunnel = \"tunl0\"; preference = 200;", Rich(),
            "function change(int by) int twice; { twice = by + by; bgp_local_pref = bgp_local_pref + twice; }");
        Assert.Equal((2147483447u, 214u, "tunl0", 200u),
            (route.Get<uint>("krt_metric"), route.Get<uint>("bgp_local_pref"), route.Get<string>("krt_tunnel"),
                route.Get<uint>("preference")));
    }

    [Fact]
    public void A_rejected_change_is_made_all_the_same()
    {
        var route = Rich();
        Assert.False(Accepts("bgp_local_pref = 5; reject;", route));
        Assert.Equal(5u, route.Get<uint>("bgp_local_pref"));
    }

    [Fact]
    public void Numbers_wrap_at_32_bits() => Assert.True(Holds("1 - 2 = 4294967295", Plain()));

    [Fact]
    public void Lists_grow()
    {
        var route = After("""
            bgp_path.prepend(65010); bgp_path.prepend(65009);
            bgp_community.add((65000, 100)); bgp_community.add((1, 2)); bgp_large_community.add((1, 2, 3));
            """, Rich());
        Assert.Equal("65009 65010 65000 65001", string.Join(' ', route.Get<ImmutableArray<uint>>("bgp_path")));
        Assert.Equal("65000:100 1:2", string.Join(' ', route.Get<ImmutableArray<Community>>("bgp_community")));
        Assert.Equal("65000:1:2 1:2:3", string.Join(' ', route.Get<ImmutableArray<LargeCommunity>>("bgp_large_community")));
    }

    [Theory]
    [InlineData("print \"x\"; accept;")]
    [InlineData("case net { } accept;")]
    [InlineData("unknown(); accept;")]
    [InlineData("bgp_origin = 1; accept;")]
    [InlineData("if bgp_origin = 1 then accept; reject;")]
    [InlineData("if krt_metric < 5 then accept; reject;")]              // there is none: to be asked for with defined()
    [InlineData("if 5 then accept; reject;")]
    [InlineData("if net < 5 then accept; reject;")]
    [InlineData("if net ~ \"x\" then accept; reject;")]
    [InlineData("net = 10.0.0.0/8; accept;")]
    [InlineData("krt_metric = \"x\"; accept;")]
    [InlineData("bgp_path.filter([ 1 ]); accept;")]
    [InlineData("bgp_community.delete((1, 2)); accept;")]
    [InlineData("inner(true, false); accept;")]
    [InlineData("if true then accept reject;")]
    [InlineData("krt_metric = 1;")]                                      // falls off the end
    public void What_is_not_known_stops_the_test(string body) =>
        Assert.Throws<BirdException>(() => Accepts(body, Plain(), "function inner(bool one) { accept; }"));
}
