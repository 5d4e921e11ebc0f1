using Calico.Bgp.Net;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Resources.Policies;

/// <summary>A port that rules may ask for by its name.</summary>
/// <param name="Protocol">Null: TCP, UDP and SCTP.</param>
public sealed record NamedPort(string Name, byte? Protocol, ushort Port);

/// <summary>The interface of a workload: said by an object of its own, or by a <see cref="Pod"/>. Labels are those that selectors
/// see.</summary>
public sealed record WorkloadEndpoint(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.WorkloadEndpoint;

    public string Node { get; init; } = "";
    public string Interface { get; init; } = "";
    /// <summary>Its addresses, each as a network of its own (/32, /128).</summary>
    public ListOf<Prefix> Nets { get; init; }
    /// <summary>In the order in which they are asked; labels are inherited from all.</summary>
    public ListOf<string> Profiles { get; init; }
    public ListOf<NamedPort> Ports { get; init; }
    /// <summary>Sources that it may use beside its own addresses.</summary>
    public ListOf<Prefix> AllowedSpoofedPrefixes { get; init; }
    /// <summary>By which gateways it is to leave the cluster; null: its annotations do not say.</summary>
    public EgressWish? Egress { get; init; }
    /// <summary>Of one of its gateways; null: nobody has told it of any.</summary>
    public EgressMaintenance? Maintenance { get; init; }
    public string Orchestrator { get; init; } = "";
    /// <summary>Of two that claim one interface the one counts that is lower by orchestrator, workload and this.</summary>
    public string Workload { get; init; } = "";
    public string Endpoint { get; init; } = "";
}
