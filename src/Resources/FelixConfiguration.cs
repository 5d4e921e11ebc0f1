using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

public enum NatOutgoingExclusions : byte { IPPoolsOnly, IPPoolsAndHostIPs }
public enum ServiceLoopPrevention : byte { Drop, Reject, Disabled }

/// <summary>Addresses from one to another, both included; often one.</summary>
public readonly record struct AddressRange(Address First, Address Last)
{
    public override string ToString() => First == Last ? $"{First}" : $"{First}-{Last}";
}

public readonly record struct PortRange(int First, int Last)
{
    public override string ToString() => First == Last ? $"{First}" : $"{First}:{Last}";
}

/// <summary>
/// FelixConfiguration, of which only what concerns routing and NAT is read: <c>default</c> speaks for all nodes, <c>node.NAME</c> for one,
/// field by field. Null: the object does not say. Fields that are not here are Felix's own business, and nobody is warned of them.
/// </summary>
public sealed record FelixConfiguration(Metadata Metadata) : Resource(Metadata)
{
    public const string Default = "default";
    public const string NodePrefix = "node.";

    public override ResourceKind Kind => Kinds.FelixConfiguration;

    public ClusterRoutes? ProgramClusterRoutes { get; init; }
    /// <summary>Calico takes one IPv4 address; here lists and ranges, of both families.</summary>
    public ListOf<AddressRange> NatOutgoingAddress { get; init; }
    public PortRange? NatPortRange { get; init; }
    public NatOutgoingExclusions? NatOutgoingExclusions { get; init; }
    /// <summary>natOutgoingInterfaceFilter, or iptablesNATOutgoingInterfaceFilter; a trailing <c>+</c> stands for any characters.</summary>
    public string? NatOutgoingInterfaceFilter { get; init; }
    /// <summary>externalNodesList: further hosts for <see cref="Resources.NatOutgoingExclusions.IPPoolsAndHostIPs"/>.</summary>
    public ListOf<Prefix> ExternalNodes { get; init; }
    public bool? IpipEnabled { get; init; }
    public bool? VxlanEnabled { get; init; }
    /// <summary>Null: 4789.</summary>
    public int? VxlanPort { get; init; }
    public int? VxlanVni { get; init; }
    public bool? WireguardEnabled { get; init; }
    public bool? WireguardEnabledV6 { get; init; }
    /// <summary>Prefixes of workload interfaces' names, comma separated in the resource; empty: <c>cali</c>.</summary>
    public ListOf<string> InterfacePrefixes { get; init; }
    /// <summary>rtm_protocol of Felix's routes; null: 80.</summary>
    public int? DeviceRouteProtocol { get; init; }
    public bool? RemoveExternalRoutes { get; init; }
    public ServiceLoopPrevention? ServiceLoopPrevention { get; init; }
    public bool? FloatingIPs { get; init; }

    /// <summary>What a node's own object says over what the global one says. Either may be missing.</summary>
    public static FelixConfiguration Effective(FelixConfiguration? global, FelixConfiguration? node)
    {
        if (global == null || node == null) return node ?? global ?? new FelixConfiguration(new Metadata(Default));
        return node with
        {
            ProgramClusterRoutes = node.ProgramClusterRoutes ?? global.ProgramClusterRoutes,
            NatOutgoingAddress = node.NatOutgoingAddress.Count > 0 ? node.NatOutgoingAddress : global.NatOutgoingAddress,
            NatPortRange = node.NatPortRange ?? global.NatPortRange,
            NatOutgoingExclusions = node.NatOutgoingExclusions ?? global.NatOutgoingExclusions,
            NatOutgoingInterfaceFilter = node.NatOutgoingInterfaceFilter ?? global.NatOutgoingInterfaceFilter,
            ExternalNodes = node.ExternalNodes.Count > 0 ? node.ExternalNodes : global.ExternalNodes,
            IpipEnabled = node.IpipEnabled ?? global.IpipEnabled,
            VxlanEnabled = node.VxlanEnabled ?? global.VxlanEnabled,
            VxlanPort = node.VxlanPort ?? global.VxlanPort,
            VxlanVni = node.VxlanVni ?? global.VxlanVni,
            WireguardEnabled = node.WireguardEnabled ?? global.WireguardEnabled,
            WireguardEnabledV6 = node.WireguardEnabledV6 ?? global.WireguardEnabledV6,
            InterfacePrefixes = node.InterfacePrefixes.Count > 0 ? node.InterfacePrefixes : global.InterfacePrefixes,
            DeviceRouteProtocol = node.DeviceRouteProtocol ?? global.DeviceRouteProtocol,
            RemoveExternalRoutes = node.RemoveExternalRoutes ?? global.RemoveExternalRoutes,
            ServiceLoopPrevention = node.ServiceLoopPrevention ?? global.ServiceLoopPrevention,
            FloatingIPs = node.FloatingIPs ?? global.FloatingIPs,
        };
    }
}
