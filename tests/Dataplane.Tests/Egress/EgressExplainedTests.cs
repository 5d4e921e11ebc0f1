using static Calico.Bgp.Dataplane.Tests.Egress.EgressWorld;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>What <c>nat explain</c> and <c>policy explain</c> say of a pod that leaves by gateways of other nodes.</summary>
public sealed class EgressExplainedTests
{
    private const string Pod = "192.168.1.2", Outside = "198.51.100.1",
        Guarded = "another table that translates its source on this node would have it dropped";

    private static EgressSite On(string gateway) => new("client", Cluster.Append(PodOn("client", Pod, By(gateway))));

    [Theory]
    [InlineData("blue", "10.10.11.0", "10.10.11.0", "10.10.11.0", "by gateway edge/blue on gate1")]
    [InlineData("red", "one of 10.10.10.0, 10.10.10.1", "one of 10.10.10.0, 10.10.10.1", null,
        "by gateway edge/red on gate1 or edge/red on gate2")]
    public void Both_say_by_which_gateway_it_leaves_and_as_whom(string gateway, string source, string seen, string? address, string by)
    {
        var site = On(gateway);
        var policy = site.Policy(Pod, Outside);
        Assert.Equal(("allow", source), (policy.Verdict, policy.Source));
        Assert.Empty(policy.DependsOn);
        Assert.Empty(policy.Programs);
        Assert.Equal($"it leaves {by}; {Guarded}", string.Join("; ", policy.Notes));
        var nat = site.Nat(Pod, Outside, "cali1");
        Assert.Equal((false, $"{seen}, {by}", address, false, "eth0"),
            (nat.Translated, nat.To, nat.Address?.ToString(), nat.Dropped, nat.Interface));
        Assert.Equal([$"it leaves {by}, as {seen}", Guarded], nat.Steps.TakeLast(2));
        Assert.Empty(nat.DependsOn);
    }

    [Fact]
    public void A_gateway_with_its_nodes_own_address_is_told_by_the_node()
    {
        var site = On("blue");
        site.Have(Pool("blue", "10.10.11.0/31"));
        Assert.Equal("an address of gate1", site.Policy(Pod, Outside).Source);
        var nat = site.Nat(Pod, Outside, "cali1");
        Assert.Equal(("an address of gate1, by gateway edge/blue on gate1", null), (nat.To, nat.Address));
    }

    [Fact]
    public void Both_say_that_it_is_dropped_where_no_gateway_is_there()
    {
        var site = On("red");
        site.NotHear("172.20.0.11", "172.20.0.12");
        const string lost = "no gateway is there of code == 'red' in projectcalico.org/name == 'edge': "
            + "edge/red on gate1: 172.20.0.11 is not heard, edge/red on gate2: 172.20.0.12 is not heard";
        var policy = site.Policy(Pod, Outside);
        Assert.Equal(("deny", null), (policy.Verdict, policy.Source));
        Assert.Empty(policy.DependsOn);
        var program = Assert.Single(policy.Programs);
        Assert.Equal(("egress gateway", "cali1", "deny", lost), (program.Program, program.Endpoint, program.Verdict, program.Reason));
        var nat = site.Nat(Pod, Outside, "cali1");
        Assert.Equal((true, null, null, $"it is dropped: {lost}"), (nat.Dropped, nat.To, nat.Interface, Assert.Single(nat.Steps)));
        site.NotHear("172.20.0.11");
        Assert.Equal(("allow", "10.10.10.1"), (site.Policy(Pod, Outside).Verdict, site.Policy(Pod, Outside).Source));
    }

    [Fact]
    public void What_stays_in_the_cluster_leaves_by_nobody()
    {
        var policy = On("red").Policy(Pod, "192.168.7.7");
        Assert.Equal(("allow", null), (policy.Verdict, policy.Source));
        Assert.Empty(policy.Notes);
    }
}
