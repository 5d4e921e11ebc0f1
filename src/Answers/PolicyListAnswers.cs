using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary><c>/v1/policy/list</c>: all policies, in the order in which they are asked.</summary>
public sealed record PolicyListAnswer(IReadOnlyList<PolicySummaryAnswer> Policies)
{
    /// <summary>Why the kernel does not tell what was counted; absent where it does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Uncounted { get; init; }

    /// <summary>What of other kinds is in force for a while (host endpoints, tiers, …); absent where nothing is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<TriedObjectAnswer>? Tried { get; init; }
}

/// <param name="State">tried, or confirmed.</param>
/// <param name="Reason">How long.</param>
public sealed record TriedObjectAnswer(string Object, string State, string Reason);

/// <param name="Order">Null: after all that have one.</param>
/// <param name="Namespace">Null: of the cluster.</param>
/// <param name="Endpoints">How many of this node it selects.</param>
/// <param name="State">enforced, staged, closed (it lets nothing through that it is asked about), or enforced for a while: tried, or
/// confirmed.</param>
/// <param name="Reason">Why it is closed, what it is staged for, or how long it is tried; null where it is enforced.</param>
public record PolicySummaryAnswer(
    string Tier, double? Order, string Name, string? Namespace, string Kind, IReadOnlyList<PolicyDirectionAnswer> Directions, int Endpoints,
    string State, string? Reason)
{
    /// <summary>Why a newer version of it is refused, while its last good one is in force; absent where none is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Refused { get; init; }
}

/// <param name="Direction">ingress or egress.</param>
/// <param name="Allowed">Connections' first packets that it has allowed since it is asked here; null: it is not, or the kernel does not
/// tell.</param>
public sealed record PolicyDirectionAnswer(string Direction, PacketCountAnswer? Allowed, PacketCountAnswer? Denied);

public sealed record PacketCountAnswer(ulong Packets, ulong Bytes);

/// <summary><c>/v1/policy/show</c>: those of a name, each as a whole.</summary>
public sealed record PolicyDetailsAnswer(IReadOnlyList<PolicyDetailAnswer> Policies)
{
    /// <summary>As in the list.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Uncounted { get; init; }
}

/// <param name="TierOrder">Null: after all that have one.</param>
/// <param name="TierDenies">What no policy of the tier decides is denied; else it is left to the next tier.</param>
/// <param name="Place">From 1, among the enforced policies of its tier; null: it is staged, and not asked.</param>
/// <param name="InTier">How many of them there are.</param>
/// <param name="Applies">Where it is asked that has no name of its own: preDNAT, doNotTrack, applyOnForward.</param>
/// <param name="Selector">With the namespace and the service accounts of the policy in it.</param>
/// <param name="Selected">The endpoints of this node that it selects, <c>NAMESPACE/NAME</c>.</param>
public sealed record PolicyDetailAnswer(
    PolicySummaryAnswer Summary, double? TierOrder, bool TierDenies, int? Place, int InTier, IReadOnlyList<string> Applies, string Selector,
    IReadOnlyList<string> Selected, IReadOnlyList<PolicyRuleAnswer> Rules);

/// <param name="Rule">From 0, as explanations name it.</param>
/// <param name="Matches">What it asks of a packet, in words.</param>
public sealed record PolicyRuleAnswer(string Direction, int Rule, string Action, string Matches);

/// <summary><c>/v1/policy/endpoints</c>: one on an interface of this node.</summary>
/// <param name="Name">Null: none is known on an interface that is a workload's by its name.</param>
/// <param name="Kind">Of the object that it comes from: Pod, WorkloadEndpoint, HostEndpoint.</param>
/// <param name="Interface"><c>*</c>: all that have no host endpoint of their own.</param>
/// <param name="Addresses">A host endpoint's are those that it is expected to have.</param>
/// <param name="Profiles">In the order in which they are asked.</param>
public sealed record PolicyEndpointAnswer(
    string? Name, string? Kind, string Interface, IReadOnlyList<string> Addresses, IReadOnlyDictionary<string, string> Labels,
    IReadOnlyList<string> Profiles, IReadOnlyList<EndpointProgramAnswer> Programs)
{
    /// <summary>That its interface is not here, or nobody's; absent where all is as it should be.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Problem { get; init; }
}

/// <param name="Otherwise">What becomes of packets that no policy decides.</param>
public sealed record EndpointProgramAnswer(string Program, string Direction, IReadOnlyList<EndpointTierAnswer> Tiers, string Otherwise);

/// <param name="Policies">In the order in which they are asked, <c>KIND/NAMESPACE/NAME</c>.</param>
public sealed record EndpointTierAnswer(string Tier, bool Denies, IReadOnlyList<string> Policies);
