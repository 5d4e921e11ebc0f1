using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Tests.LocalEndpoints;

/// <summary>A host whose interfaces nobody has asked about.</summary>
internal sealed class UnknownLinks : ILinks
{
    public static readonly UnknownLinks Instance = new();

    public IReadOnlyCollection<string>? Links => null;

    public string? LinkTo(Address address) => null;
}
