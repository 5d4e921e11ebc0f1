using System.Text.Json.Serialization;
using Calico.Bgp.Dataplane;

namespace Calico.Bgp.Answers;

/// <summary><c>/v1/policy/explain</c>: what becomes of a connection's first packet, and by whom.</summary>
/// <param name="Verdict">allow, deny, or unknown: it depends on what <see cref="DependsOn"/> says.</param>
/// <param name="Programs">Those that it is asked by, in their order.</param>
public sealed record PolicyExplanationAnswer(string Verdict, IReadOnlyList<PolicyProgramAnswer> Programs, PolicyNatAnswer Nat)
{
    /// <summary>Where the verdict is unknown: each way that it may go; absent where it is known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? DependsOn { get; init; }

    /// <summary>How the question was understood, and what it does not say; absent where neither may surprise.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Notes { get; init; }

    public static PolicyExplanationAnswer Of(PolicyExplanation explanation) => new(
        explanation.Verdict,
        [
            .. explanation.Programs.Select(one => new PolicyProgramAnswer(
                one.Program, one.Endpoint, one.Verdict, one.Tier, one.Policy, one.Rule, one.Reason)),
        ],
        new(explanation.Destination, explanation.Source, explanation.Why))
    {
        DependsOn = explanation.DependsOn.IsEmpty ? null : [.. explanation.DependsOn],
        Notes = explanation.Notes.IsEmpty ? null : [.. explanation.Notes],
    };
}

/// <param name="Verdict">allow, deny, or continue: nothing there decides.</param>
/// <param name="Policy">The object's name; null: none decided.</param>
/// <param name="Rule">Its index, from 0; null: none decided.</param>
public sealed record PolicyProgramAnswer(
    string Program, string? Endpoint, string Verdict, string? Tier, string? Policy, int? Rule, string Reason);

/// <param name="Destination">What it is sent on to; null: it stays, or is not known.</param>
/// <param name="Source">What it is seen as; null: it stays.</param>
public sealed record PolicyNatAnswer(string? Destination, string? Source, string Why);
