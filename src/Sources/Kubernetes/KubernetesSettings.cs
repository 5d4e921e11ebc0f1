namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>Where the API server is, who we are there, and what is asked of it.</summary>
public sealed record KubernetesSettings
{
    /// <summary>Null: from inside the cluster, by the account that is mounted into the pod.</summary>
    public string? KubeConfig { get; init; }
    /// <summary>Of the kubeconfig; null: its current one.</summary>
    public string? Context { get; init; }
    /// <summary>Where the Secrets are that passwords stand in.</summary>
    public string Namespace { get; init; } = "kube-system";
    /// <summary>This node's name: Secrets of BGPPeers that are another node's are not asked for.</summary>
    public string Node { get; init; } = "";
    /// <summary>What Kubernetes calls it, and its pods say; null: the same.</summary>
    public string? KubernetesNode { get; init; }
    /// <summary>First lists from the server's cache (<c>resourceVersion=0</c>): nothing of them reaches etcd, and they may be a little
    /// old.</summary>
    public bool CachedLists { get; init; }
    /// <summary>Calico's kinds are in this API group (<c>CALICO_API_GROUP</c>); null: the server is asked which it has.</summary>
    public string? CalicoGroup { get; init; }
    /// <summary>What counts before the kubeconfig, or the account.</summary>
    public ApiAccess Instead { get; init; } = ApiAccess.Unsaid;
}

/// <summary>How an API server is reached, as Calico's variables say it.</summary>
public sealed record ApiAccess
{
    public static readonly ApiAccess Unsaid = new();

    public Uri? Server { get; init; }
    public Secreted? Authorities { get; init; }
    public bool SkipsVerification { get; init; }
    public Secreted? Token { get; init; }
    public Secreted? Certificate { get; init; }
    public Secreted? Key { get; init; }
}
