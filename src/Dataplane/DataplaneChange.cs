using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>One thing that is otherwise than it was, as features are told it.</summary>
internal abstract record DataplaneChange
{
    /// <summary>An object came, changed or went. The first ones come from nothing.</summary>
    public sealed record Object(ResourceChange Change) : DataplaneChange;
    /// <summary>Which sessions are up and where the best routes lead.</summary>
    public sealed record Routing(RoutingFacts Newest) : DataplaneChange;
    /// <summary>The kernel's own: others' routes, links, addresses.</summary>
    public sealed record Machine(KernelSnapshot Newest) : DataplaneChange;
    /// <summary>By what another proxy of Kubernetes' services is known to be here; null: there is none.</summary>
    public sealed record OtherProxy(string? Words) : DataplaneChange;
    /// <summary>Nodes that are watched for egress, by their addresses, and are not heard.</summary>
    public sealed record Unheard(ImmutableHashSet<Address> Hosts) : DataplaneChange;
    /// <summary>Gateways that lead nowhere, as their targets upstream say.</summary>
    public sealed record Failing(EgressFailing Gateways) : DataplaneChange;
    /// <summary>What bgpd.yaml says.</summary>
    public sealed record Configured(DataplaneSettings Settings) : DataplaneChange;
}
