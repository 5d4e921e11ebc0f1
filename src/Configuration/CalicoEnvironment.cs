using Calico.Bgp.Sources.Kubernetes;

namespace Calico.Bgp.Configuration;

/// <summary>The variables of calico-node's manifests that BIRD and confd listened to; null where one is not set.</summary>
public sealed record CalicoEnvironment
{
    public static readonly CalicoEnvironment None = new();

    /// <summary>CALICO_ROUTER_ID: an identifier, or <c>hash</c>.</summary>
    public string? RouterId { get; init; }
    /// <summary>CALICO_K8S_NODE_REF.</summary>
    public string? KubernetesNode { get; init; }
    /// <summary>NAMESPACE.</summary>
    public string? Namespace { get; init; }
    /// <summary>The namespace of the pod that we are in; null: none.</summary>
    public string? PodNamespace { get; init; }
    /// <summary>CALICO_API_GROUP.</summary>
    public string? ApiGroup { get; init; }
    /// <summary>CALICO_ADVERTISE_CLUSTER_IPS: one prefix.</summary>
    public string? ClusterIPs { get; init; }
    /// <summary>ETCD_….</summary>
    public EtcdEnvironment Etcd { get; init; } = EtcdEnvironment.None;
    /// <summary>USE_POD_CIDR.</summary>
    public bool UsePodCidr { get; init; }
    /// <summary>CALICO_ENDPOINT_STATUS_PATH_PREFIX.</summary>
    public string? EndpointStatusPrefix { get; init; }

    public static CalicoEnvironment Read() => new()
    {
        RouterId = Of("CALICO_ROUTER_ID"),
        KubernetesNode = Of("CALICO_K8S_NODE_REF"),
        Namespace = Of("NAMESPACE"),
        PodNamespace = Account.Namespace(),
        ApiGroup = Of("CALICO_API_GROUP"),
        ClusterIPs = Of("CALICO_ADVERTISE_CLUSTER_IPS"),
        Etcd = EtcdEnvironment.Read(Of),
        UsePodCidr = Of("USE_POD_CIDR") == "true",
        EndpointStatusPrefix = Of("CALICO_ENDPOINT_STATUS_PATH_PREFIX"),
    };

    private static string? Of(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
