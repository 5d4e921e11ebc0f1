using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests;

public class NatExplanationTests
{
    private static readonly NatPlan Mixed = Plan([
        Pool("pods", "192.168.0.0/16"), Pool("public", "203.0.113.0/24", nat: false),
        Pool("no-nat", "10.0.0.0/8", nat: false) with { Disabled = true },
        Node("node2", "172.20.0.2"), Felix() with { NatOutgoingExclusions = NatOutgoingExclusions.IPPoolsAndHostIPs },
    ]);

    [Theory]
    [InlineData("192.168.1.1", "198.51.100.1", true, "the destination is in no pool")]
    [InlineData("192.168.1.1", "192.168.2.1", false, "the destination is inside a pool (192.168.0.0/16)")]
    [InlineData("192.168.1.1", "10.1.1.1", false, "the destination is inside a pool (10.0.0.0/8)")]
    [InlineData("192.168.1.1", "172.20.0.2", false, "the destination is a host (172.20.0.2/32), which natOutgoingExclusions excepts")]
    [InlineData("203.0.113.1", "198.51.100.1", false, "the source is in pool public (203.0.113.0/24): natOutgoing is false")]
    [InlineData("172.20.0.1", "198.51.100.1", false, "the source is in no pool")]
    [InlineData("fd00::1", "2001:db8::1", false, "the source is in no pool")]
    public void A_packet_is_told_what_becomes_of_it(string source, string destination, bool translated, string because)
    {
        var explanation = new NatExplainer(Mixed).Explain(Address.Parse(source), Address.Parse(destination));
        Assert.Equal((translated, translated ? "the address of the interface it leaves by" : null),
            (explanation.Translated, explanation.To));
        Assert.Contains(because, explanation.Steps);
    }

    [Fact]
    public void What_is_delivered_on_this_node_never_meets_the_rules()
    {
        var own = Address.Parse("172.20.0.1");
        var explanation = new NatExplainer(Mixed, address => address == own).Explain(Address.Parse("192.168.1.1"), own);
        Assert.Equal((false, "the destination is this node's own address: what is delivered here never meets the rules"),
            (explanation.Translated, explanation.Steps[^1]));
    }

    [Fact]
    public void Upstream_NAT_is_told_by_its_peer()
    {
        var plan = Plan([Pool("pods", "192.168.0.0/16")], upstream: true,
            pools: ("pods", new(Ranges("0.0.0.0/1"), ["tor1"], "tor1 translates"), Ranges("0.0.0.0/1")));
        var (low, high) = (new NatExplainer(plan).Explain(Address.Parse("192.168.1.1"), Address.Parse("1.1.1.1")),
            new NatExplainer(plan).Explain(Address.Parse("192.168.1.1"), Address.Parse("198.51.100.1")));
        Assert.Equal((false, "the network translates: tor1 translates", true), (low.Translated, low.Steps[^1], high.Translated));
    }
}
