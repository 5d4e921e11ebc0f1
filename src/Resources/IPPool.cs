using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

public enum EncapsulationMode : byte { Never, Always, CrossSubnet }
public enum AssignmentMode : byte { Automatic, Manual }
/// <summary>What NAT of this node does for a pool whose addresses the network upstream translates.</summary>
public enum UpstreamNat : byte { Prefer, Require, Ignore }

[Flags]
public enum PoolUses : byte { None = 0, Workload = 1, Tunnel = 2, LoadBalancer = 4, HostSecondaryInterface = 8 }

/// <summary>IPPool: addresses for pods, and how they are reached, announced and translated.</summary>
public sealed record IPPool(Metadata Metadata) : Resource(Metadata)
{
    public const string UpstreamNatAnnotation = "nat.bgpd/upstream";

    public override ResourceKind Kind => Kinds.IPPool;

    public required Prefix Cidr { get; init; }
    public EncapsulationMode IpipMode { get; init; }
    public EncapsulationMode VxlanMode { get; init; }
    public bool NatOutgoing { get; init; }
    /// <summary>No new addresses are taken from it; for announcements and NAT it counts as ever.</summary>
    public bool Disabled { get; init; }
    public bool DisableBgpExport { get; init; }
    /// <summary>Default: 26, or 122.</summary>
    public required int BlockSize { get; init; }
    public Selector NodeSelector { get; init; } = Selector.All;
    /// <summary>Null: not said.</summary>
    public Selector? NamespaceSelector { get; init; }
    public PoolUses AllowedUses { get; init; } = PoolUses.Workload | PoolUses.Tunnel;
    public AssignmentMode AssignmentMode { get; init; }
    /// <summary>From <see cref="UpstreamNatAnnotation"/>; null: not said.</summary>
    public UpstreamNat? UpstreamNat { get; init; }
}
