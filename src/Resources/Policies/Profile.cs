using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Resources.Policies;

/// <summary>What endpoints that name it are allowed when no tier has decided, and labels that they inherit.</summary>
public sealed record Profile(Metadata Metadata) : Resource(Metadata)
{
    public const string DefaultAllow = "projectcalico-default-allow";

    internal static readonly ListOf<PolicyRule> AllowAll = [new PolicyRule { Action = RuleAction.Allow }];

    /// <summary>Those that are there although no object says so.</summary>
    internal static readonly ImmutableArray<Profile> BuiltIn =
        [new(new Metadata(DefaultAllow)) { Ingress = AllowAll, Egress = AllowAll }];

    public override ResourceKind Kind => Kinds.Profile;

    public ListOf<PolicyRule> Ingress { get; init; }
    public ListOf<PolicyRule> Egress { get; init; }
    public Labels LabelsToApply { get; init; } = Labels.Empty;
}

/// <summary>Kubernetes' Namespace. Its pods are allowed everything that no policy decides, and inherit its labels.</summary>
public sealed record KubernetesNamespace(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.KubernetesNamespace;

    /// <summary>By which gateways pods that say nothing themselves are to leave the cluster; null: it does not say.</summary>
    public EgressWish? Egress { get; init; }

    public Profile Profile => new(new Metadata(ProfileLabels.OfNamespace(Name)))
    {
        Ingress = Profile.AllowAll,
        Egress = Profile.AllowAll,
        LabelsToApply = ProfileLabels.Inherited(ProfileLabels.NamespacePrefix, Name, Labels),
    };
}

/// <summary>Its pods inherit its labels; it allows nothing by itself.</summary>
public sealed record ServiceAccount(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.ServiceAccount;

    public Profile Profile => new(new Metadata(ProfileLabels.OfServiceAccount(Metadata.Namespace, Name)))
    {
        LabelsToApply = ProfileLabels.Inherited(ProfileLabels.ServiceAccountPrefix, Name, Labels),
    };
}

/// <summary>How labels of namespaces and service accounts are called on the endpoints that inherit them, and by which profiles.</summary>
internal static class ProfileLabels
{
    public const string Namespace = "projectcalico.org/namespace", ServiceAccount = "projectcalico.org/serviceaccount",
        Orchestrator = "projectcalico.org/orchestrator";
    public const string NamespacePrefix = "pcns.", ServiceAccountPrefix = "pcsa.";
    private const string ObjectName = "projectcalico.org/name";

    public static string OfNamespace(string name) => $"kns.{name}";
    public static string OfServiceAccount(string within, string name) => $"ksa.{within}.{name}";

    public static Labels Inherited(string prefix, string name, Labels own) => Labels.From(
        own.Select(label => KeyValuePair.Create(prefix + label.Key, label.Value)).Append(new(prefix + ObjectName, name)));
}
