using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Resources.Reading;

/// <summary>A mapping of an object, read field by field; what nobody asked for can be warned of in the end. No mapping: no
/// fields.</summary>
internal sealed class Fields
{
    private readonly MappingNode? map;
    private readonly FieldPath? path;
    private readonly Findings findings;
    /// <summary>A bit for each of the first 64 entries: asked for.</summary>
    private ulong asked;
    /// <summary>Names that were asked for and are not there: what others may have been meant as.</summary>
    private List<string>? absent;

    public Fields(MappingNode? map, FieldPath? path, Findings findings)
    {
        (this.map, this.path, this.findings) = (map, path, findings);
        if (map != null) RefuseDoubles(map.Entries);
    }

    public int Line => map?.Line ?? 0;
    public int Count => map?.Entries.Count ?? 0;

    /// <summary>The field, which may be absent. <c>null</c> is the same as absent, as the API server sees it.</summary>
    public Field this[string name]
    {
        get
        {
            var index = IndexOf(name);
            if (index is >= 0 and < 64) asked |= 1UL << index;
            else if (index < 0 && map != null) (absent ??= []).Add(name);
            return new(index < 0 ? null : map!.Entries[index].Value, path, name, Line, findings);
        }
    }

    /// <summary>All of them: for maps whose keys are data.</summary>
    public IEnumerable<(string Key, Field Value)> All =>
        (map?.Entries ?? []).Select(entry => (entry.Key.Text, new Field(entry.Value, path, entry.Key.Text, Line, findings)));

    /// <summary>Says that what was not asked for has no effect: a newer Calico's field, or a typing mistake.</summary>
    public void WarnOfOthers()
    {
        foreach (var (key, guess) in Others()) findings.Warn(Path(key.Text), key.Line, $"is not known here and has no effect{guess}");
    }

    /// <summary>The same where what is left out would make the rest mean something else.</summary>
    public void RefuseOthers()
    {
        foreach (var (key, guess) in Others())
            findings.Error(Path(key.Text), key.Line, $"is not known here, and without it this would mean something else{guess}");
    }

    private IEnumerable<(ScalarNode Key, string Guess)> Others()
    {
        for (var index = 0; index < Count; index++)
        {
            var key = map!.Entries[index].Key;
            // Of a key that stands there twice the first was asked for.
            if ((index < 64 && (asked >> index & 1) == 1) || IndexOf(key.Text) < index) continue;
            yield return (key, Spelling.Guess(key, absent ?? []));
        }
    }

    public void Error(string name, string reason) =>
        findings.Error(Path(name), IndexOf(name) is >= 0 and var index ? map!.Entries[index].Key.Line : Line, reason);

    public void Warn(string name, string reason) => findings.Warn(Path(name), Line, reason);

    private string Path(string name) => new FieldPath(path, name, -1).ToString();

    private int IndexOf(string name)
    {
        for (var index = 0; index < Count; index++)
            if (map!.Entries[index].Key.Text == name) return index;
        return -1;
    }

    private void RefuseDoubles(IReadOnlyList<MappingEntry> entries)
    {
        if (entries.Count < 2) return;
        HashSet<string>? seen = entries.Count > 16 ? new(entries.Count, StringComparer.Ordinal) : null;
        for (var index = 0; index < entries.Count; index++)
        {
            var key = entries[index].Key;
            if (seen?.Add(key.Text) ?? IndexOf(key.Text) == index) continue;
            findings.Error(Path(key.Text), key.Line, "stands there twice");
        }
    }
}
