using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies.Lint;

/// <summary>One rule of a policy; without a number the policy's direction, which has no rules.</summary>
internal readonly record struct RuleId(ResourceId Policy, PolicyTypes Direction, int? Rule)
{
    public override string ToString()
    {
        var direction = Direction == PolicyTypes.Ingress ? "ingress" : "egress";
        return Rule == null ? $"{Policy} {direction}" : $"{Policy} {direction} rule {Rule}";
    }
}

/// <summary>
/// Which rules some packet of some program may get to: all but those behind another rule that decides whatever they match, and those behind
/// the end of a tier that lets nothing pass.
/// </summary>
internal sealed class Reach(PolicyObjects objects)
{
    private static readonly PolicyRule Anything = new() { Action = RuleAction.Deny };

    private readonly HashSet<RuleId> reached = [];
    private readonly Dictionary<RuleId, string> barred = [];

    /// <summary>Rules that are asked, in programs that were walked, and that no packet ever gets to; and who decides before.</summary>
    public IEnumerable<(RuleId Rule, string By)> Unreached =>
        barred.Where(one => !reached.Contains(one.Key)).Select(one => (one.Key, one.Value));

    public bool IsReached(ResourceId policy) => reached.Any(rule => rule.Policy == policy);

    public void Walk(ProgramKey program)
    {
        var decided = new List<(PolicyRule Rule, string By)>();
        foreach (var tier in program.Tiers)
        {
            var leaves = new List<(PolicyRule Rule, string By)>(decided);
            var passes = false;
            foreach (var policy in tier.Policies)
                passes |= Walk(policy.Id, program.Direction, decided, leaves);
            if (program.TiersDeny && tier.Default == TierDefault.Deny && !passes)
                decided.Add((Anything, $"tier {tier.Name}, which denies what its policies do not decide, and of which no rule passes"));
        }
    }

    /// <param name="leaves">Rules behind which the tier is left.</param>
    /// <returns>Some rule may pass to the next tier.</returns>
    private bool Walk(
        ResourceId policy, PolicyTypes direction, List<(PolicyRule Rule, string By)> decided, List<(PolicyRule Rule, string By)> leaves)
    {
        var rules = objects.RulesOf(policy, direction)!.Value.Rules;
        if (rules.Count == 0) Note(new(policy, direction, null), Anything, leaves);
        var passes = false;
        for (var index = 0; index < rules.Count; index++)
        {
            var (id, rule) = (new RuleId(policy, direction, index), rules[index]);
            if (!Note(id, rule, leaves) || rule.Action == RuleAction.Log) continue;
            var by = (rule, $"{id} ({rule.Action} {RuleWords.Of(rule)})");
            leaves.Add(by);
            if (rule.Action == RuleAction.Pass) passes = true;
            else decided.Add(by);
        }
        return passes;
    }

    /// <returns>A packet may get there.</returns>
    private bool Note(RuleId id, PolicyRule rule, List<(PolicyRule Rule, string By)> before)
    {
        foreach (var (other, by) in before)
        {
            if (!other.Covers(rule)) continue;
            barred.TryAdd(id, by);
            return false;
        }
        reached.Add(id);
        return true;
    }
}
