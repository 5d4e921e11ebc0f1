using System.Collections.Immutable;

namespace Calico.Bgp.Dataplane;

/// <summary>What is asked of a packet at one place of its way, and who answered.</summary>
/// <param name="Program">As the flow table of host endpoints calls it: pod egress, normal-in, preDNAT, …</param>
/// <param name="Endpoint">Whose program it is; null: nobody's.</param>
/// <param name="Verdict">allow, deny, or continue: nothing there decided.</param>
/// <param name="Policy">The object's name; null: none decided.</param>
/// <param name="Rule">From 0; null: none decided.</param>
public sealed record ProgramExplanation(
    string Program, string? Endpoint, string Verdict, string? Tier, string? Policy, int? Rule, string Reason);

/// <summary>What becomes of a connection's first packet, and why.</summary>
/// <param name="Verdict">allow or deny; unknown: it depends on what <paramref name="DependsOn"/> says.</param>
/// <param name="Destination">What it is sent on to; null: it stays, or is not known.</param>
/// <param name="Source">What it is seen as; null: it stays.</param>
/// <param name="Why">What is known of translations.</param>
public sealed record PolicyExplanation(
    string Verdict, ImmutableArray<ProgramExplanation> Programs, string? Destination, string? Source, string Why,
    ImmutableArray<string> DependsOn)
{
    /// <summary>How the question was understood, and what it does not say, where either may surprise.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Whose the destination is, <c>KIND/NAMESPACE/NAME</c>; null: no service's.</summary>
    public string? Service { get; init; }

    /// <summary>Where a translation leads it, whether or not it is let through there; null: nowhere else.</summary>
    public string? SentTo { get; init; }

    /// <summary>The question itself is wrong: what was expected, and what came. Null: it is not.</summary>
    public string? Problem { get; init; }

    public static PolicyExplanation Refused(string problem) => new("unknown", [], null, null, problem, []) { Problem = problem };
}
