using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>Objects of one kind that are asked for together, and watched by one watch.</summary>
/// <param name="Namespace">Empty: of all, or the kind has none.</param>
/// <param name="Only">The one object of this name; null: all.</param>
internal sealed record Collection(ResourceKind Kind, string Namespace = "", string? Only = null)
{
    /// <summary>Of Pods those of this node alone; null: all.</summary>
    public string? OnNode { get; init; }

    /// <summary>Where an API server has them, with what is asked of it; parameters follow behind a <c>&amp;</c>.</summary>
    public string Path(ApiName name) => $"{name.Path(Namespace)}?{(Selector is var (field, value)
        ? $"fieldSelector={field}%3D{Uri.EscapeDataString(value)}&" : "")}";

    private (string Field, string Value)? Selector =>
        Only != null ? ("metadata.name", Only) : OnNode != null ? ("spec.nodeName", OnNode) : null;

    public override string ToString() => Only == null ? Kind.Word : $"{Kind.Word} {Namespace}/{Only}";
}
