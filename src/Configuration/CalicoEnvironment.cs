using Calico.Bgp.Sources;
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
    /// <summary>DATASTORE_TYPE: <c>kubernetes</c> or <c>etcdv3</c>.</summary>
    public string? Datastore { get; init; }
    /// <summary>KUBECONFIG.</summary>
    public string? KubeConfig { get; init; }
    /// <summary>K8S_API_ENDPOINT.</summary>
    public string? ApiEndpoint { get; init; }
    /// <summary>The other K8S_….</summary>
    public ApiAccess Api { get; init; } = ApiAccess.Unsaid;
    /// <summary>It runs in a pod of a cluster.</summary>
    public bool IsInCluster { get; init; }
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
        Datastore = Of("DATASTORE_TYPE"),
        KubeConfig = Of("KUBECONFIG"),
        ApiEndpoint = Of("K8S_API_ENDPOINT"),
        Api = new()
        {
            Authorities = File("K8S_CA_FILE"),
            Certificate = File("K8S_CERT_FILE"),
            Key = File("K8S_KEY_FILE"),
            Token = Of("K8S_API_TOKEN") is { } token ? new(null, token) : null,
            SkipsVerification = Of("K8S_INSECURE_SKIP_TLS_VERIFY") is "true" or "1",
        },
        IsInCluster = Of("KUBERNETES_SERVICE_HOST") != null,
        Etcd = EtcdEnvironment.Read(Of),
        UsePodCidr = Of("USE_POD_CIDR") == "true",
        EndpointStatusPrefix = Of("CALICO_ENDPOINT_STATUS_PATH_PREFIX"),
    };

    private static Secreted? File(string name) => Of(name) is { } file ? new(file, null) : null;

    private static string? Of(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
