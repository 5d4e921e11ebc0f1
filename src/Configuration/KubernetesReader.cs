using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Sources.Kubernetes;

namespace Calico.Bgp.Configuration;

/// <summary><c>kubernetes: { kubeconfig, context, namespace, cachedLists }</c>; without a kubeconfig, or Calico's variables, from inside
/// the cluster.</summary>
/// <param name="node">Ours.</param>
internal sealed class KubernetesReader(string node, CalicoEnvironment environment, Folder folder)
{
    private const int LongestNamespace = 63;

    /// <param name="kubernetes">Null: nothing is said of it.</param>
    public KubernetesSettings Read(Section? kubernetes, Problems problems, DocumentNode at)
    {
        var file = kubernetes?.Text("kubeconfig") is { } said ? folder.Resolve(said) : environment.KubeConfig;
        var context = kubernetes?.Text("context");
        if (context != null && file == null) kubernetes!.Error("context", "expected the key kubeconfig beside context");
        var settings = new KubernetesSettings
        {
            KubeConfig = file,
            Context = context,
            Namespace = kubernetes?.Text("namespace", LongestNamespace) ?? Namespace(inCluster: file == null),
            Node = node,
            KubernetesNode = environment.KubernetesNode,
            CachedLists = kubernetes?.Flag("cachedLists", otherwise: false) ?? false,
            CalicoGroup = environment.ApiGroup,
            Instead = environment.Api with { Server = Server(problems, at) },
        };
        kubernetes?.Close();
        return settings;
    }

    private Uri? Server(Problems problems, DocumentNode at)
    {
        if (environment.ApiEndpoint is not { } endpoint) return null;
        if (Uri.TryCreate(endpoint, UriKind.Absolute, out var url) && url.Scheme is "https" or "http") return url;
        problems.Error(at, $"K8S_API_ENDPOINT: expected a URL such as https://10.0.0.1:6443, got \"{endpoint}\"");
        return null;
    }

    private string Namespace(bool inCluster) =>
        environment.Namespace ?? (inCluster ? environment.PodNamespace : null) ?? "kube-system";
}
