using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

/// <summary>
/// The endpoints of the Service of the same name, as Kubernetes told them before there were EndpointSlices, and as Calico's confd read them
/// up to 3.32 (<c>routes.go</c>). An API server has all of it in slices too, those mirrored that somebody wrote by hand.
/// </summary>
public sealed record Endpoints(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.Endpoints;

    /// <summary>The same said as slices, one a family that there are addresses of.</summary>
    public ListOf<EndpointSlice> Slices { get; init; }
}
