using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

/// <summary>A node's address with the network that it lies in; a bare address is its own network (/32, /128).</summary>
public sealed record InterfaceAddress(Address Address, Prefix Network)
{
    public override string ToString() => $"{Address}/{Network.Length}";
}

/// <param name="Type">InternalIP, ExternalIP, Hostname, CalicoNodeIP…; empty where nothing is said.</param>
public sealed record NodeAddress(Address Address, string Type);

/// <summary>
/// A node as the BGP side sees it. Read from Calico's Node, or from Kubernetes' with Calico's annotations; where both are there, Calico's
/// own fields win and Kubernetes' labels lie over Calico's (<see cref="Join"/>). Malformed values of annotations are warned of and
/// left out.
/// </summary>
public sealed record Node(Metadata Metadata) : Resource(Metadata)
{
    /// <summary><see cref="Kinds.KubernetesNode"/> only on the way into the store.</summary>
    public override ResourceKind Kind => FromKubernetes ? Kinds.KubernetesNode : Kinds.Node;

    internal bool FromKubernetes { get; init; }

    public InterfaceAddress? IPv4 { get; init; }
    public InterfaceAddress? IPv6 { get; init; }
    /// <summary>Null: the global one.</summary>
    public Asn? AsNumber { get; init; }
    /// <summary>The node is a route reflector.</summary>
    public RouterId? RouteReflectorClusterId { get; init; }
    public Address? IPv4IpipTunnelAddress { get; init; }
    public Address? IPv4VxlanTunnelAddress { get; init; }
    public Address? IPv6VxlanTunnelAddress { get; init; }
    public Address? IPv4WireguardAddress { get; init; }
    public Address? IPv6WireguardAddress { get; init; }
    public string? WireguardPublicKey { get; init; }
    public string? WireguardPublicKeyV6 { get; init; }
    public ListOf<Prefix> PodCidrs { get; init; }
    /// <summary>spec.addresses of Calico's, status.addresses of Kubernetes'; names among them are left out.</summary>
    public ListOf<NodeAddress> Addresses { get; init; }

    /// <summary>It takes no new pods (<c>kubectl cordon</c>); Kubernetes' own.</summary>
    public bool Unschedulable { get; init; }
    /// <summary>Kubernetes has not heard of it for a while, or it says itself that it does not work: its condition Ready is not
    /// True.</summary>
    public bool IsNotReady { get; init; }

    public InterfaceAddress? Of(IpFamily family) => family == IpFamily.IPv4 ? IPv4 : IPv6;

    internal static Node? Join(Node? calico, Node? kubernetes) =>
        kubernetes == null ? calico : calico == null ? kubernetes with { FromKubernetes = false } : Joined(calico, kubernetes);

    private static Node Joined(Node calico, Node kubernetes) => calico with
    {
        Metadata = calico.Metadata with
        {
            Labels = calico.Labels.With(kubernetes.Labels),
            Annotations = calico.Annotations.With(kubernetes.Annotations),
        },
        IPv4 = calico.IPv4 ?? kubernetes.IPv4,
        IPv6 = calico.IPv6 ?? kubernetes.IPv6,
        AsNumber = calico.AsNumber ?? kubernetes.AsNumber,
        RouteReflectorClusterId = calico.RouteReflectorClusterId ?? kubernetes.RouteReflectorClusterId,
        IPv4IpipTunnelAddress = calico.IPv4IpipTunnelAddress ?? kubernetes.IPv4IpipTunnelAddress,
        IPv4VxlanTunnelAddress = calico.IPv4VxlanTunnelAddress ?? kubernetes.IPv4VxlanTunnelAddress,
        IPv6VxlanTunnelAddress = calico.IPv6VxlanTunnelAddress ?? kubernetes.IPv6VxlanTunnelAddress,
        IPv4WireguardAddress = calico.IPv4WireguardAddress ?? kubernetes.IPv4WireguardAddress,
        IPv6WireguardAddress = calico.IPv6WireguardAddress ?? kubernetes.IPv6WireguardAddress,
        WireguardPublicKey = calico.WireguardPublicKey ?? kubernetes.WireguardPublicKey,
        WireguardPublicKeyV6 = calico.WireguardPublicKeyV6 ?? kubernetes.WireguardPublicKeyV6,
        PodCidrs = calico.PodCidrs.Count > 0 ? calico.PodCidrs : kubernetes.PodCidrs,
        Unschedulable = kubernetes.Unschedulable,
        IsNotReady = kubernetes.IsNotReady,
        Addresses = [.. calico.Addresses.Concat(kubernetes.Addresses).Distinct()],
    };
}
