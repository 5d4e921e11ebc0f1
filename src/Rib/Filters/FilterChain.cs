using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

/// <summary>
/// Named filters one after the other, as <c>import: [a, b]</c> says. The first rule that matches and accepts or rejects decides; a matching
/// rule without such an action makes its changes and the walk goes on, into the next filter too. A route that nobody has decided about
/// at the end is rejected: what was not allowed does not pass.
/// </summary>
public sealed class FilterChain : IFilter, IEquatable<FilterChain>
{
    private readonly record struct Step(FilterRule Rule, string Label);

    private readonly Step[] steps;
    private readonly string end;

    public FilterChain(ListOf<Filter> filters)
    {
        Filters = filters;
        Name = string.Join(", ", filters.Select(filter => filter.Name));
        steps = [.. filters.SelectMany(
            filter => filter.Rules.Select((rule, i) => new Step(rule, rule.Name ?? $"{filter.Name} rule {i + 1}")))];
        end = $"end of {Name} without a verdict";
        LooksAtPrefix = steps.Any(step => step.Rule.Match is { LooksAtPrefix: true });
    }

    public ListOf<Filter> Filters { get; }
    public string Name { get; }
    public bool LooksAtPrefix { get; }

    /// <summary>All rules in the order in which they are asked, as explanations call them.</summary>
    public IEnumerable<(string Label, FilterRule Rule)> Rules => steps.Select(step => (step.Label, step.Rule));

    public FilterResult Run(in FilterInput route, AttributeEditor editor)
    {
        var run = new FilterRun(route, editor);
        foreach (ref readonly var step in steps.AsSpan())
        {
            var rule = step.Rule;
            if (rule.Match != null && !rule.Match.Matches(ref run)) continue;
            run.IsTold = rule.IsTold;
            if (rule.Action == RuleAction.Reject) return run.Reject(step.Label);
            rule.Change?.Apply(ref run);
            if (rule.Action == RuleAction.Accept) return run.Accept(step.Label);
        }
        return run.Reject(end);
    }

    public bool Equals(FilterChain? other) => other != null && Filters == other.Filters;
    public override bool Equals(object? obj) => Equals(obj as FilterChain);
    public override int GetHashCode() => Filters.GetHashCode();
}
