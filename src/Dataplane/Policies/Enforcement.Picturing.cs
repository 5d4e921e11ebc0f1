using System.Collections.Immutable;
using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <content>What there is, for who lists it.</content>
internal sealed partial class Enforcement
{
    /// <summary>Without what was counted and refused, which the kernel alone knows.</summary>
    /// <param name="host">Which interfaces are here.</param>
    public PolicyPicture Picture(ILinks host)
    {
        var hosts = endpoints.All.Where(one => !one.IsWorkload).Select(one => one.Id).ToHashSet();
        return new(
            [.. objects.All().SelectMany(tier => Entries(tier, hosts))],
            [
                .. endpoints.All.Select(one => Entry(one) with { Problem = WorkloadLinks.Missing(one, host) })
                    .Concat(WorkloadLinks.Unknown(host).Select(Unknown)).OrderBy(one => one.Interface, StringComparer.Ordinal),
            ]);
    }

    private IEnumerable<PolicyEntry> Entries(AppliedTier tier, HashSet<ResourceId> hosts)
    {
        var (place, enforced) = (0, tier.Policies.Count(policy => !policy.IsStaged));
        foreach (var policy in tier.Policies)
        {
            var selected = endpoints.Selectors.Members(policy.Spec.AppliesTo)
                .Where(id => !policy.Spec.WorkloadsOnly || !hosts.Contains(id));
            yield return new(policy, tier.Tier, [.. selected.Order()])
            {
                Place = policy.IsStaged ? 0 : ++place,
                InTier = enforced,
            };
        }
    }

    private static EndpointEntry Unknown(string link) =>
        new(null, link, true, [], Labels.Empty, [], []) { Problem = WorkloadLinks.UnknownWords };

    private EndpointEntry Entry(LocalEndpoint endpoint) => new(
        endpoint.Id, endpoint.Interface, endpoint.IsWorkload,
        [.. endpoint.Nets.Select(net => net.IsHost ? net.Address.ToString() : net.ToString())], endpoint.Labels, [.. endpoint.Profiles],
        [
            .. (following.GetValueOrDefault(endpoint.Interface) ?? []).Where(one => one.Key != ProgramKind.HostOutTranslated)
                .OrderBy(one => one.Key).Select(one => Entry(one.Value)),
        ]);

    private EndpointProgram Entry(ProgramKey key) => new(
        PolicyExplainer.Word(key.Kind), key.Direction,
        [
            .. key.Tiers.Select(tier => new EndpointTier(
                tier.Name, key.TiersDeny && tier.Default == TierDefault.Deny, [.. tier.Policies.Select(policy => policy.Id)])),
        ],
        key.HasProfiles ? "its profiles decide, and what they leave is denied" : "goes on");
}
