using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>What the dataplane's loop is told, in the order of arrival.</summary>
internal abstract record DataplaneNews
{
    public sealed record Resources(ImmutableArray<ResourceChange> Changed) : DataplaneNews;
    /// <summary>Which sessions are up and where the best routes lead.</summary>
    public sealed record Routing(RoutingFacts Newest) : DataplaneNews;
    /// <summary>Of the nodes that are watched for egress others are heard than before.</summary>
    public sealed record Unheard(ImmutableHashSet<Address> Hosts) : DataplaneNews;
    /// <summary>Targets upstream of gateways are silent, or answer, that did otherwise before.</summary>
    public sealed record Failing(EgressFailing Gateways) : DataplaneNews;
    /// <summary>bgpd.yaml was read again.</summary>
    public sealed record Configured(DataplaneSettings Settings) : DataplaneNews;
    /// <summary>The kernel's routes have moved, or a time has come: what follows is looked at again. Where it finds no room, a look follows
    /// in any case.</summary>
    public sealed record Look : DataplaneNews
    {
        public static readonly Look Again = new();
    }
    /// <summary>Answered when what was said before is in force.</summary>
    public sealed record Settle(TaskCompletionSource Reached) : DataplaneNews;
    /// <summary>Somebody looks at what is known of policies; his look must be short.</summary>
    public sealed record Ask(Action<Policies.Enforcement> Answer) : DataplaneNews;
    /// <summary>Somebody looks at who leaves by which gateway.</summary>
    public sealed record AskEgress(Action<Egress.Egress> Answer) : DataplaneNews;
    /// <summary>Somebody looks at services, or has the command line's changed.</summary>
    public sealed record AskServices(Action<Services.ServiceNat> Answer) : DataplaneNews;
}
