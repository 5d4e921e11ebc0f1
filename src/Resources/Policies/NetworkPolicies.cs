namespace Calico.Bgp.Resources.Policies;

/// <summary>A policy of whatever kind. Those that compare alike in <see cref="ApplicationOrder"/> are one.</summary>
public abstract record AnyNetworkPolicy(Metadata Metadata) : Resource(Metadata)
{
    public required PolicySpec Spec { get; init; }

    /// <summary>It is looked at, reported, and never enforced.</summary>
    public virtual bool IsStaged => false;

    /// <summary>In which policies of a tier are asked: by their order, those without one last, then by
    /// <c>name/namespace/kind</c>.</summary>
    public static readonly IComparer<AnyNetworkPolicy> ApplicationOrder = Comparer<AnyNetworkPolicy>.Create((a, b) =>
    {
        var order = (a.Spec.Order ?? double.PositiveInfinity).CompareTo(b.Spec.Order ?? double.PositiveInfinity);
        return order != 0 ? order : string.CompareOrdinal(a.SortName, b.SortName);
    });

    private string SortName => $"{Name}/{Metadata.Namespace}/{Kind.Word}";
}

public sealed record NetworkPolicy(Metadata Metadata) : AnyNetworkPolicy(Metadata)
{
    public override ResourceKind Kind => Kinds.NetworkPolicy;
}

public sealed record GlobalNetworkPolicy(Metadata Metadata) : AnyNetworkPolicy(Metadata)
{
    public override ResourceKind Kind => Kinds.GlobalNetworkPolicy;
}

/// <summary>networking.k8s.io: tier <c>default</c>, order 1000.</summary>
public sealed record KubernetesNetworkPolicy(Metadata Metadata) : AnyNetworkPolicy(Metadata)
{
    public override ResourceKind Kind => Kinds.KubernetesNetworkPolicy;
}

/// <summary>policy.networking.k8s.io: before all others (Admin) or after them (Baseline).</summary>
public sealed record ClusterNetworkPolicy(Metadata Metadata) : AnyNetworkPolicy(Metadata)
{
    public override ResourceKind Kind => Kinds.ClusterNetworkPolicy;
}

/// <summary>What ClusterNetworkPolicy was called first.</summary>
public sealed record AdminNetworkPolicy(Metadata Metadata) : AnyNetworkPolicy(Metadata)
{
    public override ResourceKind Kind => Kinds.AdminNetworkPolicy;
}

public sealed record BaselineAdminNetworkPolicy(Metadata Metadata) : AnyNetworkPolicy(Metadata)
{
    public override ResourceKind Kind => Kinds.BaselineAdminNetworkPolicy;
}

public enum StagedAction : byte { Set, Delete, Learn, Ignore }

public abstract record AnyStagedPolicy(Metadata Metadata) : AnyNetworkPolicy(Metadata)
{
    public override bool IsStaged => true;
    public StagedAction StagedAction { get; init; }
}

public sealed record StagedNetworkPolicy(Metadata Metadata) : AnyStagedPolicy(Metadata)
{
    public override ResourceKind Kind => Kinds.StagedNetworkPolicy;
}

public sealed record StagedGlobalNetworkPolicy(Metadata Metadata) : AnyStagedPolicy(Metadata)
{
    public override ResourceKind Kind => Kinds.StagedGlobalNetworkPolicy;
}

public sealed record StagedKubernetesNetworkPolicy(Metadata Metadata) : AnyStagedPolicy(Metadata)
{
    public override ResourceKind Kind => Kinds.StagedKubernetesNetworkPolicy;
}
