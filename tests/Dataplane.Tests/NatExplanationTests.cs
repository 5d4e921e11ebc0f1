using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Dataplane.Tests.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests;

/// <summary>What is said of a packet, by the rules as they are rendered.</summary>
public class NatExplanationTests
{
    private static readonly NatPlan Mixed = Plan([
        Pool("pods", "192.168.0.0/16"), Pool("public", "203.0.113.0/24", nat: false),
        Pool("no-nat", "10.0.0.0/8", nat: false) with { Disabled = true },
        Node("node2", "172.20.0.2"), Felix() with { NatOutgoingExclusions = NatOutgoingExclusions.IPPoolsAndHostIPs },
    ]);

    private static NatExplanation Explain(NatPlan plan, Packet packet, string? masqueraded = null) => new NatExplainer(
        plan, packet, PacketWalk.Ends(Masquerade.Render(plan).Alone(), new Own("172.20.0.1"), packet),
        masqueraded == null ? null : Address.Parse(masqueraded)).Explain();

    private static Packet From(string source, string destination) => new(Address.Parse(source), Address.Parse(destination));

    [Theory]
    [InlineData("192.168.1.1", "198.51.100.1", true, "the destination is in no pool")]
    [InlineData("192.168.1.1", "192.168.2.1", false,
        "the destination is in pool pods (192.168.0.0/16): what stays inside the pools is not translated")]
    [InlineData("192.168.1.1", "10.1.1.1", false,
        "the destination is in pool no-nat (10.0.0.0/8): what stays inside the pools is not translated")]
    [InlineData("192.168.1.1", "172.20.0.2", false, "the destination is a host (172.20.0.2), which natOutgoingExclusions excepts")]
    [InlineData("203.0.113.1", "198.51.100.1", false, "the source is in pool public (203.0.113.0/24): natOutgoing is false")]
    [InlineData("172.20.0.9", "198.51.100.1", false, "the source is in no pool")]
    [InlineData("fd00::1", "2001:db8::1", false, "the source is in no pool")]
    [InlineData("192.168.1.1", "172.20.0.1", false,
        "the destination is this node's own address: what is delivered here never meets the rules")]
    public void A_packet_is_told_what_becomes_of_it(string source, string destination, bool translated, string because)
    {
        var explanation = Explain(Mixed, From(source, destination));
        Assert.Equal((translated, translated ? "the address of the interface it leaves by" : null),
            (explanation.Translated, explanation.To));
        Assert.Contains(because, explanation.Steps);
        Assert.Empty(explanation.DependsOn);
    }

    /// <summary>By what it becomes, and not by the service's address, which is in no pool.</summary>
    [Theory]
    [InlineData("192.168.2.1", false, "the destination is in pool pods (192.168.0.0/16): what stays inside the pools is not translated")]
    [InlineData("198.51.100.7", true, "the destination is in no pool")]
    [InlineData("172.20.0.1", false, "the destination is this node's own address: what is delivered here never meets the rules")]
    public void A_packet_to_a_service_is_judged_by_where_it_goes(string backend, bool translated, string because)
    {
        var told = Explain(Mixed, From("192.168.1.1", "10.96.0.1") with
        {
            Protocol = IpProtocol.Tcp,
            DestinationPort = 80,
            Redirect = new(Address.Parse(backend), 8080),
        });
        Assert.Equal((translated, $"{backend}:8080", false), (told.Translated, told.Destination, told.Dropped));
        Assert.Equal($"services send it to {backend}:8080: bgpctl cnat explain says why", told.Steps[0]);
        Assert.Contains(because, told.Steps);
    }

    [Fact]
    public void What_is_dropped_is_not_said_to_be_delivered()
    {
        const string vip = "30.0.0.2";
        var hand = new ServiceHand(new Translation(
            "", TranslationKind.Vip, new(TranslationPlace.Of(Address.Parse(vip)), IpProtocol.Tcp, 80), []));
        var told = new NatExplainer(Mixed, From("10.0.0.9", vip), [.. hand.Ends(vip, port: 81)]).Explain();
        Assert.Equal((true, false, "it is dropped in chain prerouting-translated: to a virtual address, and no translation's"),
            (told.Dropped, told.Translated, Assert.Single(told.Steps)));
    }

    [Fact]
    public void The_rule_that_decided_is_named_with_the_element_by_which_it_did()
    {
        const string rule = "chain postrouting: meta nfproto ipv4 ip saddr @nat-masq4 ip daddr != @nat-pools4 ip daddr != @nat-hosts4"
            + " masquerade fully-random: ";
        Assert.Equal(rule + "done (192.168.0.0/16)", Explain(Mixed, From("192.168.1.1", "198.51.100.1")).Rule);
        Assert.Equal(rule + "not held: ip daddr != @nat-pools4 (10.0.0.0/8)", Explain(Mixed, From("192.168.1.1", "10.1.1.1")).Rule);
    }

    [Fact]
    public void Where_the_way_is_known_the_address_and_the_interface_are_named()
    {
        var explanation = Explain(Mixed, From("192.168.1.1", "198.51.100.1") with { Out = "eth0" }, masqueraded: "172.20.0.1");
        Assert.Equal(("172.20.0.1, the address of eth0", Address.Parse("172.20.0.1"), "eth0"),
            (explanation.To, explanation.Address, explanation.Interface));
    }

    [Fact]
    public void Upstream_NAT_is_told_by_its_peer_and_where_it_does_not_reach_the_node_does_not_say_that_it_translates()
    {
        var plan = Plan([Pool("pods", "192.168.0.0/16")], upstream: true,
            pools: ("pods", new(Ranges("0.0.0.0/1"), ["tor1"], "tor1 translates"), Ranges("0.0.0.0/1")));
        var (low, high) = (Explain(plan, From("192.168.1.1", "1.1.1.1")), Explain(plan, From("192.168.1.1", "198.51.100.1")));
        Assert.Equal((false, "the network translates: tor1 translates", true), (low.Translated, low.Steps[^1], high.Translated));
        Assert.Equal("the way to 198.51.100.1 does not lead to the network that translates for the pool, or not for long enough yet"
            + " (tor1 translates): this node translates", high.Steps[^1]);
    }

    [Fact]
    public void What_depends_on_the_interface_is_said_to_and_not_guessed()
    {
        var plan = Plan([Pool("pods", "192.168.0.0/16"), Felix() with { NatOutgoingInterfaceFilter = "eth+" }]);
        var packet = From("192.168.1.1", "198.51.100.1");
        var open = Explain(plan, packet);
        Assert.Equal((null, null), (open.Translated, open.To));
        Assert.Equal(["the interface that it leaves by"], open.DependsOn);
        Assert.Equal(
            [
                "the interface that it leaves by (oifname \"eth*\"): it is translated to the address of the interface it leaves by",
                "the interface that it leaves by (not oifname \"eth*\"): it stays as it is",
            ], open.Steps);
        var (eth, bond) = (Explain(plan, packet with { Out = "eth1" }), Explain(plan, packet with { Out = "bond0" }));
        Assert.Equal((true, false), (eth.Translated, bond.Translated));
        Assert.Equal("it leaves by bond0, and natOutgoingInterfaceFilter is eth*", bond.Steps[^1]);
    }

    [Fact]
    public void Whatever_its_protocol_it_is_translated_and_of_those_with_ports_the_ports_are_told()
    {
        var plan = Plan([Pool("pods", "192.168.0.0/16"), Felix() with { NatPortRange = new(20000, 20010) }]);
        var packet = From("192.168.1.1", "198.51.100.1");
        var any = Explain(plan, packet);
        Assert.Equal((true, "the address of the interface it leaves by, TCP and UDP ports 20000-20010"), (any.Translated, any.To));
        Assert.Equal(["the protocol"], any.DependsOn);
        Assert.Equal("the address of the interface it leaves by", Explain(plan, packet with { Protocol = IpProtocol.Icmp }).To);
        Assert.Equal("the address of the interface it leaves by, UDP ports 20000-20010",
            Explain(plan, packet with { Protocol = IpProtocol.Udp }).To);
    }

    [Fact]
    public void Several_addresses_are_all_told_and_a_source_that_keeps_its_own_is_told_that_one()
    {
        AddressRange[] addresses = [new(Address.Parse("198.51.100.1"), Address.Parse("198.51.100.1")),
            new(Address.Parse("198.51.100.2"), Address.Parse("198.51.100.2"))];
        var felix = Felix() with { NatOutgoingAddress = [.. addresses] };
        var packet = From("192.168.1.1", "203.0.113.1");
        var dice = Explain(Plan(Pool("pods", "192.168.0.0/16"), felix), packet);
        Assert.Equal((true, "198.51.100.1 or 198.51.100.2", (Address?)null), (dice.Translated, dice.To, dice.Address));
        Assert.Equal(["chance"], dice.DependsOn);
        var kept = Explain(Plan([Pool("pods", "192.168.0.0/16"), felix], new() { Enabled = true, Persistent = true }), packet);
        Assert.Contains(kept.To, (string[])["198.51.100.1", "198.51.100.2"]);
        Assert.Empty(kept.DependsOn);
    }

    /// <summary>One address of this host's, on eth0.</summary>
    private sealed class Own(string address) : IHostFacts
    {
        public bool? IsLocal(Address one) => one == Address.Parse(address);
        public bool? IsLocalOn(Address one, string link) => IsLocal(one) == true && link == "eth0";
        public bool? ComesBackBy(Address source, uint mark, string link) => null;
    }
}
