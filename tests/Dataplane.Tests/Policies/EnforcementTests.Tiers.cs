using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <content>What is asked of a packet, tier by tier.</content>
public partial class EnforcementTests
{
    [Theory]
    [InlineData(RuleAction.Allow, TierDefault.Deny, false)]
    [InlineData(RuleAction.Pass, TierDefault.Deny, true)]
    [InlineData(RuleAction.Allow, TierDefault.Pass, true)]
    public void Behind_a_tier_that_denies_what_it_does_not_decide_nothing_is_asked_unless_a_rule_of_it_passes(
        RuleAction action, TierDefault end, bool goesOn)
    {
        var first = Ingress("first.in", new PolicyRule { Action = action, Protocol = 6, Destination = Port(80) });
        var later = Ingress("later", Allow);
        first = first with { Spec = first.Spec with { Tier = "first" } };
        var hand = new Hand([.. World, new Tier(new Metadata("first")) { Order = 1, DefaultAction = end }, first, later]);
        var chain = PolicyChains.Name(new(later.Id, PolicyTypes.Ingress, false));
        Assert.Equal(goesOn, hand.Text.Contains($"{chain}: ", StringComparison.Ordinal));
        Assert.Equal(goesOn, hand.Text.Contains($"jump {chain}", StringComparison.Ordinal));
        Assert.Equal(PacketVerdict.Accept, hand.Ask(A, B, 80).Item1);
        Assert.Equal(end == TierDefault.Pass ? PacketVerdict.Accept : PacketVerdict.Drop, hand.Ask(A, B, 81).Item1);
    }
}
