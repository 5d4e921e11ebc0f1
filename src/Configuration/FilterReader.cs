using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Configuration;

/// <summary><c>filters</c>: names, each with a list of rules of <c>match</c>, <c>change</c> and <c>action</c>.</summary>
internal sealed class FilterReader(Section root, Asn localAs)
{
    public NamedFilters Read()
    {
        var filters = new Dictionary<string, Filter?>();
        if (root.Child("filters") is not { } named) return new(filters);
        foreach (var key in named.Node.Entries.Select(entry => entry.Key))
        {
            if (!Names.IsFilter(key.Text))
                named.Problems.Error(
                    key, $"expected {Names.WordExpected}, and neither accept, reject, all nor none, for a filter, got {key.Kind}");
            filters[key.Text] = Filter(key.Text, named);
        }
        named.Close();
        return new(filters);
    }

    private Filter Filter(string name, Section named)
    {
        var rules = new List<FilterRule>();
        foreach (var rule in named.Sections(name)) rules.Add(Rule(rule));
        return new(name, [.. rules]);
    }

    private FilterRule Rule(Section rule)
    {
        var match = rule.Child("match") is { } matched ? new MatchReader(matched).Read() : null;
        var change = rule.Child("change") is { } changed ? new ChangeReader(changed, localAs).Read() : null;
        var action = rule.Word("action", ("Accept", RuleAction.Accept), ("Reject", RuleAction.Reject), ("Next", RuleAction.Next))
            ?? RuleAction.Next;
        if (!rule.Has("action") && change == null)
            rule.Problems.Error(rule.Node, "expected the key action or change, got a rule that does nothing");
        if (action == RuleAction.Reject && change != null) rule.Error("change", "expected no change in a rule that rejects");
        rule.Close();
        return new(match, change, action);
    }
}
