using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// A host endpoint's programs. To and from the host itself it always has one; what is routed through is asked only where a policy applies
/// on forward, and the programs in front of connection tracking and of the translation are there where a policy is of that kind. The
/// endpoint of every interface has none in front of connection tracking.
/// </summary>
internal static class HostPrograms
{
    public static IEnumerable<(ProgramKind Place, ProgramKey Key)> Of(
        LocalEndpoint endpoint, IReadOnlyList<AppliedTier> tiers, bool rejects)
    {
        tiers = [.. tiers.Select(tier => tier with { Policies = [.. tier.Policies.Where(policy => !policy.Spec.WorkloadsOnly)] })];
        yield return (ProgramKind.HostIn, Normal(ProgramKind.HostIn));
        yield return (ProgramKind.HostOut, Normal(ProgramKind.HostOut));
        yield return (ProgramKind.HostOutTranslated, Normal(rejects ? ProgramKind.HostOutTranslated : ProgramKind.HostOut));
        ProgramKind[] some = [ProgramKind.ForwardIn, ProgramKind.ForwardOut, ProgramKind.PreDnat, ProgramKind.UntrackedIn,
            ProgramKind.UntrackedOut];
        foreach (var kind in some)
        {
            if (kind is ProgramKind.UntrackedIn or ProgramKind.UntrackedOut && endpoint.Interface == LocalEndpoint.EveryInterface) continue;
            var key = EndpointPrograms.Key(kind, tiers, [], spec => Belongs(kind, spec));
            if (key.Tiers.Count > 0) yield return (kind, key);
        }

        ProgramKey Normal(ProgramKind kind) => EndpointPrograms.Key(kind, tiers, endpoint.Profiles, EndpointPrograms.IsNormal);
    }

    private static bool Belongs(ProgramKind kind, PolicySpec spec) => kind switch
    {
        ProgramKind.PreDnat => spec.PreDnat,
        ProgramKind.UntrackedIn or ProgramKind.UntrackedOut => spec.DoNotTrack,
        _ => EndpointPrograms.IsNormal(spec) && spec.ApplyOnForward,
    };
}
