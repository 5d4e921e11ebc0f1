using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Calico.Bgp.Resources;

/// <summary>Labels, annotations, and other small maps of words to words: sorted (ordinal), immutable, compared by value.</summary>
public sealed class Labels : IReadOnlyDictionary<string, string>, IEquatable<Labels>
{
    public static readonly Labels Empty = new([]);

    private readonly KeyValuePair<string, string>[] sorted;

    private Labels(KeyValuePair<string, string>[] sorted) => this.sorted = sorted;

    /// <summary>The last of several values of one key counts, as in a JSON object.</summary>
    public static Labels From(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var map = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in pairs) map[key] = value;
        return map.Count == 0 ? Empty : new([.. map]);
    }

    /// <summary>These, and <paramref name="over"/> on top of them.</summary>
    public Labels With(Labels over) => over.Count == 0 ? this : Count == 0 ? over : From(sorted.Concat(over.sorted));

    public Labels Without(string key) => IndexOf(key) < 0 ? this : From(sorted.Where(pair => pair.Key != key));

    public int Count => sorted.Length;
    public string this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"no label {key}");
    public IEnumerable<string> Keys => sorted.Select(pair => pair.Key);
    public IEnumerable<string> Values => sorted.Select(pair => pair.Value);
    public bool ContainsKey(string key) => IndexOf(key) >= 0;

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        var index = IndexOf(key);
        value = index >= 0 ? sorted[index].Value : null;
        return index >= 0;
    }

    private int IndexOf(string key)
    {
        var (low, high) = (0, sorted.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = string.CompareOrdinal(sorted[middle].Key, key);
            if (order == 0) return middle;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }
        return -1;
    }

    // Pair by pair: KeyValuePair brings neither of the two, and what the runtime does for such structs boxes each and hashes only a part.
    public bool Equals(Labels? other)
    {
        if (ReferenceEquals(this, other)) return true;
        if (other == null || sorted.Length != other.sorted.Length) return false;
        for (var i = 0; i < sorted.Length; i++)
            if (sorted[i].Key != other.sorted[i].Key || sorted[i].Value != other.sorted[i].Value) return false;
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as Labels);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var (key, value) in sorted) hash.Add(HashCode.Combine(key, value));
        return hash.ToHashCode();
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, string>>)sorted).GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"{{{string.Join(", ", sorted.Select(pair => $"{pair.Key}={pair.Value}"))}}}";
}
