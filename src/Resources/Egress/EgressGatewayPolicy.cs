using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Egress;

/// <summary>Which gateway has what a pod sends to where, by the longest prefix (projectcalico.org/v3).</summary>
public sealed record EgressGatewayPolicy(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.EgressGatewayPolicy;

    public ListOf<EgressRule> Rules { get; init; }
}

/// <param name="Destination">Null: anywhere, in both families.</param>
/// <param name="Gateway">Null: it goes out as if there were no gateways.</param>
public sealed record EgressRule(Prefix? Destination, EgressChoice? Gateway)
{
    /// <summary>Gateways on the pod's own node, where there is one that is ready.</summary>
    public bool PrefersLocal { get; init; }
}

/// <summary>Which gateways: those whose labels match, in namespaces that match.</summary>
/// <param name="Namespaces">Null: the pod's own.</param>
/// <param name="MaxNextHops">How many of the replicas one pod uses; 0: all.</param>
public sealed record EgressChoice(Selector Gateways, Selector? Namespaces, int MaxNextHops);
