using Calico.Bgp.Conformance.Golden;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>Where the objects lie that the nodes of a rack follow.</summary>
internal interface IObjects : IAsyncDisposable
{
    /// <summary>As <c>sources</c> of bgpd.yaml name it.</summary>
    string Source { get; }

    void Apply(params Manifest[] objects);

    void Delete(string kind, string name);

    /// <summary>As <c>kubectl cordon</c> and <c>uncordon</c> do it, to Kubernetes' half of a node.</summary>
    void Cordon(string node, bool cordoned);
}

/// <summary>The folder of manifests that the nodes watch. A file appears whole: it is written beside and renamed.</summary>
internal sealed class ResourceFolder : IObjects, IDisposable
{
    private readonly Scratch folder = new("resources");

    public string Path => folder.Path;
    public string Source => $"{{ files: {Path} }}";

    public void Apply(params Manifest[] objects)
    {
        foreach (var one in objects)
        {
            var file = FileOf(one.Kind, one.Name);
            File.WriteAllText(file + ".tmp", one.Text);
            File.Move(file + ".tmp", file, true);
        }
    }

    public void Delete(string kind, string name) => File.Delete(FileOf(kind, name));

    /// <summary>Beside Calico's half, in a file of its own.</summary>
    public void Cordon(string node, bool cordoned)
    {
        const string Kind = "Node-of-Kubernetes";
        if (!cordoned) Delete(Kind, node);
        else
            Apply(new Manifest(
                Kind, node, $"{{ apiVersion: v1, kind: Node, metadata: {{ name: {node} }}, spec: {{ unschedulable: true }} }}"));
    }

    private string FileOf(string kind, string name) => folder.PathOf($"{kind}.{name}.yaml");

    public void Dispose() => folder.Dispose();

    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }
}
