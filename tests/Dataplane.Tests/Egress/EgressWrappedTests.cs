using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using static Calico.Bgp.Dataplane.Tests.Egress.EgressWorld;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>Pools whose pods' packets are wrapped between nodes, because whoever is there lets nothing through with a pod's
/// address.</summary>
public sealed class EgressWrappedTests
{
    private const string Pod = "192.168.1.2", Remote = "192.168.2.9", Outside = "198.51.100.1";

    private static readonly Link Overlay = new(7, "egress.calico", 0x10043, 1450, 0, null);

    private static EgressSite On(string node, IPPool pods) => new(node, new() { Enabled = true }, [Overlay],
        [.. Cluster, pods, PodOn("client", Pod, By("red")), PodOn("gate1", Remote, By("red"), "b")]);

    private static IPPool Pods(EncapsulationMode ipip, EncapsulationMode vxlan) =>
        Pool("pods", "192.168.0.0/16") with { IpipMode = ipip, VxlanMode = vxlan };

    [Theory]
    [InlineData(EncapsulationMode.Always, EncapsulationMode.Never)]
    [InlineData(EncapsulationMode.Never, EncapsulationMode.Always)]
    public void Where_that_is_always_so_packets_come_to_a_gateway_on_the_same_link_by_the_overlay_too(
        EncapsulationMode ipip, EncapsulationMode vxlan)
    {
        var client = On("client", Pods(ipip, vxlan));
        Assert.Equal(["via 172.20.0.11 by VXLAN", "via 172.20.0.12 by VXLAN"],
            client.View.Gateways[1].Replicas.Select(one => one.Standing));
        Assert.All(client.Routes.Tables.SelectMany(table => table.Hops), hop => Assert.Equal(Overlay.Index, hop.Interface));
        Assert.Equal("to a gateway", client.Of(Pod, Outside));
        // They are heard on the link all the same, and each once.
        Assert.Equal(["172.20.0.11", "172.20.0.12"], client.Watched);
        client.NotHear("172.20.0.11");
        Assert.Equal(["172.20.0.12"], client.Hops);
        var gateway = On("gate1", Pods(ipip, vxlan));
        Assert.Contains(gateway.Routes.Overlay, one => $"{one}".StartsWith("link egress.calico", StringComparison.Ordinal));
        Assert.Equal("as 10.10.10.0", gateway.Of(Pod, Outside, by: "egress.calico"));
        Assert.Equal("as 10.10.10.0", gateway.Of(Remote, Outside));
    }

    [Theory]
    [InlineData(EncapsulationMode.CrossSubnet, EncapsulationMode.Never)]
    [InlineData(EncapsulationMode.Never, EncapsulationMode.CrossSubnet)]
    [InlineData(EncapsulationMode.Never, EncapsulationMode.Never)]
    public void Else_they_are_handed_over_as_they_are(EncapsulationMode ipip, EncapsulationMode vxlan)
    {
        var client = On("client", Pods(ipip, vxlan));
        Assert.Equal(["via 172.20.0.11", "via 172.20.0.12"], client.View.Gateways[1].Replicas.Select(one => one.Standing));
        Assert.Empty(client.Routes.Overlay);
    }

    /// <summary>The kernel refuses one as a next hop there that it reaches by another link (ip6_route_check_nh_onlink).</summary>
    [Fact]
    public void Of_IPv6_it_is_handed_to_an_address_that_is_of_the_overlay_alone()
    {
        var client = On("client", Pods(EncapsulationMode.Always, EncapsulationMode.Never));
        var gate = Host("gate1", "172.20.0.11", ("egress", "yes")) with
        {
            IPv4 = new(Address.Parse("172.20.0.11"), Prefix.Parse("172.20.0.0/24")),
            IPv6 = new(Address.Parse("fd20::b"), Prefix.Parse("fd20::/64")),
        };
        client.Have(gate, Pool("red6", "fd10::/120", nat: false), PodOn("client", "fd01::1:2", By("red"), "six"),
            Gateway("red", "red") with { Pools = [new("red", null), new("red6", null)] });
        const string hop = "fe80::a02a:acff:fe14:b";
        Assert.Equal(["172.20.0.11", "172.20.0.12", hop], client.Hops.Distinct());
        Assert.Contains($"neighbour {hop} lladdr a2:2a:ac:14:00:0b dev 7", client.Routes.Overlay.Select(one => $"{one}"));
        Assert.Equal("via 172.20.0.11 by VXLAN, via fd20::b by VXLAN", client.View.Gateways[1].Replicas[0].Standing);
    }

    /// <summary>The pool is edited while packets flow: there is a way at every moment, or none at all.</summary>
    [Fact]
    public void A_pool_may_change_its_mind()
    {
        var client = On("client", Pods(EncapsulationMode.Never, EncapsulationMode.Never));
        client.Have(Pods(EncapsulationMode.Always, EncapsulationMode.Never));
        Assert.All(client.Routes.Tables.SelectMany(table => table.Hops), hop => Assert.Equal(Overlay.Index, hop.Interface));
        client.Have(Pods(EncapsulationMode.Never, EncapsulationMode.Never));
        Assert.All(client.Routes.Tables.SelectMany(table => table.Hops), hop => Assert.Equal(2, hop.Interface));
        Assert.Empty(client.Routes.Overlay);
    }
}
