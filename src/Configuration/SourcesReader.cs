using System.Collections.Immutable;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Configuration;

/// <summary><c>sources</c>: where Calico and Kubernetes objects come from. What is in Kubernetes is only checked yet.</summary>
internal sealed class SourcesReader(Section root, Folder folder, EtcdReader etcd)
{
    public ImmutableArray<SourceConfig> Read()
    {
        var sources = root.Sections("sources").Select(Source).OfType<SourceConfig>().ToImmutableArray();
        if (sources.Any(source => source is KubernetesSource))
            root.Problems.Warn(root.At("sources"), "kubernetes is not acted on yet: objects come from files and etcd alone");
        return sources;
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

    private KubernetesSource? Kubernetes(Section source)
    {
        if (!source.Has("kubernetes")) return null;
        var kubernetes = source.Child("kubernetes");
        var file = kubernetes?.Text("kubeconfig");
        kubernetes?.Close();
        return new(file == null ? null : folder.Resolve(file));
    }

    private EtcdSource? Etcd(Section source) =>
        source.Has("etcd") ? new(etcd.Read(source.Child("etcd"), source.Problems, source.At("etcd"))) : null;
}
