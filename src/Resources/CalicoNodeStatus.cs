namespace Calico.Bgp.Resources;

[Flags]
public enum NodeStatusClasses : byte { None = 0, Agent = 1, BGP = 2, Routes = 4 }

/// <summary>CalicoNodeStatus: an order to the named node to report its state into this object. The status part is ours to write, not
/// to read.</summary>
public sealed record CalicoNodeStatus(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.CalicoNodeStatus;

    public required string Node { get; init; }
    public NodeStatusClasses Classes { get; init; }
    /// <summary>Null: not said (10 s); zero is off.</summary>
    public TimeSpan? UpdatePeriod { get; init; }
}
