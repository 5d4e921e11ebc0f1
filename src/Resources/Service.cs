using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

public enum ServiceType : byte { ClusterIP, NodePort, LoadBalancer, ExternalName }
public enum TrafficPolicy : byte { Cluster, Local }
public enum ServiceProtocol : byte { TCP, UDP, SCTP }

/// <param name="NodePort">0: none.</param>
public sealed record ServicePort(string Name, ServiceProtocol Protocol, int Port, int NodePort);

/// <summary>A Kubernetes Service, with the defaults that an API server would have filled in.</summary>
public sealed record Service(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.Service;

    public ServiceType Type { get; init; }
    /// <summary>Empty: headless, not assigned, or an ExternalName.</summary>
    public ListOf<Address> ClusterIPs { get; init; }
    /// <summary><c>clusterIP: None</c>.</summary>
    public bool Headless { get; init; }
    public ListOf<IpFamily> IpFamilies { get; init; }
    public ListOf<Address> ExternalIPs { get; init; }
    public Address? LoadBalancerIP { get; init; }
    /// <summary>status.loadBalancer.ingress; what is no address there (a name) is left out.</summary>
    public ListOf<Address> LoadBalancerIngress { get; init; }
    /// <summary>Those of them whose load balancer hands connections to nodes or pods by itself (ipMode: Proxy).</summary>
    public ListOf<Address> ProxiedIngress { get; init; }
    /// <summary>Null for ClusterIP services without external addresses, which have none.</summary>
    public TrafficPolicy? ExternalTrafficPolicy { get; init; }
    public TrafficPolicy InternalTrafficPolicy { get; init; }
    public string? LoadBalancerClass { get; init; }
    /// <summary>Where its load balancer asks a node whether it has endpoints; 0: nowhere.</summary>
    public int HealthCheckNodePort { get; init; }
    /// <summary>Who may call its load balancers' addresses; empty: everybody.</summary>
    public ListOf<Prefix> LoadBalancerSourceRanges { get; init; }
    /// <summary>Of sessionAffinity ClientIP: after its last connection a client keeps its endpoint for so long. Null: for none.</summary>
    public TimeSpan? ClientKeepsEndpointFor { get; init; }
    public ListOf<ServicePort> Ports { get; init; }
}
