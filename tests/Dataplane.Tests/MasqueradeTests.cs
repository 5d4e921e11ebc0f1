using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests;

/// <summary>Resources in, sets and rules out. That the rules do what they say is for conformance/packets.</summary>
public class MasqueradeTests
{
    private const string Private = "192.168.0.0/16";
    private const string Rule4 = "postrouting: meta nfproto ipv4 ip saddr @nat-masq4 ip daddr != @nat-pools4 ";

    private static string Rules(params IEnumerable<Resource> resources) =>
        string.Join('\n', Rendered(Plan(resources)).Split('\n').Where(line => line.Contains(": ")));

    [Fact]
    public void Private_pods_are_translated_on_their_way_out() => Assert.Equal("""
        nat-masq4 { 192.168.0.0-192.168.255.255 }
        nat-pools4 { 192.168.0.0-192.168.255.255 }
        postrouting: meta nfproto ipv4 ip saddr @nat-masq4 ip daddr != @nat-pools4 masquerade fully-random
        """, Rendered(Plan(Pool("pods", Private))));

    [Fact]
    public void A_disabled_pool_exempts_a_destination() => Assert.Equal("""
        nat-masq4 { 192.168.0.0-192.168.255.255 }
        nat-pools4 { 10.0.0.0-10.255.255.255, 192.168.0.0-192.168.255.255 }
        postrouting: meta nfproto ipv4 ip saddr @nat-masq4 ip daddr != @nat-pools4 masquerade fully-random
        """, Rendered(Plan(Pool("pods", Private), Pool("no-nat", "10.0.0.0/8", nat: false) with { Disabled = true })));

    [Fact]
    public void Public_pods_are_not_translated() => Assert.Equal("", Rendered(Plan(Pool("public", "203.0.113.0/24", nat: false))));

    [Fact]
    public void A_disabled_pool_with_natOutgoing_is_translated() =>
        Assert.Contains(
            "nat-masq4 { 192.168.0.0-", Rendered(Plan(Pool("pods", Private) with { Disabled = true })), StringComparison.Ordinal);

    [Fact]
    public void A_pool_for_load_balancers_alone_exempts_nothing() => Assert.Contains(
        "nat-pools4 { 192.168.0.0-192.168.255.255 }", Rendered(Plan(
            Pool("pods", Private), Pool("lb", "198.51.100.0/24", nat: false) with { AllowedUses = PoolUses.LoadBalancer })),
        StringComparison.Ordinal);

    [Fact]
    public void Overlapping_pools_are_their_union() => Assert.StartsWith("""
        nat-masq4 { 192.168.0.0-192.168.255.255 }
        nat-pools4 { 192.168.0.0-192.168.255.255 }
        """, Rendered(Plan(Pool("pods", Private), Pool("inner", "192.168.7.0/24"), Pool("inner-no", "192.168.8.0/24", nat: false))),
            StringComparison.Ordinal);

    [Fact]
    public void Both_families_have_rules_of_their_own() => Assert.Equal("""
        postrouting: meta nfproto ipv4 ip saddr @nat-masq4 ip daddr != @nat-pools4 masquerade fully-random
        postrouting: meta nfproto ipv6 ip6 saddr @nat-masq6 ip6 daddr != @nat-pools6 masquerade fully-random
        """, Rules(Pool("pods", Private), Pool("pods6", "fd00:10::/48")));

    [Fact]
    public void Hosts_are_excepted_where_that_is_asked_for() => Assert.Equal("""
        nat-masq4 { 192.168.0.0-192.168.255.255 }
        nat-pools4 { 192.168.0.0-192.168.255.255 }
        nat-hosts4 { 172.20.0.1-172.20.0.1, 172.20.0.2-172.20.0.2, 198.51.100.0-198.51.100.255 }
        postrouting: meta nfproto ipv4 ip saddr @nat-masq4 ip daddr != @nat-pools4 ip daddr != @nat-hosts4 masquerade fully-random
        """, Rendered(Plan(Pool("pods", Private), Node("node1", "172.20.0.1"), Node("node2", "172.20.0.2"),
            Felix() with
            {
                NatOutgoingExclusions = NatOutgoingExclusions.IPPoolsAndHostIPs,
                ExternalNodes = [Prefix.Parse("198.51.100.0/24")]
            })));

    [Fact]
    public void The_interface_filter_holds_for_every_rule() =>
        Assert.Equal(Rule4 + "oifname \"eth*\" masquerade fully-random",
            Rules(Pool("pods", Private), Felix() with { NatOutgoingInterfaceFilter = "eth+" }));

    [Fact]
    public void A_nodes_own_configuration_wins() => Assert.Equal(Rule4 + "snat ip to 198.51.100.2 fully-random", Rules(
        Pool("pods", Private),
        Felix() with { NatOutgoingAddress = [One("198.51.100.1")] },
        Felix("node.node1") with { NatOutgoingAddress = [One("198.51.100.2")] },
        Felix("node.node2") with { NatOutgoingAddress = [One("198.51.100.3")] }));

    private static AddressRange One(string address) => new(Address.Parse(address), Address.Parse(address));
    private static readonly AddressRange Nine = new(Address.Parse("198.51.100.1"), Address.Parse("198.51.100.9"));

    [Fact]
    public void Several_addresses_share_the_connections_by_their_number() => Assert.Equal("""
        postrouting: meta nfproto ipv4 ip saddr @nat-masq4 ip daddr != @nat-pools4 goto nat-outgoing4
        nat-outgoing4: numgen random mod 10 < 9 snat ip to 198.51.100.1-198.51.100.9 fully-random
        nat-outgoing4: snat ip to 203.0.113.1 fully-random
        """, Rules(Pool("pods", Private), Felix() with { NatOutgoingAddress = [Nine, One("203.0.113.1")] }));

    [Fact]
    public void A_source_keeps_its_address_where_that_is_asked_for() => Assert.EndsWith("""
        nat-outgoing4: jhash ip saddr mod 10 seed 0x0 < 9 snat ip to 198.51.100.1-198.51.100.9 fully-random,persistent
        nat-outgoing4: snat ip to 203.0.113.1 fully-random,persistent
        """, Rendered(Plan([Pool("pods", Private), Felix() with { NatOutgoingAddress = [Nine, One("203.0.113.1")] }],
            new NatSettings { Enabled = true, Persistent = true })), StringComparison.Ordinal);

    [Fact]
    public void Addresses_are_for_their_family() => Assert.Equal("""
        postrouting: meta nfproto ipv4 ip saddr @nat-masq4 ip daddr != @nat-pools4 snat ip to 198.51.100.1 fully-random
        postrouting: meta nfproto ipv6 ip6 saddr @nat-masq6 ip6 daddr != @nat-pools6 masquerade fully-random
        """, Rules(Pool("pods", Private), Pool("pods6", "fd00:10::/48"), Felix() with { NatOutgoingAddress = [One("198.51.100.1")] }));

    [Fact]
    public void A_port_range_is_for_protocols_that_have_ports() => Assert.Equal("""
        postrouting: meta nfproto ipv4 ip saddr @nat-masq4 ip daddr != @nat-pools4 goto nat-outgoing4
        nat-outgoing4: meta l4proto tcp masquerade to :20000-20010 fully-random
        nat-outgoing4: meta l4proto udp masquerade to :20000-20010 fully-random
        nat-outgoing4: masquerade fully-random
        """, Rules(Pool("pods", Private), Felix() with { NatPortRange = new(20000, 20010) }));

    private const string FromTheTunnel = """oifname "vxlan.calico" fib saddr . oif type != local fib saddr type local""";

    [Fact]
    public void With_VXLAN_no_UDP_connection_gets_its_port_and_the_tunnels_source_is_put_right() => Assert.Equal($"""
        postrouting: meta nfproto ipv4 ip saddr @nat-masq4 ip daddr != @nat-pools4 goto nat-outgoing4
        postrouting: meta nfproto ipv4 {FromTheTunnel} meta l4proto udp masquerade to :4790-65535 fully-random
        postrouting: meta nfproto ipv4 {FromTheTunnel} masquerade fully-random
        nat-outgoing4: meta l4proto udp masquerade to :4790-65535 fully-random
        nat-outgoing4: masquerade fully-random
        """, Rules(Pool("pods", Private) with { VxlanMode = EncapsulationMode.CrossSubnet }));

    [Theory]
    [InlineData(1024, 65535, 4790, 65535)]
    [InlineData(1024, 5000, 1024, 4788)]
    [InlineData(4789, 5000, 4790, 5000)]
    [InlineData(1024, 4789, 1024, 4788)]
    [InlineData(20000, 30000, 20000, 30000)]
    [InlineData(4789, 4789, 4789, 4789)]
    public void The_wider_side_of_the_avoided_port_is_left(int from, int to, int left, int right) => Assert.Equal(
        new Kernel.Nftables.PortRange((ushort)left, (ushort)right), NatActions.WithoutPort(new((ushort)from, (ushort)to), 4789));

    private const string ButUpstream = "ip saddr . ip daddr != @nat-upstream4";

    [Fact]
    public void Where_the_network_translates_for_a_pool_its_destinations_are_excepted() => Assert.Equal($$"""
        nat-masq4 { 192.168.0.0-192.168.255.255 }
        nat-pools4 { 192.168.0.0-192.168.255.255 }
        nat-upstream4 { 192.168.0.0-192.168.255.255 . 0.0.0.0-127.255.255.255 }
        postrouting: meta nfproto ipv4 ip saddr @nat-masq4 ip daddr != @nat-pools4 {{ButUpstream}} masquerade fully-random
        """, Rendered(Plan([Pool("pods", Private)], upstream: true,
            pools: ("pods", new(Ranges("0.0.0.0/1"), ["tor1"], "tor1 translates"), Ranges("0.0.0.0/1")))));

    [Fact]
    public void Whoever_requires_upstream_NAT_is_never_translated_here()
    {
        var pool = Pool("pods", Private) with { UpstreamNat = UpstreamNat.Require };
        Assert.Equal("", Rendered(Plan([pool], upstream: true)));
        Assert.Contains("masquerade", Rendered(Plan([pool])), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_rendered_where_NAT_is_off() => Assert.Equal("", Rendered(Plan([Pool("pods", Private)], new NatSettings())));
}
