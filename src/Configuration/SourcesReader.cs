using System.Collections.Immutable;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Configuration;

/// <summary><c>sources</c>: where Calico and Kubernetes objects come from. Where the file does not say it, DATASTORE_TYPE does.</summary>
internal sealed class SourcesReader(
    Section root, Folder folder, CalicoEnvironment environment, KubernetesReader kubernetes, EtcdReader etcd)
{
    public ImmutableArray<SourceConfig> Read() => root.Has("sources")
        ? [.. root.Sections("sources").Select(Source).OfType<SourceConfig>()] : [.. OfEnvironment()];

    /// <summary>What is in no etcd (Services, EndpointSlices, Secrets) comes from the API server, if there is one.</summary>
    private IEnumerable<SourceConfig> OfEnvironment()
    {
        var isReachable = environment is { KubeConfig: not null } or { ApiEndpoint: not null } or { IsInCluster: true };
        switch (environment.Datastore)
        {
            case null:
                yield break;
            case "kubernetes":
                yield return new KubernetesSource(kubernetes.Read(null, root.Problems, root.Node));
                yield break;
            case "etcdv3":
                yield return new EtcdSource(etcd.Read(null, root.Problems, root.Node));
                if (isReachable) yield return new KubernetesSource(kubernetes.Read(null, root.Problems, root.Node));
                yield break;
            case var other:
                root.Problems.Error(root.Node, $"DATASTORE_TYPE: expected kubernetes or etcdv3, got \"{other}\"");
                yield break;
        }
    }

    private SourceConfig? Source(Section source)
    {
        SourceConfig?[] kinds = [Files(source), Kubernetes(source), Etcd(source)];
        source.Close();
        if (Named.Count(source.Has) is not 1 and var count)
            source.Problems.Error(source.Node, $"expected one of files, kubernetes and etcd in a source, got {count} of them");
        return kinds.FirstOrDefault(kind => kind != null);
    }

    private static readonly TimeSpan LongestPatience = TimeSpan.FromHours(24);
    private static readonly string[] Named = ["files", "kubernetes", "etcd"];

    private FileSource? Files(Section source)
    {
        var usual = FolderRules.Default;
        var rules = new FolderRules
        {
            EmptyAfter = source.Duration("emptyAfter", TimeSpan.Zero, LongestPatience) ?? usual.EmptyAfter,
            LossAfter = source.Duration("lossAfter", TimeSpan.Zero, LongestPatience) ?? usual.LossAfter,
            MaxSize = source.Value("maxSize", Scalars.Size(1 << 10, 1 << 30)) ?? usual.MaxSize,
        };
        if (source.Text("files") is { } files) return new(folder.Resolve(files), rules);
        foreach (var key in (string[])["emptyAfter", "lossAfter", "maxSize"])
            if (source.Has(key)) source.Error(key, $"expected the key files beside {key}");
        return null;
    }

    private KubernetesSource? Kubernetes(Section source) =>
        source.Has("kubernetes")
            ? new(kubernetes.Read(source.Child("kubernetes"), source.Problems, source.At("kubernetes"))) : null;

    private EtcdSource? Etcd(Section source) =>
        source.Has("etcd") ? new(etcd.Read(source.Child("etcd"), source.Problems, source.At("etcd"))) : null;
}
