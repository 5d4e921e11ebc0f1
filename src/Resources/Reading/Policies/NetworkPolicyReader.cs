using System.Text.RegularExpressions;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

/// <summary>Calico's policies. Validated as libcalico-go does; a field that is not known refuses the policy, as it would mean something
/// else without it.</summary>
internal static partial class NetworkPolicyReader
{
    /// <summary>What a datastore has before the names of policies in the tier default; Calico's API shows none.</summary>
    private const string DefaultPrefix = $"{Tier.Default}.";

    private static readonly Selector InANamespace = Selector.Has(ProfileLabels.Namespace);
    private static readonly Selector WithServiceAccount = Selector.Has(ProfileLabels.ServiceAccount);

    /// <summary>A label, and a tier's before it.</summary>
    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)?\z")]
    private static partial Regex PolicyName();

    /// <summary>Copies that Calico's controllers make of Kubernetes' policies.</summary>
    [GeneratedRegex(@"\A(knp|ossg)\.default\..")]
    private static partial Regex CopiedName();

    public static NetworkPolicy Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        var read = Namespaced(metadata, root, spec);
        spec.RefuseOthers();
        return new(Named(metadata, read.Tier)) { Spec = read };
    }

    public static GlobalNetworkPolicy ReadGlobal(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        var read = Global(metadata, root, spec);
        spec.RefuseOthers();
        return new(Named(metadata, read.Tier)) { Spec = read };
    }

    public static StagedNetworkPolicy ReadStaged(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        var action = StagedActionOf(spec);
        var read = Namespaced(metadata, root, spec);
        if (action == StagedAction.Delete) RefuseBesideDelete(spec);
        spec.RefuseOthers();
        return new(Named(metadata, read.Tier)) { Spec = read, StagedAction = action };
    }

    public static StagedGlobalNetworkPolicy ReadStagedGlobal(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        var action = StagedActionOf(spec);
        var read = Global(metadata, root, spec);
        if (action == StagedAction.Delete) RefuseBesideDelete(spec);
        spec.RefuseOthers();
        return new(Named(metadata, read.Tier)) { Spec = read, StagedAction = action };
    }

    internal static StagedAction StagedActionOf(Fields spec) => spec["stagedAction"].Choice<StagedAction>() ?? StagedAction.Set;

    /// <summary>What shall be deleted is said by its name.</summary>
    internal static void RefuseBesideDelete(Fields spec)
    {
        foreach (var (name, field) in spec.All)
            if (name is not ("tier" or "stagedAction") && !field.IsAbsent && !field.IsEmptyList)
                spec.Error(name, "cannot stand beside the stagedAction Delete");
    }

    private static Metadata Named(Metadata metadata, string tier) =>
        tier == Tier.Default && metadata.Name.Length > DefaultPrefix.Length
            && metadata.Name.StartsWith(DefaultPrefix, StringComparison.Ordinal)
            ? metadata with { Name = metadata.Name[DefaultPrefix.Length..] } : metadata;

    private static PolicySpec Namespaced(Metadata metadata, Fields root, Fields spec)
    {
        var read = Common(metadata, root, spec);
        return read with
        {
            AppliesTo = Selector.Equal(ProfileLabels.Namespace, metadata.Namespace).And(read.AppliesTo),
            WorkloadsOnly = true,
        };
    }

    private static PolicySpec Global(Metadata metadata, Fields root, Fields spec)
    {
        var read = Common(metadata, root, spec);
        // What lies in no namespace, a host endpoint, is in none that is selected: not even where the selector denies something.
        if (OwnSelector(spec, "namespaceSelector") is { } namespaces)
            read = read with
            {
                AppliesTo = InANamespace.And(namespaces.Prefixed(ProfileLabels.NamespacePrefix, InANamespace)).And(read.AppliesTo),
            };
        read = read with
        {
            DoNotTrack = spec["doNotTrack"].Flag() ?? false,
            PreDnat = spec["preDNAT"].Flag() ?? false,
            ApplyOnForward = spec["applyOnForward"].Flag() ?? false,
        };
        CheckTogether(read, spec);
        return read;
    }

    private static void CheckTogether(PolicySpec read, Fields spec)
    {
        if (read is { PreDnat: true, DoNotTrack: true }) spec.Error("preDNAT", "cannot be set together with doNotTrack");
        if (read is { PreDnat: true } && !spec["egress"].IsAbsent && !spec["egress"].IsEmptyList)
            spec.Error("egress", "a preDNAT policy cannot have egress rules");
        if (read is { PreDnat: true } && read.Types.HasFlag(PolicyTypes.Egress) && !spec["types"].IsAbsent)
            spec.Error("types", "a preDNAT policy cannot have the type Egress");
        if (read is { ApplyOnForward: false } and ({ PreDnat: true } or { DoNotTrack: true }))
            spec.Error("applyOnForward", $"must be true where {(read.PreDnat ? "preDNAT" : "doNotTrack")} is");
    }

    private static PolicySpec Common(Metadata metadata, Fields root, Fields spec)
    {
        CheckName(metadata, root);
        var ingress = RuleReader.Read(spec["ingress"], metadata.Namespace, PolicyTypes.Ingress);
        var egress = RuleReader.Read(spec["egress"], metadata.Namespace, PolicyTypes.Egress);
        var applies = OwnSelector(spec, "selector") ?? Selector.All;
        if (OwnSelector(spec, "serviceAccountSelector") is { } accounts)
            applies = applies.And(accounts.Prefixed(ProfileLabels.ServiceAccountPrefix, WithServiceAccount));
        // They never change what a policy does.
        _ = spec["performanceHints"];
        return new()
        {
            Tier = TierReader.NameOf(spec["tier"]) ?? Tier.Default,
            Order = spec["order"].Real(),
            AppliesTo = applies,
            Types = Types(spec["types"]) ?? Default(ingress, egress),
            Ingress = ingress,
            Egress = egress,
        };
    }

    private static Selector? OwnSelector(Fields spec, string name)
    {
        var selector = spec[name].Selector(RuleReader.LongestSelector);
        if (selector?.MentionsGlobal == true) spec.Error(name, "global() can stand in a rule's namespaceSelector alone");
        return selector;
    }

    private static void CheckName(Metadata metadata, Fields root)
    {
        if (PolicyName().IsMatch(metadata.Name) || (metadata.Namespace.Length > 0 && CopiedName().IsMatch(metadata.Name))) return;
        root["metadata"].Section().Error(
            "name", $"expected a policy's name without a dot, or its tier, a dot, and a name, got \"{metadata.Name}\"");
    }

    internal static PolicyTypes? Types(Field field)
    {
        PolicyTypes all = 0;
        foreach (var item in field.Items())
        {
            item.Require(Choices<PolicyTypes>.Words);
            if (item.Choice<PolicyTypes>() is not { } type) continue;
            if (all.HasFlag(type)) item.Error($"{type} stands there twice");
            all |= type;
        }
        return all == 0 ? null : all;
    }

    private static PolicyTypes Default(ListOf<PolicyRule> ingress, ListOf<PolicyRule> egress) =>
        egress.Count == 0 ? PolicyTypes.Ingress : ingress.Count == 0 ? PolicyTypes.Egress : PolicyTypes.Ingress | PolicyTypes.Egress;
}
