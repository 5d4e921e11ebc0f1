using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests;

public class UpstreamTests
{
    private static readonly IPPool Pods = Pool("pods", "192.168.0.0/16");
    private static readonly UpstreamSettings Tor1 = new() { Peers = ["tor1"] };
    private static readonly Community Translates = new(65001, 77);

    private static PeerFact Peer(string name, bool up = true, string? block = "192.168.7.64/26", string? resource = null,
        params Community[] communities) =>
        new(name, resource, up, block == null ? [] : [Prefix.Parse(block)], [.. communities]);

    private static RouteFact Via(string prefix, params string[] peers) => new(Prefix.Parse(prefix), [.. peers]);

    private static UpstreamOffer Offer(
        PeerFact[] peers, RouteFact[] routes, UpstreamSettings? settings = null, IPPool? pool = null, KernelSnapshot? kernel = null,
        params Resource[] more) =>
        new Upstream(
            settings ?? Tor1, Objects([pool ?? Pods, .. more]), new([.. peers], [.. routes]),
            new([.. routes], kernel ?? KernelSnapshot.Empty)).For(pool ?? Pods);

    private static void Everything(UpstreamOffer offer) =>
        Assert.Equal((Ranges("0.0.0.0/0"), "tor1 translates"), (offer.Destinations, offer.Reason));

    private static void Nothing(string reason, UpstreamOffer offer) =>
        Assert.Equal((AddressRanges.None, reason), (offer.Destinations, offer.Reason));

    [Fact]
    public void A_peer_that_has_the_way_out_and_the_pools_routes_translates() =>
        Everything(Offer([Peer("tor1")], [Via("0.0.0.0/0", "tor1")]));

    [Fact]
    public void The_whole_pool_announced_will_do() =>
        Everything(Offer([Peer("tor1", block: "192.168.0.0/16")], [Via("0.0.0.0/0", "tor1")]));

    [Fact]
    public void Without_a_session_it_does_not() =>
        Nothing("tor1 not established", Offer([Peer("tor1", up: false)], [Via("0.0.0.0/0", "tor1")]));

    [Fact]
    public void Without_the_pools_routes_the_answers_would_not_come_back() => Nothing(
        "tor1 is told no routes of this pool", Offer([Peer("tor1", block: "10.0.0.0/26")], [Via("0.0.0.0/0", "tor1")]));

    [Fact]
    public void Without_a_way_that_leads_to_it_it_does_not() =>
        Nothing("no way leads through tor1", Offer([Peer("tor1"), Peer("tor2")], [Via("0.0.0.0/0", "tor2")]));

    [Fact]
    public void A_way_shared_with_one_that_does_not_translate_is_none() => Nothing(
        "no way leads through tor1", Offer([Peer("tor1"), Peer("tor2")], [Via("0.0.0.0/0", "tor1", "tor2")]));

    [Fact]
    public void Other_peers_are_not_asked() => Nothing("no peer is known to translate", Offer([Peer("tor2")], [Via("0.0.0.0/0", "tor2")]));

    [Fact]
    public void All_peers_may_translate() => Everything(Offer([Peer("tor1")], [Via("0.0.0.0/0", "tor1")], new() { AllPeers = true }));

    [Fact]
    public void A_community_on_the_default_route_tells_who_does()
    {
        var settings = new UpstreamSettings { Community = Translates };
        Everything(Offer([Peer("tor1", communities: Translates)], [Via("0.0.0.0/0", "tor1")], settings));
        Nothing("no peer is known to translate", Offer(
            [Peer("tor1", communities: Community.NoExport)], [Via("0.0.0.0/0", "tor1")], settings));
    }

    [Fact]
    public void An_annotation_on_the_BGPPeer_tells_who_does()
    {
        var resource = new BgpPeer(new Metadata("rack") { Annotations = Labels.From([new(UpstreamSettings.PeerAnnotation, "true")]) });
        Everything(Offer([Peer("tor1", resource: "rack")], [Via("0.0.0.0/0", "tor1")], new(), more: resource));
        Nothing("natOutgoing is true, and no upstream NAT is configured",
            Offer([Peer("tor1", resource: "rack")], [Via("0.0.0.0/0", "tor1")], new()));
    }

    [Fact]
    public void A_pool_may_ignore_it() =>
        Nothing("the pool ignores upstream NAT", Offer(
            [Peer("tor1")], [Via("0.0.0.0/0", "tor1")], pool: Pods with { UpstreamNat = UpstreamNat.Ignore }));

    [Fact]
    public void The_longest_match_decides() => Assert.Equal(
        Ranges("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/9", "203.0.113.128/25").ToString(),
        Offer([Peer("tor1"), Peer("tor2")], [
            Via("0.0.0.0/0", "tor2"), Via("0.0.0.0/1", "tor1"), Via("128.0.0.0/2", "tor1"), Via("192.0.0.0/9", "tor1"),
            Via("203.0.113.0/24", "tor2"), Via("203.0.113.128/25", "tor1"),
        ]).Destinations.ToString());

    [Fact]
    public void What_is_connected_is_not_reached_through_a_peer()
    {
        var offer = Offer([Peer("tor1")], [Via("0.0.0.0/0", "tor1")], kernel: KernelWith(("172.20.0.0/24", 0)));
        Assert.False(offer.Destinations.Contains(Address.Parse("172.20.0.9")));
        Assert.True(offer.Destinations.Contains(Address.Parse("172.20.1.9")));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(100, true)]
    public void Of_two_routes_of_a_prefix_the_lower_metric_is_in_use(uint theirs, bool upstream) => Assert.Equal(
        upstream, !Offer([Peer("tor1")], [Via("0.0.0.0/0", "tor1") with { Metric = 20 }], kernel: KernelWith(("0.0.0.0/0", theirs)))
        .Destinations.IsEmpty);

    /// <summary>Prefixes of eight addresses, so that every address can be asked.</summary>
    private static readonly Gen<Dictionary<Prefix, bool>> AnyRoutes = (
        from length in Gen.Choose(124, 128)
        from bits in Gen.Choose(0, 15)
        from top in Gen.Elements(false, true)
        from upstream in Gen.Elements(true, false)
        select (new Prefix(new Address((top ? UInt128.MaxValue << 4 : 0) | (UInt128)bits, IpFamily.IPv6), length), upstream))
        .ListOf().Select(list => list.DistinctBy(route => route.Item1).ToDictionary(route => route.Item1, route => route.upstream));

    private static class Arbitraries
    {
        public static Arbitrary<Dictionary<Prefix, bool>> Routes() => AnyRoutes.ToArbitrary();
    }

    [Property(Arbitrary = [typeof(Arbitraries)])]
    public void Coverage_is_the_longest_match_of_each_address(Dictionary<Prefix, bool> routes)
    {
        var coverage = UpstreamCoverage.Of(IpFamily.IPv6, routes);
        foreach (var bits in Enumerable.Range(0, 16).SelectMany(i => new[] { (UInt128)i, UInt128.MaxValue << 4 | (UInt128)i }))
        {
            var address = new Address(bits, IpFamily.IPv6);
            var best = routes.Where(route => route.Key.Contains(address)).OrderByDescending(route => route.Key.Length)
                .Select(route => route.Value).FirstOrDefault();
            Assert.Equal(best, coverage.Contains(address));
        }
    }
}
