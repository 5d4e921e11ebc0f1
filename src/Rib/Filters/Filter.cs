using Calico.Bgp.Net;

namespace Calico.Bgp.Rib.Filters;

public enum RuleAction : byte
{
    /// <summary>The changes are made, and the next rule is asked.</summary>
    Next,
    Accept,
    Reject,
}

/// <summary>One rule: for the routes that match (null: all), make the changes and take the action.</summary>
public sealed record FilterRule(Match? Match, Change? Change, RuleAction Action)
{
    /// <summary>As <c>explain</c> and <c>plan --probe</c> call it; null: the filter's name and the rule's number.</summary>
    public string? Name { get; init; }

    /// <summary>What it decides of a peer's route is worth a line of the log, and no more lines than are bearable.</summary>
    public bool IsTold { get; init; }
}

/// <summary>A named list of rules, as the file's <c>filters</c> give it.</summary>
public sealed record Filter(string Name, ListOf<FilterRule> Rules);
