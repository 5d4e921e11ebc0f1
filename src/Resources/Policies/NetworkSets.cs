using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Policies;

/// <summary>Networks that rules select by labels, as they select endpoints. Labels are those that selectors see.</summary>
public sealed record NetworkSet(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.NetworkSet;

    public ListOf<Prefix> Nets { get; init; }
    /// <summary>allowedEgressDomains: what these names lead to is of the set, too, where an egress rule allows it as its destination;
    /// nowhere else.</summary>
    public ListOf<DomainPattern> Domains { get; init; }
    /// <summary>Its namespace's, whose labels it inherits.</summary>
    public string Profile => ProfileLabels.OfNamespace(Metadata.Namespace);
}

/// <summary>The same without a namespace.</summary>
public sealed record GlobalNetworkSet(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.GlobalNetworkSet;

    public ListOf<Prefix> Nets { get; init; }
    /// <summary>As <see cref="NetworkSet.Domains"/>.</summary>
    public ListOf<DomainPattern> Domains { get; init; }
}
