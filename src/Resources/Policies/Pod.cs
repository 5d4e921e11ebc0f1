using System.Text;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Resources.Policies;

/// <summary>What is sent to a port of the node and is the pod's.</summary>
/// <param name="At">The node's address; null: any.</param>
/// <param name="Protocol">TCP, UDP or SCTP.</param>
public sealed record HostPort(Address? At, ushort Port, byte Protocol, ushort ContainerPort);

/// <summary>
/// A pod, of which only what its endpoint follows from is kept: there are many. Labels are the endpoint's: the pod's own but for those
/// that would pass for inherited ones, and what Calico adds.
/// </summary>
public sealed record Pod(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.Pod;

    /// <summary>Null: it runs nowhere yet.</summary>
    public string? Node { get; init; }
    public bool IsHostNetwork { get; init; }
    /// <summary>Its addresses (/32, /128). Empty: it has none yet, or has none any more.</summary>
    public ListOf<Prefix> Nets { get; init; }
    public ListOf<string> Profiles { get; init; }
    public ListOf<NamedPort> Ports { get; init; }
    public ListOf<HostPort> HostPorts { get; init; }
    /// <summary>Sources that it may use beside its own addresses.</summary>
    public ListOf<Prefix> AllowedSpoofedPrefixes { get; init; }
    /// <summary>Its condition Ready is true.</summary>
    public bool IsReady { get; init; }
    /// <summary>By which gateways it is to leave the cluster; null: its annotations do not say.</summary>
    public EgressWish? Egress { get; init; }
    /// <summary>Of one of its gateways; null: nobody has told it of any.</summary>
    public EgressMaintenance? Maintenance { get; init; }

    /// <summary>Null: it has none, or none that can be used yet.</summary>
    /// <param name="interfacePrefix">What names of workloads' interfaces begin with.</param>
    public WorkloadEndpoint? Endpoint(string interfacePrefix)
    {
        if (IsHostNetwork || Node == null || Nets.Count == 0) return null;
        return new(Metadata with { Name = $"{Doubled(Node)}-k8s-{Doubled(Name)}-eth0" })
        {
            Node = Node,
            Interface = InterfaceName(interfacePrefix),
            Nets = Nets,
            Profiles = Profiles,
            Ports = Ports,
            AllowedSpoofedPrefixes = AllowedSpoofedPrefixes,
            Egress = Egress,
            Maintenance = Maintenance,
            Orchestrator = "k8s",
            Workload = $"{Metadata.Namespace}/{Name}",
            Endpoint = "eth0",
        };
    }

    /// <summary>The veth that a CNI plugin makes on the node: 15 characters in all.</summary>
    public string InterfaceName(string prefix)
    {
        Span<byte> hash = stackalloc byte[Sha1.Size];
        Sha1.Hash(Encoding.UTF8.GetBytes($"{Metadata.Namespace}.{Name}"), hash);
        return $"{prefix}{Convert.ToHexStringLower(hash)[..11]}";
    }

    /// <summary>A dash separates the parts of the name.</summary>
    private static string Doubled(string part) => part.Replace("-", "--", StringComparison.Ordinal);
}
