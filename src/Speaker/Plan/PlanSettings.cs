using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>A pod of this node that wants to peer, as Felix's endpoint-status files tell it.</summary>
/// <param name="Peer">Name of the BGPPeer that selected it.</param>
public sealed record LocalWorkload(string Interface, string Peer, Address? IPv4, Address? IPv6)
{
    public Address? Of(IpFamily family) => family == IpFamily.IPv4 ? IPv4 : IPv6;
}

/// <summary>
/// Which services a peer hears of, beyond what Calico knows: those whose labels <paramref name="Services"/> selects, to the peers that
/// <paramref name="Peers"/> names (with * and ?). A peer that no rule names hears of all.
/// </summary>
public sealed record AdvertiseRule(Selector Services, ListOf<string> Peers);

/// <summary>
/// What the plan is told beside the resources: bgpd.yaml's word, and what calico-node takes from its environment. Immutable; with a
/// snapshot it determines the plan.
/// </summary>
public sealed record PlanSettings
{
    public required string Node { get; init; }
    /// <summary>The node's name in Kubernetes, where it is another ($CALICO_K8S_NODE_REF).</summary>
    public string? KubernetesNode { get; init; }
    public CalicoRelease Release { get; init; } = CalicoRelease.Newest;
    /// <summary>Null: the node's IPv4 address, else the hash of its name.</summary>
    public RouterId? RouterId { get; init; }
    /// <summary>The hash of the node's name, whatever addresses it has ($CALICO_ROUTER_ID=hash).</summary>
    public bool HashRouterId { get; init; }
    /// <summary>Where no resource says another.</summary>
    public Asn As { get; init; } = new(64512);
    public int ListenPort { get; init; } = 179;
    /// <summary>Namespace of the Secrets that passwords are in ($NAMESPACE).</summary>
    public string SecretNamespace { get; init; } = "kube-system";
    /// <summary>CalicoNodeStatus objects are answered.</summary>
    public bool WritesStatus { get; init; }
    /// <summary>$CALICO_ADVERTISE_CLUSTER_IPS: instead of serviceClusterIPs.</summary>
    public Prefix? ClusterIPs { get; init; }
    /// <summary>$USE_POD_CIDR: the node's podCIDRs are its blocks.</summary>
    public bool UsePodCidr { get; init; }
    public ListOf<LocalWorkload> Workloads { get; init; }
    public ListOf<AdvertiseRule> Advertise { get; init; }
    /// <summary>A service's routes carry the number of its ready endpoints here as bandwidth (draft-ietf-idr-link-bandwidth).</summary>
    public bool WeighServices { get; init; }
    public BlockValidation ValidateBlocks { get; init; }
    /// <summary>All sessions are drained while the node is cordoned.</summary>
    public bool DrainOnCordon { get; init; }

    public string KubernetesName => KubernetesNode ?? Node;
}
