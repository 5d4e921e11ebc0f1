namespace Calico.Bgp.Resources.Egress;

/// <summary>A table of routes of its own for what gateways send out (projectcalico.org/v3).</summary>
public sealed record ExternalNetwork(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.ExternalNetwork;

    /// <summary>Tables of ways to gateways, which are the daemon's own: no network's.</summary>
    public const int FirstOfWays = 700_001, MostWays = 0xffff;

    /// <summary>routeTableIndex: the kernel's number of it.</summary>
    public int RouteTable { get; init; }
}
