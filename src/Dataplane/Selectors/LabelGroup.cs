using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Selectors;

/// <summary>Labels that are handed down, and who inherits them.</summary>
internal sealed class InheritedLabels(string name)
{
    public string Name { get; } = name;
    public Labels Labels { get; set; } = Labels.Empty;
    public GroupSet Heirs { get; } = new();
}

/// <summary>
/// The items that have the same labels and the same profiles; as a dictionary it is what selectors are asked about: their own labels, and
/// of the profiles' those that nobody before has said.
/// </summary>
internal sealed class LabelGroup(Labels labels, ListOf<string> profiles, InheritedLabels[] inherited) : IReadOnlyDictionary<string, string>
{
    public Labels Labels { get; } = labels;
    public ListOf<string> Profiles { get; } = profiles;
    public InheritedLabels[] Inherited { get; } = inherited;

    /// <summary>The selectors that match, by slot, in order. Replaced, never changed.</summary>
    public int[] Matched { get; set; } = [];

    /// <summary>The first item; -1: none.</summary>
    public int First { get; set; } = -1;
    public int Items { get; set; }

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        if (Labels.TryGetValue(key, out value)) return true;
        foreach (var profile in Inherited)
            if (profile.Labels.TryGetValue(key, out value)) return true;
        return false;
    }

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public string this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"no label {key}");

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator()
    {
        foreach (var label in Labels) yield return label;
        for (var i = 0; i < Inherited.Length; i++)
            foreach (var label in Inherited[i].Labels)
                if (!IsSaidBefore(label.Key, i)) yield return label;
    }

    private bool IsSaidBefore(string key, int profile)
    {
        if (Labels.ContainsKey(key)) return true;
        for (var i = 0; i < profile; i++)
            if (Inherited[i].Labels.ContainsKey(key)) return true;
        return false;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    public IEnumerable<string> Keys => this.Select(label => label.Key);
    public IEnumerable<string> Values => this.Select(label => label.Value);
    public int Count => Keys.Count();
}

/// <summary>Groups in no order. Most sets have one, which takes no memory of its own.</summary>
internal sealed class GroupSet : IEnumerable<LabelGroup>
{
    private object? one;

    public int Count => one switch { null => 0, HashSet<LabelGroup> many => many.Count, _ => 1 };

    public void Add(LabelGroup group)
    {
        if (one is HashSet<LabelGroup> many) many.Add(group);
        else if (one == null) one = group;
        else if (!ReferenceEquals(one, group)) one = new HashSet<LabelGroup>(ReferenceEqualityComparer.Instance) { (LabelGroup)one, group };
    }

    public void Remove(LabelGroup group)
    {
        if (ReferenceEquals(one, group)) one = null;
        else if (one is HashSet<LabelGroup> many)
        {
            many.Remove(group);
            if (many.Count == 0) one = null;
        }
    }

    public IEnumerator<LabelGroup> GetEnumerator() =>
        (one switch { null => [], HashSet<LabelGroup> many => many, _ => (IEnumerable<LabelGroup>)[(LabelGroup)one] }).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
