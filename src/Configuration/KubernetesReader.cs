using Calico.Bgp.Sources.Kubernetes;

namespace Calico.Bgp.Configuration;

/// <summary><c>kubernetes: { kubeconfig, context, namespace, cachedLists }</c>; without a kubeconfig from inside the cluster.</summary>
/// <param name="node">Ours.</param>
internal sealed class KubernetesReader(string node, CalicoEnvironment environment, Folder folder)
{
    private const int LongestNamespace = 63;

    /// <param name="kubernetes">Null: nothing is said of it.</param>
    public KubernetesSettings Read(Section? kubernetes)
    {
        var file = kubernetes?.Text("kubeconfig");
        var context = kubernetes?.Text("context");
        if (context != null && file == null) kubernetes!.Error("context", "expected the key kubeconfig beside context");
        var settings = new KubernetesSettings
        {
            KubeConfig = file == null ? null : folder.Resolve(file),
            Context = context,
            Namespace = kubernetes?.Text("namespace", LongestNamespace) ?? Namespace(inCluster: file == null),
            Node = node,
            CachedLists = kubernetes?.Flag("cachedLists", otherwise: false) ?? false,
            CalicoGroup = environment.ApiGroup,
        };
        kubernetes?.Close();
        return settings;
    }

    private string Namespace(bool inCluster) =>
        environment.Namespace ?? (inCluster ? environment.PodNamespace : null) ?? "kube-system";
}
