using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <summary>From the kernel's counters to the policies that they are of.</summary>
public class PolicyCountTests
{
    private static readonly GlobalNetworkPolicy Policy = new(new Metadata("web"))
    {
        Spec = new()
        {
            Tier = "default",
            AppliesTo = Selector.Parse("on == 'eth0'"),
            Types = PolicyTypes.Ingress | PolicyTypes.Egress,
            Ingress = [new() { Action = RuleAction.Allow }],
        },
    };

    private static readonly HostEndpoint Host = new(new Metadata("eth0-hep") { Labels = Labels.From([new("on", "eth0")]) })
    {
        Node = "node1",
        Interface = "eth0",
    };

    private static Enforcement Written(bool rejects)
    {
        var enforcement = new Enforcement();
        enforcement.Apply(new DataplaneChange.Configured(new("node1", Policy: new() { Enabled = true })));
        var felix = new FelixConfiguration(new Metadata("default")) { FilterDenyAction = rejects ? DenyAction.Reject : null };
        foreach (var change in Come([new Tier(new Metadata("default")) { Order = 1_000_000 }, Policy, Host, felix]))
            enforcement.Apply(new DataplaneChange.Object(change));
        enforcement.Write(new TableWriter().For(enforcement));
        return enforcement;
    }

    private static string Chain(PolicyTypes direction, bool dropsOnly = false) =>
        PolicyChains.Name(new(PolicyObjects.IdOf(Policy), direction, dropsOnly));

    [Fact]
    public void What_a_policy_has_allowed_and_denied_is_told_of_each_direction_and_what_is_not_its_own_is_left_out()
    {
        ImmutableArray<NftCount> counts =
        [
            new(Chain(PolicyTypes.Ingress) + "-allow", 3, 180), new(Chain(PolicyTypes.Ingress) + "-deny", 2, 120),
            new(Chain(PolicyTypes.Egress) + "-allow", 1, 60), new("pol-in-0123456789abcdef-allow", 9, 9), new("pol", 8, 8),
        ];
        var id = PolicyObjects.IdOf(Policy);
        Assert.Equal(
        [
            new(id, PolicyTypes.Ingress, new(3, 180), new(2, 120)), new PolicyCount(id, PolicyTypes.Egress, new(1, 60), default),
        ], Written(rejects: false).Counted(counts).Policies.AsEnumerable());
    }

    [Fact]
    public void A_policy_that_stands_in_two_chains_because_one_of_them_may_not_reject_is_counted_once()
    {
        var enforcement = Written(rejects: true);
        ImmutableArray<NftCount> counts =
        [
            new(Chain(PolicyTypes.Egress) + "-deny", 2, 120), new(Chain(PolicyTypes.Egress, dropsOnly: true) + "-deny", 5, 300),
        ];
        Assert.Equal(new(7, 420), Assert.Single(enforcement.Counted(counts).Policies).Denied);
    }
}
