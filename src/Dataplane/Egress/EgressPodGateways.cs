using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>
/// Gateways that are pods (<c>egress.mode: pods</c>): whichever pods the selectors choose, as Calico has it. One that is not ready is no
/// next hop; packets come to a gateway by the overlay, also on its own node.
/// </summary>
internal sealed class EgressPodGateways(EgressObjects objects)
{
    private readonly Dictionary<(EgressChoice Choice, string? Within), ListOf<EgressReplica>> known = [];
    private readonly Dictionary<ResourceKey, EgressReplica> chosen = [];

    /// <param name="within">The namespace of the pod that chooses.</param>
    public ListOf<EgressReplica> Of(EgressChoice choice, string within)
    {
        var asked = (choice with { MaxNextHops = 0 }, choice.Namespaces == null ? within : null);
        if (known.TryGetValue(asked, out var same)) return same;
        var replicas = new List<EgressReplica>();
        foreach (var pod in objects.PodObjects.Where(pod => IsChosen(pod, choice, within)).OrderBy(pod => pod.Key))
            replicas.Add(chosen.TryGetValue(pod.Key, out var its) ? its : chosen[pod.Key] = Replica(pod));
        return known[asked] = [.. replicas];
    }

    /// <summary>Somebody has asked for what selects it, or has selected it, and it is another gateway than before, or none.</summary>
    public bool IsConcerned(Pod? before, Pod? after)
    {
        bool? isOther = null;
        foreach (var (choice, within) in known.Keys)
        {
            var (was, now) = (Is(before), Is(after));
            if (was != now || (was && (isOther ??= Replica(before!) != Replica(after!)))) return true;

            bool Is(Pod? pod) => pod != null && IsChosen(pod, choice, within);
        }
        return false;
    }

    private bool IsChosen(Pod pod, EgressChoice choice, string? within) =>
        pod is { IsHostNetwork: false, Node: not null, Nets.Count: > 0 } && choice.Gateways.Matches(pod.Labels)
        && (choice.Namespaces?.Matches(objects.LabelsOf(pod.Key.Namespace)) ?? pod.Key.Namespace == within);

    private EgressReplica Replica(Pod pod)
    {
        ListOf<Address> hosts = [.. pod.Nets.Select(net => net.Address)];
        // What leaves with an address of a pool with natOutgoing leaves the node with the node's own.
        var byHost = hosts.Where(host => objects.Pools.Any(pool => pool.NatOutgoing && pool.Cidr.Contains(host))).ToArray();
        return new(pod.Key, pod.Node!, hosts, [.. hosts.Except(byHost)], [.. byHost.Select(host => host.Family).Distinct()])
        {
            IsPod = true,
            Unready = pod.IsReady ? null : "its pod is not ready",
        };
    }

    /// <summary>A gateway leaves by no gateway that it is itself.</summary>
    public static bool IsOwn(EgressUse use, ResourceKey pod) =>
        use.Class?.Rules.Any(rule => rule.To?.Replicas.Any(replica => replica.Gateway == pod) == true) == true;
}
