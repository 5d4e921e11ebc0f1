namespace Calico.Bgp.Resources;

/// <summary>What names an object of a kind. <paramref name="Namespace"/> is empty for cluster-scoped kinds.</summary>
public readonly record struct ResourceKey(string Namespace, string Name) : IComparable<ResourceKey>
{
    public ResourceKey(string name) : this("", name) { }

    public int CompareTo(ResourceKey other)
    {
        var order = string.CompareOrdinal(Namespace, other.Namespace);
        return order != 0 ? order : string.CompareOrdinal(Name, other.Name);
    }

    public static bool operator <(ResourceKey a, ResourceKey b) => a.CompareTo(b) < 0;
    public static bool operator >(ResourceKey a, ResourceKey b) => a.CompareTo(b) > 0;
    public static bool operator <=(ResourceKey a, ResourceKey b) => a.CompareTo(b) <= 0;
    public static bool operator >=(ResourceKey a, ResourceKey b) => a.CompareTo(b) >= 0;

    /// <summary><c>namespace/name</c>, or the name alone.</summary>
    public override string ToString() => Namespace is null or "" ? Name : $"{Namespace}/{Name}";
}

/// <summary>Kind and key together.</summary>
public readonly record struct ResourceId(ResourceKind Kind, ResourceKey Key) : IComparable<ResourceId>
{
    public int CompareTo(ResourceId other) => Kind.CompareTo(other.Kind) is var order && order != 0 ? order : Key.CompareTo(other.Key);
    public static bool operator <(ResourceId a, ResourceId b) => a.CompareTo(b) < 0;
    public static bool operator >(ResourceId a, ResourceId b) => a.CompareTo(b) > 0;
    public static bool operator <=(ResourceId a, ResourceId b) => a.CompareTo(b) <= 0;
    public static bool operator >=(ResourceId a, ResourceId b) => a.CompareTo(b) >= 0;

    /// <summary><c>BGPPeer/tor1</c>, <c>Service/default/web</c>.</summary>
    public override string ToString() => $"{Kind.Word}/{Key}";
}

/// <summary>What every object has beside its own fields. What a server counts (resourceVersion, managedFields, uid) is not part of it,
/// so that an object written again unchanged compares equal.</summary>
public sealed record Metadata(string Name, string Namespace = "")
{
    public Labels Labels { get; init; } = Labels.Empty;
    public Labels Annotations { get; init; } = Labels.Empty;
}

/// <summary>An object of Calico's or Kubernetes', validated, with defaults filled in. Immutable, compared by value.</summary>
public abstract record Resource(Metadata Metadata)
{
    public abstract ResourceKind Kind { get; }
    public string Name => Metadata.Name;
    public Labels Labels => Metadata.Labels;
    public Labels Annotations => Metadata.Annotations;
    public ResourceKey Key => new(Metadata.Namespace, Metadata.Name);
    public ResourceId Id => new(Kind, Key);
}
