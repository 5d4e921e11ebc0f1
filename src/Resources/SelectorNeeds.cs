using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

/// <summary>A label that is there; with <paramref name="Value"/>: and is that.</summary>
public readonly record struct LabelTerm(string Label, string? Value);

/// <summary>
/// What labels must have for a selector to match them: of each list at least one term. Those who keep many selectors find by it the few
/// that are worth asking. No list: there is nothing to go by; an empty list: nothing matches.
/// </summary>
internal static class SelectorNeeds
{
    public static ListOf<ListOf<LabelTerm>> Of(SelectorNode root) => [.. Of(root, denied: false)];

    private static IEnumerable<ListOf<LabelTerm>> Of(SelectorNode node, bool denied) => (node, denied) switch
    {
        (SelectorNode.Everything, true) => [[]],
        (SelectorNode.Has(var label), false) => [[new(label, null)]],
        (SelectorNode.Compare(var label, Comparison.Equal, var value), false) => [[new(label, value)]],
        (SelectorNode.Compare(var label, _, _), false) => [[new(label, null)]],
        (SelectorNode.NotEqual(var label, var value), true) => [[new(label, value)]],
        (SelectorNode.In(var label, var negated, var values), _) when negated == denied =>
            [[.. values.Select(value => new LabelTerm(label, value))]],
        (SelectorNode.Not(var of), _) => Of(of, !denied),
        (SelectorNode.And(var of), false) => of.SelectMany(part => Of(part, false)),
        (SelectorNode.Or(var of), true) => of.SelectMany(part => Of(part, true)),
        (SelectorNode.And(var of), true) => OneOf(of, true),
        (SelectorNode.Or(var of), false) => OneOf(of, false),
        _ => [],
    };

    /// <summary>One of the parts matches, so one term of what is most telling of each.</summary>
    private static IEnumerable<ListOf<LabelTerm>> OneOf(ListOf<SelectorNode> parts, bool denied)
    {
        var terms = new List<LabelTerm>();
        foreach (var part in parts)
        {
            var needs = Of(part, denied).ToList();
            if (needs.Count == 0) return [];
            terms.AddRange(needs.MinBy(Breadth));
        }
        return [[.. terms.Distinct()]];
    }

    /// <summary>Few values before many, and any value last of all; labels that Calico gives are those of a whole namespace.</summary>
    private static int Breadth(ListOf<LabelTerm> terms) =>
        terms.Sum(term => term.Value == null ? 1_000 : term.Label.StartsWith("projectcalico.org/", StringComparison.Ordinal) ? 100 : 1);
}
