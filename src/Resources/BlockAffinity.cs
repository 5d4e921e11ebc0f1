using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

/// <summary>None: data from before there were states, which counts as confirmed.</summary>
public enum AffinityState : byte { None, Pending, Confirmed, PendingDeletion }
public enum AffinityType : byte { Host, Virtual }

/// <summary>BlockAffinity: a block of pod addresses that belongs to a node.</summary>
public sealed record BlockAffinity(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.BlockAffinity;

    public AffinityState State { get; init; }
    public required string Node { get; init; }
    public AffinityType Type { get; init; }
    public required Prefix Cidr { get; init; }
    /// <summary>On its way out; readers take it as gone.</summary>
    public bool Deleted { get; init; }
}
