using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

public enum NatOutgoingExclusions : byte { IPPoolsOnly, IPPoolsAndHostIPs }
public enum ServiceLoopPrevention : byte { Drop, Reject, Disabled }
/// <summary>What becomes of a pod's packets to its own node that the pod's policy allows.</summary>
public enum EndpointToHostAction : byte { Drop, Return, Accept }
/// <summary>Whether gateways may have networks of their own.</summary>
public enum ExternalNetworkSupport : byte { Disabled, Enabled }
/// <summary>Whose annotations choose egress gateways.</summary>
public enum EgressSupport : byte { Disabled, EnabledPerNamespace, EnabledPerNamespaceOrPerPod }
/// <summary>How a packet is denied.</summary>
public enum DenyAction : byte { Drop, Reject }

/// <summary>A port that stays open whatever policies say.</summary>
/// <param name="Net">From where, or to where; null: anywhere.</param>
public readonly record struct FailsafePort(byte Protocol, ushort Port, Prefix? Net)
{
    public override string ToString() => $"{Protocol}:{Port}{(Net is { } net ? $" {net}" : "")}";
}

/// <summary>Addresses from one to another, both included; often one.</summary>
public readonly record struct AddressRange(Address First, Address Last)
{
    public override string ToString() => First == Last ? $"{First}" : $"{First}-{Last}";
}

public readonly record struct PortRange(int First, int Last)
{
    public override string ToString() => First == Last ? $"{First}" : $"{First}:{Last}";
}

/// <summary>What a packet waits for where rules go by names.</summary>
public enum DnsPolicyMode : byte
{
    /// <summary>For nothing: the first ones may come before the address is open.</summary>
    NoDelay,
    /// <summary>One that rules with names would deny waits, and is judged again.</summary>
    DelayDeniedPacket,
    /// <summary>The response waits until its addresses are open.</summary>
    DelayDNSResponse,
}

/// <summary>Whose responses are believed: an address, or the endpoints of a service.</summary>
/// <param name="Service">Null: <paramref name="Address"/> is said.</param>
public readonly record struct DnsServer(Address? Address, ResourceKey? Service, ushort Port)
{
    public const ushort DefaultPort = 53;

    /// <summary>Where the object names none.</summary>
    public static readonly ListOf<DnsServer> Default = [new(null, new("kube-system", "kube-dns"), DefaultPort)];

    /// <summary>As the object writes it.</summary>
    public override string ToString() => Service is { } service ? $"k8s-service:{service.Namespace}/{service.Name}:{Port}"
        : Address is { IsIPv4: false } ? $"[{Address}]:{Port}" : $"{Address}:{Port}";
}

/// <summary>
/// FelixConfiguration, of which only what concerns routing, NAT and policy is read: <c>default</c> speaks for all nodes,
/// <c>node.NAME</c> for one, field by field. Null: the object does not say. Fields that are not here are Felix's own business, and nobody
/// is warned of them.
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
    /// <summary>externalNodesList: further hosts for <see cref="Resources.NatOutgoingExclusions.IPPoolsAndHostIPs"/>, and at the other
    /// ends of tunnels.</summary>
    public ListOf<Prefix> ExternalNodes { get; init; }
    public bool? IpipEnabled { get; init; }
    public bool? VxlanEnabled { get; init; }
    /// <summary>Null: 4789.</summary>
    public int? VxlanPort { get; init; }
    public int? VxlanVni { get; init; }
    public bool? WireguardEnabled { get; init; }
    public bool? WireguardEnabledV6 { get; init; }
    /// <summary>Null: 51820.</summary>
    public int? WireguardListeningPort { get; init; }
    /// <summary>Null: 51821.</summary>
    public int? WireguardListeningPortV6 { get; init; }
    /// <summary>Prefixes of workload interfaces' names, comma separated in the resource; empty: <c>cali</c>.</summary>
    public ListOf<string> InterfacePrefixes { get; init; }
    /// <summary>rtm_protocol of Felix's routes; null: 80.</summary>
    public int? DeviceRouteProtocol { get; init; }
    public bool? RemoveExternalRoutes { get; init; }
    public ServiceLoopPrevention? ServiceLoopPrevention { get; init; }
    public bool? FloatingIPs { get; init; }
    /// <summary>Null: Felix's own list. An empty one: no port.</summary>
    public ListOf<FailsafePort>? FailsafeInboundHostPorts { get; init; }
    public ListOf<FailsafePort>? FailsafeOutboundHostPorts { get; init; }
    /// <summary>Null: Drop.</summary>
    public EndpointToHostAction? DefaultEndpointToHostAction { get; init; }
    /// <summary>nftablesFilterDenyAction, or iptablesFilterDenyAction. Null: Drop.</summary>
    public DenyAction? FilterDenyAction { get; init; }
    public bool? AllowVxlanPacketsFromWorkloads { get; init; }
    public bool? AllowIpipPacketsFromWorkloads { get; init; }
    /// <summary>Packets that belong to no connection are not dropped for that.</summary>
    public bool? DisableConntrackInvalidCheck { get; init; }
    /// <summary>Null: <see cref="DnsServer.Default"/>. An empty list: nobody.</summary>
    public ListOf<DnsServer>? DnsTrustedServers { get; init; }
    /// <summary>How much longer than their TTL addresses stay open; null: not.</summary>
    public TimeSpan? DnsExtraTtl { get; init; }
    /// <summary>Where what was looked up outlives a restart.</summary>
    public string? DnsCacheFile { get; init; }
    /// <summary>Null: 60 s.</summary>
    public TimeSpan? DnsCacheSaveInterval { get; init; }
    /// <summary>Another number: all that was looked up is forgotten. Null: 0.</summary>
    public int? DnsCacheEpoch { get; init; }
    /// <summary>nftablesDNSPolicyMode. Null: bgpd.yaml says.</summary>
    public DnsPolicyMode? DnsPolicyMode { get; init; }

    /// <summary>egressIPSupport. Null: of both.</summary>
    public EgressSupport? EgressSupport { get; init; }
    /// <summary>egressIPRoutingRulePriority. Null: 100.</summary>
    public int? EgressRulePriority { get; init; }
    /// <summary>Null: disabled, as in Calico.</summary>
    public ExternalNetworkSupport? ExternalNetworks { get; init; }
    /// <summary>externalNetworkRoutingRulePriority. Null: 102.</summary>
    public int? ExternalNetworkRulePriority { get; init; }
    /// <summary>egressIPVXLANPort. Null: 4790.</summary>
    public int? EgressVxlanPort { get; init; }
    /// <summary>egressIPVXLANVNI. Null: 4097.</summary>
    public int? EgressVxlanNetwork { get; init; }

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
            WireguardListeningPort = node.WireguardListeningPort ?? global.WireguardListeningPort,
            WireguardListeningPortV6 = node.WireguardListeningPortV6 ?? global.WireguardListeningPortV6,
            InterfacePrefixes = node.InterfacePrefixes.Count > 0 ? node.InterfacePrefixes : global.InterfacePrefixes,
            DeviceRouteProtocol = node.DeviceRouteProtocol ?? global.DeviceRouteProtocol,
            RemoveExternalRoutes = node.RemoveExternalRoutes ?? global.RemoveExternalRoutes,
            ServiceLoopPrevention = node.ServiceLoopPrevention ?? global.ServiceLoopPrevention,
            FloatingIPs = node.FloatingIPs ?? global.FloatingIPs,
            FailsafeInboundHostPorts = node.FailsafeInboundHostPorts ?? global.FailsafeInboundHostPorts,
            FailsafeOutboundHostPorts = node.FailsafeOutboundHostPorts ?? global.FailsafeOutboundHostPorts,
            DefaultEndpointToHostAction = node.DefaultEndpointToHostAction ?? global.DefaultEndpointToHostAction,
            FilterDenyAction = node.FilterDenyAction ?? global.FilterDenyAction,
            AllowVxlanPacketsFromWorkloads = node.AllowVxlanPacketsFromWorkloads ?? global.AllowVxlanPacketsFromWorkloads,
            AllowIpipPacketsFromWorkloads = node.AllowIpipPacketsFromWorkloads ?? global.AllowIpipPacketsFromWorkloads,
            EgressSupport = node.EgressSupport ?? global.EgressSupport,
            EgressRulePriority = node.EgressRulePriority ?? global.EgressRulePriority,
            ExternalNetworks = node.ExternalNetworks ?? global.ExternalNetworks,
            ExternalNetworkRulePriority = node.ExternalNetworkRulePriority ?? global.ExternalNetworkRulePriority,
            EgressVxlanPort = node.EgressVxlanPort ?? global.EgressVxlanPort,
            EgressVxlanNetwork = node.EgressVxlanNetwork ?? global.EgressVxlanNetwork,
            DisableConntrackInvalidCheck = node.DisableConntrackInvalidCheck ?? global.DisableConntrackInvalidCheck,
            DnsTrustedServers = node.DnsTrustedServers ?? global.DnsTrustedServers,
            DnsExtraTtl = node.DnsExtraTtl ?? global.DnsExtraTtl,
            DnsCacheFile = node.DnsCacheFile ?? global.DnsCacheFile,
            DnsCacheSaveInterval = node.DnsCacheSaveInterval ?? global.DnsCacheSaveInterval,
            DnsCacheEpoch = node.DnsCacheEpoch ?? global.DnsCacheEpoch,
            DnsPolicyMode = node.DnsPolicyMode ?? global.DnsPolicyMode,
        };
    }
}
