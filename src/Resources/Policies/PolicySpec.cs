using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Policies;

[Flags]
public enum PolicyTypes : byte { Ingress = 1, Egress = 2 }

/// <summary>What a policy says, whatever kind of object says it.</summary>
public sealed record PolicySpec
{
    public required string Tier { get; init; }
    /// <summary>Null: after all that have one.</summary>
    public double? Order { get; init; }
    /// <summary>The effective selector of endpoints: the policy's own namespace, namespaces and service accounts are in it.</summary>
    public Selector AppliesTo { get; init; } = Selector.All;
    public PolicyTypes Types { get; init; }
    public ListOf<PolicyRule> Ingress { get; init; }
    public ListOf<PolicyRule> Egress { get; init; }
    public bool DoNotTrack { get; init; }
    public bool PreDnat { get; init; }
    public bool ApplyOnForward { get; init; }
    /// <summary>It never applies to host endpoints, whatever it selects: the kinds that live in a namespace, and Kubernetes' own.</summary>
    public bool WorkloadsOnly { get; init; }
}
