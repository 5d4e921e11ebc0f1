namespace Calico.Bgp.Resources.Egress;

/// <summary>
/// What annotations of a pod or a namespace say of gateways: the policy of a name, or gateways that are chosen at once. What they say
/// wrongly does not refuse the object, whose addresses are still to be known: it is a problem, and whoever has one leaves nowhere.
/// </summary>
public sealed record EgressWish
{
    public string? Policy { get; init; }
    public EgressChoice? Gateway { get; init; }
    /// <summary>What is wrong; null: nothing.</summary>
    public string? Problem { get; init; }

    /// <summary>Of a pod: what its namespace says counts before this, where it says something.</summary>
    public bool YieldsToNamespace { get; init; }
}
