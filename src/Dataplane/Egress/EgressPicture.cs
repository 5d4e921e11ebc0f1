using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>What is rendered, and told: each pod's use, and what the cluster's own addresses are. It stays as it was made.</summary>
/// <param name="Nodes">Gateways that are nodes.</param>
/// <param name="Own">Those of their replicas that this node is.</param>
/// <param name="Inside">Pools and nodes: what is sent there leaves nothing.</param>
/// <param name="Pools">Where pods have their addresses from.</param>
internal sealed record EgressPicture(
    ListOf<EgressGatewayPlan> Nodes, ListOf<EgressReplica> Own, ImmutableDictionary<ResourceId, EgressPodUse> All, ListOf<Prefix> Inside,
    ListOf<Prefix> Pools, ListOf<string> WorkloadPrefixes)
{
    /// <summary>Null: this node needs no overlay.</summary>
    public EgressTunnel? Tunnel { get; init; }

    /// <summary>Some pod's addresses of the family leave by no way.</summary>
    public ListOf<IpFamily> BlockedIn { get; init; }

    public IEnumerable<EgressPodUse> Uses => All.Values;

    /// <summary>By namespace and name; of pods those that somebody leaves by. It looks at all pods.</summary>
    public ListOf<EgressGatewayPlan> Gateways =>
    [
        .. Nodes, .. Uses.SelectMany(one => one.Ways).Distinct<EgressWay>(ReferenceEqualityComparer.Instance)
            .SelectMany(way => way.Replicas).Where(replica => replica.IsPod).DistinctBy(replica => replica.Gateway)
            .OrderBy(replica => replica.Gateway).Select(replica => new EgressGatewayPlan(replica.Gateway, [replica], [])),
    ];
}
