using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.LocalEndpoints;

/// <summary>An endpoint on an interface of this node. One host endpoint may be on several.</summary>
/// <param name="Id">The object that it comes from: a Pod, a WorkloadEndpoint, a HostEndpoint, or for an automatic host endpoint the
/// HostEndpoint that there would be.</param>
/// <param name="Interface"><see cref="EveryInterface"/>: of every interface that has no host endpoint of its own.</param>
internal sealed record LocalEndpoint(ResourceId Id, string Interface)
{
    public const string EveryInterface = "*";

    public bool IsWorkload { get; init; }

    /// <summary>Its own; what it inherits the selectors' index knows.</summary>
    public Labels Labels { get; init; } = Labels.Empty;

    public ListOf<string> Profiles { get; init; }

    /// <summary>A workload's addresses, a host endpoint's expected ones.</summary>
    public ListOf<Prefix> Nets { get; init; }

    /// <summary>A workload may send from these, too.</summary>
    public ListOf<Prefix> AllowedSpoofedPrefixes { get; init; }
}

/// <summary>What of an interface has changed. Null: there is none there; the two differ.</summary>
internal readonly record struct EndpointChange(string Interface, LocalEndpoint? Before, LocalEndpoint? After);
