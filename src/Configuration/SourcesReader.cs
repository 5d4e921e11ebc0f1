using System.Collections.Immutable;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Configuration;

/// <summary><c>sources</c>: where Calico and Kubernetes objects come from. Files are read; the others are only checked yet.</summary>
internal sealed class SourcesReader(Section root, Folder folder)
{
    public ImmutableArray<SourceConfig> Read()
    {
        var sources = root.Sections("sources").Select(Source).OfType<SourceConfig>().ToImmutableArray();
        if (sources.Any(source => source is not FileSource))
            root.Problems.Warn(root.At("sources"), "kubernetes and etcd are not acted on yet: objects come from files alone");
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

    private static EtcdSource? Etcd(Section source)
    {
        if (source.Child("etcd") is not { } etcd) return null;
        var endpoints = etcd.List("endpoints");
        if (endpoints.Count == 0) etcd.Problems.Error(etcd.Node, "expected the key endpoints with at least one URL, got none");
        foreach (var endpoint in endpoints)
            if (!IsUrl(endpoint))
                etcd.Problems.Error(endpoint, $"expected a URL such as http://127.0.0.1:2379, got {endpoint.Kind}");
        etcd.Close();
        return new(string.Join(",", endpoints.OfType<ScalarNode>().Select(url => url.Text)));
    }

    private static bool IsUrl(DocumentNode node) =>
        node is ScalarNode url && Uri.TryCreate(url.Text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";
}
