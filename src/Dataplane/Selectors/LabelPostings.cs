using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Selectors;

/// <summary>A selector in use.</summary>
internal sealed class UsedSelector(Selector selector, int slot)
{
    public Selector Selector { get; } = selector;
    public int Slot { get; } = slot;
    public int Uses { get; set; } = 1;

    /// <summary>Whoever matches has one of these, and it is found there. Null: nothing is known of who matches.</summary>
    public ListOf<LabelTerm>? Terms { get; set; }
}

/// <summary>
/// By label and value: the groups that have it, and the selectors that are to be asked about those. Only labels by which a selector in use
/// is found are kept: what nobody asks for (a hash of a template, the pod's own name) takes no room.
/// </summary>
internal sealed class LabelPostings
{
    private sealed class Posting
    {
        public GroupSet Groups { get; } = new();
        public List<int> Selectors { get; } = [];
        public bool IsEmpty => Groups.Count == 0 && Selectors.Count == 0;
    }

    private sealed class PostedLabel
    {
        public Dictionary<string, Posting> Values { get; } = new(StringComparer.Ordinal);
        /// <summary>To be asked whatever the value is.</summary>
        public List<int> Selectors { get; } = [];
        /// <summary>How many terms of selectors' name the label.</summary>
        public int Terms { get; set; }
        /// <summary>How many groups have it.</summary>
        public int Groups { get; set; }
    }

    private readonly Dictionary<string, PostedLabel> labels = new(StringComparer.Ordinal);
    private readonly List<int> anywhere = [];

    public void Add(LabelGroup group)
    {
        foreach (var (key, value) in group)
            if (labels.TryGetValue(key, out var label)) Add(label, value, group);
    }

    public void Remove(LabelGroup group)
    {
        foreach (var (key, value) in group)
        {
            if (!labels.TryGetValue(key, out var label) || !label.Values.TryGetValue(value, out var posting)) continue;
            posting.Groups.Remove(group);
            label.Groups--;
            if (posting.IsEmpty) label.Values.Remove(value);
        }
    }

    private static void Add(PostedLabel label, string value, LabelGroup group)
    {
        At(label, value).Groups.Add(group);
        label.Groups++;
    }

    private static Posting At(PostedLabel label, string value) =>
        CollectionsMarshal.GetValueRefOrAddDefault(label.Values, value, out _) ??= new();

    /// <summary>The selectors that the group is to be asked about, by slot, some of them twice.</summary>
    public void CollectSelectors(LabelGroup group, List<int> into)
    {
        into.AddRange(anywhere);
        foreach (var (key, value) in group)
        {
            if (!labels.TryGetValue(key, out var label)) continue;
            into.AddRange(label.Selectors);
            if (label.Values.TryGetValue(value, out var posting)) into.AddRange(posting.Selectors);
        }
    }

    /// <summary>Has the selector found by what fewest have of all that it needs.</summary>
    public void Add(UsedSelector selector, IReadOnlyCollection<LabelGroup> groups)
    {
        selector.Terms = Best(selector.Selector.Needs);
        if (selector.Terms is not { } terms)
        {
            anywhere.Add(selector.Slot);
            return;
        }
        foreach (var term in terms)
        {
            if (!labels.TryGetValue(term.Label, out var label)) label = NewLabel(term.Label, groups);
            label.Terms++;
            (term.Value == null ? label.Selectors : At(label, term.Value).Selectors).Add(selector.Slot);
        }
    }

    public void Remove(UsedSelector selector)
    {
        if (selector.Terms is not { } terms)
        {
            anywhere.Remove(selector.Slot);
            return;
        }
        foreach (var term in terms)
        {
            var label = labels[term.Label];
            if (term.Value == null) label.Selectors.Remove(selector.Slot);
            else if (label.Values[term.Value] is var posting && posting.Selectors.Remove(selector.Slot) && posting.IsEmpty)
                label.Values.Remove(term.Value);
            if (--label.Terms == 0) labels.Remove(term.Label);
        }
    }

    private PostedLabel NewLabel(string key, IReadOnlyCollection<LabelGroup> groups)
    {
        var label = labels[key] = new();
        foreach (var group in groups)
            if (group.TryGetValue(key, out var value)) Add(label, value, group);
        return label;
    }

    /// <summary>The groups that have one of these, each once.</summary>
    public IEnumerable<LabelGroup> Groups(ListOf<LabelTerm> terms)
    {
        var all = terms.SelectMany(Groups);
        return terms.Count > 1 ? all.Distinct(ReferenceEqualityComparer.Instance).Cast<LabelGroup>() : all;
    }

    private IEnumerable<LabelGroup> Groups(LabelTerm term)
    {
        var label = labels[term.Label];
        if (term.Value == null) return label.Values.Values.SelectMany(posting => posting.Groups);
        return label.Values.TryGetValue(term.Value, out var posting) ? posting.Groups : [];
    }

    private ListOf<LabelTerm>? Best(ListOf<ListOf<LabelTerm>> needs) => needs.Count == 0 ? null : needs.MinBy(Cost);

    /// <summary>
    /// How many groups will ask for nothing, as far as can be said; then how many others are found there, so that selectors spread while
    /// there are no items yet. Calico's own labels last: a whole namespace has them.
    /// </summary>
    private (int Groups, int Selectors, bool IsCalicos) Cost(ListOf<LabelTerm> terms)
    {
        var (groups, selectors) = (0, 0);
        foreach (var term in terms)
        {
            labels.TryGetValue(term.Label, out var label);
            var posting = term.Value == null ? null : label?.Values.GetValueOrDefault(term.Value);
            groups += term.Value == null ? label?.Groups ?? 1 : posting?.Groups.Count ?? 0;
            selectors += term.Value == null ? 1 + (label?.Selectors.Count ?? 0) : posting?.Selectors.Count ?? 0;
        }
        return (groups, selectors, terms.Any(term => term.Label.StartsWith("projectcalico.org/", StringComparison.Ordinal)));
    }
}
