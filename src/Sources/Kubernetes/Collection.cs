using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>Objects of one kind that are asked for together, and watched by one watch.</summary>
/// <param name="Namespace">Empty: of all, or the kind has none.</param>
/// <param name="Only">The one object of this name; null: all.</param>
internal sealed record Collection(ResourceKind Kind, string Namespace = "", string? Only = null)
{
    /// <summary>Where an API server has them, with what is asked of it; parameters follow behind a <c>&amp;</c>.</summary>
    public string Path(ApiName name) =>
        $"{name.Path(Namespace)}?{(Only == null ? "" : $"fieldSelector=metadata.name%3D{Uri.EscapeDataString(Only)}&")}";

    public override string ToString() => Only == null ? Kind.Word : $"{Kind.Word} {Namespace}/{Only}";
}
