using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Egress;

/// <summary>Addresses that a gateway may have: a pool by its name, or by its network; where both are said, both are meant.</summary>
public sealed record EgressPool(string? Name, Prefix? Cidr)
{
    public bool Is(IPPool pool) => (Name == null || Name == pool.Name) && (Cidr == null || Cidr == pool.Cidr);

    public override string ToString() => Name ?? $"{Cidr}";
}

/// <summary>
/// Calico Enterprise's EgressGateway (operator.tigera.io/v1): who leaves the cluster for others, and with which addresses. Here each
/// replica is a node, so that of the template what chooses nodes is read, and the labels by which pods choose the gateway.
/// </summary>
public sealed record EgressGateway(Metadata Metadata) : Resource(Metadata)
{
    /// <summary>The label that a gateway has which is given none (the operator's).</summary>
    private const string OwnLabel = "projectcalico.org/egw";

    public override ResourceKind Kind => Kinds.EgressGateway;

    /// <summary>Null: every node that the template selects.</summary>
    public int? Replicas { get; init; }
    public ListOf<EgressPool> Pools { get; init; }
    /// <summary>externalNetworks: whose routes its packets go by before its node's; null: its node's alone.</summary>
    public string? ExternalNetwork { get; init; }
    /// <summary>Of the template; none: <c>projectcalico.org/egw=NAME</c>.</summary>
    public Labels GivenLabels { get; init; } = Labels.Empty;
    public Labels NodeSelector { get; init; } = Labels.Empty;
    /// <summary>egressGatewayFailureDetection: it leads somewhere while each of them says so; one of a kind.</summary>
    public ListOf<EgressProbe> Probes { get; init; } = [];

    /// <summary>What selectors of pods and policies see.</summary>
    public Labels GatewayLabels => GivenLabels.Count > 0 ? GivenLabels : Labels.From([new(OwnLabel, Name)]);

    public bool Selects(Node node) => NodeSelector.All(label => node.Labels.TryGetValue(label.Key, out var value) && value == label.Value);
}
