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
    private readonly Dictionary<string, ListOf<EgressReplica>> known = new(StringComparer.Ordinal);
    private readonly SortedDictionary<ResourceKey, EgressGatewayPlan> chosen = [];

    /// <summary>All that anybody has chosen by now.</summary>
    public ListOf<EgressGatewayPlan> Chosen => [.. chosen.Values];

    /// <param name="within">The namespace of the pod that chooses.</param>
    public ListOf<EgressReplica> Of(EgressChoice choice, string within)
    {
        var words = $"{choice.Gateways} in {choice.Namespaces?.ToString() ?? "namespace " + within}";
        if (known.TryGetValue(words, out var same)) return same;
        var replicas = new List<EgressReplica>();
        foreach (var pod in objects.PodObjects.Where(pod => IsChosen(pod, choice, within)).OrderBy(pod => pod.Key))
            replicas.Add(Chose(pod));
        return known[words] = [.. replicas];
    }

    private bool IsChosen(Pod pod, EgressChoice choice, string within) =>
        pod is { IsHostNetwork: false, Node: not null, Nets.Count: > 0 } && choice.Gateways.Matches(pod.Labels)
        && (choice.Namespaces?.Matches(objects.LabelsOf(pod.Key.Namespace)) ?? pod.Key.Namespace == within);

    private EgressReplica Chose(Pod pod)
    {
        if (chosen.TryGetValue(pod.Key, out var same)) return same.Replicas.First();
        ListOf<Address> hosts = [.. pod.Nets.Select(net => net.Address)];
        // What leaves with an address of a pool with natOutgoing leaves the node with the node's own.
        var byHost = hosts.Where(host => objects.Pools.Any(pool => pool.NatOutgoing && pool.Cidr.Contains(host))).ToArray();
        var replica = new EgressReplica(pod.Key, pod.Node!, hosts, [.. hosts.Except(byHost)],
            [.. byHost.Select(host => host.Family).Distinct()])
        {
            IsPod = true,
            Unready = pod.IsReady ? null : "its pod is not ready",
        };
        chosen[pod.Key] = new(pod.Key, pod.Labels, objects.LabelsOf(pod.Key.Namespace), [replica], []);
        return replica;
    }

    /// <summary>A gateway leaves by no gateway that it is itself.</summary>
    public static bool IsOwn(EgressUse use, ResourceKey pod) =>
        use.Class?.Rules.Any(rule => rule.To?.Replicas.Any(replica => replica.Gateway == pod) == true) == true;
}
