using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using static Calico.Bgp.Dataplane.Tests.Egress.EgressWorld;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>A pod that is told of a gateway's maintenance begins nothing by it, and what it has begun goes on.</summary>
public sealed class MaintenanceTests
{
    private const string Pod = "192.168.1.2", Outside = "198.51.100.1", Gate1 = "172.20.0.11", Gate2 = "172.20.0.12",
        Both = $"{Gate1} or {Gate2}";

    private static readonly DateTimeOffset Noon = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    private readonly ManualTimeProvider clock = new(Noon);

    private EgressSite On(string node, params Resource[] more) =>
        new(node, new() { Enabled = true }, [], clock, Cluster.Concat(more));

    private static Pod Told(string gateway, TimeSpan? from = null, TimeSpan? until = null, string node = "client", int most = 0) =>
        PodOn(node, Pod, By("red", most)) with { Maintenance = new(Address.Parse(gateway), Noon + from, Noon + until) };

    [Theory]
    [InlineData("10.10.10.1", Gate1)]
    [InlineData("10.10.10.0", Gate2)]
    [InlineData(Gate2, Gate1)]
    public void What_begins_goes_by_the_others_and_what_has_begun_goes_on(string gateway, string other)
    {
        var site = On("client", Told(gateway));
        Assert.Equal((other, other, Both), (site.By(Pod, Outside), site.By(Pod, Outside, true), site.By(Pod, Outside, false)));
        var replica = Assert.Single(site.View.Gateways[1].Replicas, one => one.Standing != $"via {other}");
        Assert.EndsWith(", under maintenance: a pod begins nothing by it", replica.Standing, StringComparison.Ordinal);
        Assert.Contains(site.Explain(Outside)!.Reasons, reason =>
            reason.StartsWith($"{gateway} is under maintenance: what it begins now goes by others", StringComparison.Ordinal));
    }

    [Fact]
    public void Pods_that_are_not_told_go_by_all()
    {
        var site = On("client", Told("10.10.10.1"), PodOn("client", "192.168.1.3", By("red"), "b"));
        Assert.Equal((Gate1, Both), (site.By(Pod, Outside), site.By("192.168.1.3", Outside)));
    }

    [Fact]
    public void Where_there_is_no_other_it_goes_by_the_one_that_is_under_maintenance()
    {
        var site = On("client", Told("10.10.10.1"));
        site.NotHear(Gate1);
        Assert.Equal((Gate2, Gate2), (site.By(Pod, Outside), site.By(Pod, Outside, false)));
        site.NotHear();
        Assert.Equal(Gate1, site.By(Pod, Outside));
    }

    [Fact]
    public void It_begins_and_ends_in_its_time_and_what_has_begun_in_it_keeps_its_way()
    {
        var site = On("client", Told("10.10.10.1", TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(3)));
        Assert.Equal((Both, TimeSpan.FromMinutes(1)), (site.By(Pod, Outside), site.Due));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.Zero, site.Due);
        site.Write();
        Assert.Equal((Gate1, Gate1, Both), (site.By(Pod, Outside), site.By(Pod, Outside, true), site.By(Pod, Outside, false)));
        Assert.Contains("under maintenance until 2026-01-31T12:03:00Z",
            site.View.Gateways[1].Replicas[1].Standing, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromMinutes(2), site.Due);
        clock.Advance(TimeSpan.FromMinutes(2));
        site.Write();
        Assert.Equal((Both, Gate1, Both), (site.By(Pod, Outside), site.By(Pod, Outside, true), site.By(Pod, Outside, false)));
        Assert.Equal("via 172.20.0.12", site.View.Gateways[1].Replicas[1].Standing);
        Assert.Null(site.Due);
        site.Have(PodOn("client", Pod, By("red")));
        Assert.Equal(On("client", PodOn("client", Pod, By("red"))).Text, site.Text);
    }

    [Fact]
    public void A_pod_on_the_node_that_is_under_maintenance_hands_to_others_what_it_begins()
    {
        var site = On("gate1", Told("10.10.10.0", node: "gate1"));
        Assert.Equal(Gate2, site.By(Pod, Outside));
        Assert.Matches(@"eg-out-[0-9a-f]+: .*ct mark set .*; .*ct mark & .*; meta nfproto ipv4 meta mark set meta mark & 0x000fffff "
            + @"\^ 0x80000000 accept", site.Text);
    }

    /// <summary>What has begun comes to the one, and what begins to the other.</summary>
    [Fact]
    public void Its_gateways_take_what_comes_to_them()
    {
        foreach (var (node, address) in (ReadOnlySpan<(string, string)>)[("gate1", "10.10.10.0"), ("gate2", "10.10.10.1")])
            Assert.Equal($"as {address}", On(node, Told("10.10.10.1")).Of(Pod, Outside, "eth0"));
    }

    [Fact]
    public void With_maxNextHops_it_goes_by_one_that_it_did_not_use()
    {
        foreach (var gateway in (string[])["10.10.10.0", "10.10.10.1"])
            Assert.Equal(gateway == "10.10.10.0" ? Gate2 : Gate1, On("client", Told(gateway, most: 1)).By(Pod, Outside));
    }

    [Fact]
    public void A_pinned_address_stays_where_it_is()
    {
        var site = new EgressSite("client", new() { Enabled = true, Pinned = true }, [], clock, Cluster.Append(Told(Gate1)));
        Assert.Equal(Gate1, site.By(Pod, Outside));
        Assert.DoesNotContain("maintenance", site.View.Gateways[1].Replicas[0].Standing, StringComparison.Ordinal);
    }
}
