using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests;

public class TreatmentsTests
{
    private static readonly string[] Addresses =
    [
        "192.168.1.1", "192.168.255.255", "192.169.0.0", "10.1.1.1", "203.0.113.1", "172.20.0.2", "172.20.0.3", "198.51.100.1", "0.0.0.0",
        "255.255.255.255",
    ];

    private static readonly Resource[] Objects =
    [
        Pool("pods", "192.168.0.0/16"), Pool("inner", "192.168.7.0/24"), Pool("public", "203.0.113.0/24", nat: false),
        Pool("no-nat", "10.0.0.0/8", nat: false) with { Disabled = true }, Node("node2", "172.20.0.2"),
    ];

    [Theory]
    [InlineData(NatOutgoingExclusions.IPPoolsOnly)]
    [InlineData(NatOutgoingExclusions.IPPoolsAndHostIPs)]
    public void They_say_of_every_connection_what_its_explanation_says(NatOutgoingExclusions exclusions)
    {
        var plan = Plan([.. Objects, Felix() with { NatOutgoingExclusions = exclusions }]);
        var treatments = Treatments.Of(plan, IpFamily.IPv4);
        foreach (var source in Addresses.Select(Address.Parse))
            foreach (var destination in Addresses.Select(Address.Parse))
                Assert.Equal(
                    (source, destination, new NatExplainer(plan).Explain(source, destination).To),
                    (source, destination, treatments.For(new Connection(source, destination, 6, false))));
    }

    [Fact]
    public void A_change_of_one_family_is_none_of_the_other()
    {
        var (before, after) = (Plan(Objects), Plan([.. Objects, Pool("more", "fd01::/48")]));
        Assert.Equal(Treatments.Of(before, IpFamily.IPv4), Treatments.Of(after, IpFamily.IPv4));
        Assert.NotEqual(Treatments.Of(before, IpFamily.IPv6), Treatments.Of(after, IpFamily.IPv6));
    }
}
