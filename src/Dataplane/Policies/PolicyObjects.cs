using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>What an allow of a policy does besides.</summary>
internal enum PolicyEffect : byte { Normal, PreDnat, Untracked }

/// <param name="Tier"><see cref="PolicyComment.NoTier"/>: of a profile.</param>
internal readonly record struct ChainRules(string Tier, PolicyEffect Effect, ListOf<PolicyRule> Rules);

/// <summary>A tier with those of its policies that apply to one endpoint, in the order in which they are asked.</summary>
internal readonly record struct AppliedTier(Tier Tier, IReadOnlyList<AnyNetworkPolicy> Policies);

/// <summary>Policies, tiers and profiles, as the objects say them.</summary>
internal sealed class PolicyObjects
{
    private readonly Dictionary<ResourceId, AnyNetworkPolicy> policies = [];
    private readonly Dictionary<string, Tier> tiers = [];
    private readonly Dictionary<string, Profile> profiles = [];

    public IReadOnlyCollection<AnyNetworkPolicy> Policies => policies.Values;

    /// <summary>How many are no staged ones.</summary>
    public int Enforced { get; private set; }

    public AnyNetworkPolicy? Policy(ResourceId id) => policies.GetValueOrDefault(id);

    public static ResourceId IdOf(AnyNetworkPolicy policy) => new(policy.Kind, policy.Key);

    /// <summary>Whose rule it is; null: nobody's that is known.</summary>
    public ResourceId? IdOf(PolicyComment comment)
    {
        if (comment.Kind == Kinds.Profile.Word) return Profile(comment);
        ResourceKey key = comment.Name.Split('/') is [var space, var name] ? new(space, name) : new("", comment.Name);
        foreach (var kind in Kinds.All)
            if (kind.Word == comment.Kind && policies.ContainsKey(new(kind, key))) return new(kind, key);
        foreach (var id in policies.Keys)
            if (id.Kind.Word == comment.Kind && comment.IsOf(PolicyChains.Said(id))) return id;
        return null;
    }

    private ResourceId? Profile(PolicyComment comment) =>
        profiles.Keys.Append(comment.Name).Where(comment.IsOf).Select(name => (ResourceId?)new(Kinds.Profile, new("", name)))
            .FirstOrDefault();

    public void Put(ResourceId id, AnyNetworkPolicy? policy)
    {
        if (Policy(id) is { IsStaged: false }) Enforced--;
        if (policy is { IsStaged: false }) Enforced++;
        if (policy == null) policies.Remove(id);
        else policies[id] = policy;
    }

    public void Put(string name, Tier? tier)
    {
        if (tier == null) tiers.Remove(name);
        else tiers[name] = tier;
    }

    /// <returns>False: the rules are the same.</returns>
    public bool Put(string name, Profile? profile)
    {
        var before = profiles.GetValueOrDefault(name);
        if (profile == null) profiles.Remove(name);
        else profiles[name] = profile;
        return before?.Ingress != profile?.Ingress || before?.Egress != profile?.Egress || before == null != (profile == null);
    }

    /// <summary>Null: nobody has said what stands there, so that nothing is allowed.</summary>
    public ChainRules? RulesOf(ResourceId id, PolicyTypes direction)
    {
        if (id.Kind == Kinds.Profile)
            return profiles.TryGetValue(id.Key.Name, out var profile)
                ? new(PolicyComment.NoTier, PolicyEffect.Normal, direction == PolicyTypes.Ingress ? profile.Ingress
                    : profile.Egress) : null;
        if (Policy(id) is not { } policy) return null;
        var spec = policy.Spec;
        var effect = spec.DoNotTrack ? PolicyEffect.Untracked : spec.PreDnat ? PolicyEffect.PreDnat : PolicyEffect.Normal;
        return new(spec.Tier, effect, direction == PolicyTypes.Ingress ? spec.Ingress : spec.Egress);
    }

    /// <summary>In the order in which tiers are asked. Of staged policies nothing is enforced, and a tier of them alone denies
    /// nobody.</summary>
    public IEnumerable<AppliedTier> InOrder(IEnumerable<AnyNetworkPolicy> applied) => Ordered(applied.Where(policy => !policy.IsStaged));

    /// <summary>All that there are, staged ones where they would be asked.</summary>
    public IEnumerable<AppliedTier> All() => Ordered(policies.Values);

    private IEnumerable<AppliedTier> Ordered(IEnumerable<AnyNetworkPolicy> applied) => applied
        .GroupBy(policy => policy.Spec.Tier)
        .Select(tier => new AppliedTier(TierOf(tier.Key), [.. tier.Order(AnyNetworkPolicy.ApplicationOrder)])).OrderBy(tier => tier.Tier);

    /// <summary>One that nobody has said comes after all others, and denies what its policies do not decide.</summary>
    private Tier TierOf(string name) => tiers.GetValueOrDefault(name) ?? new Tier(new Metadata(name));
}
