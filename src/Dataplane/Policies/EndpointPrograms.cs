using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>An endpoint and the policies that apply to it → its programs. Pure.</summary>
internal static class EndpointPrograms
{
    /// <param name="rejects">Where a denied packet's sender is told, chains that are reached from postrouting are others.</param>
    public static IEnumerable<(ProgramKind Place, ProgramKey Key)> Of(
        LocalEndpoint endpoint, IReadOnlyList<AppliedTier> tiers, bool rejects)
    {
        if (endpoint.IsWorkload) return [Workload(ProgramKind.WorkloadOut), Workload(ProgramKind.WorkloadIn)];
        return HostPrograms.Of(endpoint, tiers, rejects);

        (ProgramKind, ProgramKey) Workload(ProgramKind kind) => (kind, Key(kind, tiers, endpoint.Profiles, IsNormal));
    }

    public static bool IsNormal(PolicySpec spec) => spec is { DoNotTrack: false, PreDnat: false };

    /// <summary>Tiers of which no policy is left are not asked.</summary>
    public static ProgramKey Key(
        ProgramKind kind, IReadOnlyList<AppliedTier> tiers, ListOf<string> profiles, Predicate<PolicySpec> belongs)
    {
        var key = new ProgramKey(kind, [], []);
        var direction = key.Direction;
        return key with
        {
            Tiers = [.. tiers.Select(tier => new ProgramTier(tier.Tier.Name, tier.Tier.DefaultAction,
                [.. tier.Policies.Where(policy => policy.Spec.Types.HasFlag(direction) && belongs(policy.Spec))
                    .Select(policy => new ProgramPolicy(PolicyObjects.IdOf(policy), Passes(policy.Spec, direction)))]))
                .Where(tier => tier.Policies.Count > 0)],
            Profiles = key.HasProfiles ? profiles : [],
        };
    }

    public static bool Passes(PolicySpec spec, PolicyTypes direction) =>
        (direction == PolicyTypes.Ingress ? spec.Ingress : spec.Egress).Any(rule => rule.Action == RuleAction.Pass);
}
