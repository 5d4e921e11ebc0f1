using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Configuration;

/// <summary>
/// One mapping of the file while it is being read. Each key is asked for once, by name and type; what was asked for is what is known, so
/// <see cref="Close"/> can tell the keys that nobody asked for and offer the nearest known one. A getter that finds something else than it
/// expects says so and answers as if the key were absent: the reading goes on, and the caller drops the result because of the error.
/// </summary>
internal sealed class Section
{
    private readonly string path;
    private readonly Dictionary<string, MappingEntry> entries = [];
    private readonly HashSet<string> known = [];

    public Section(MappingNode node, string path, Problems problems)
    {
        (Node, this.path, Problems) = (node, path, problems);
        foreach (var entry in node.Entries)
        {
            if (entries.TryAdd(entry.Key.Text, entry)) continue;
            var first = entries[entry.Key.Text].Key.Line;
            problems.Error(entry.Key, $"expected each key once, got {Name(entry.Key.Text)} again (first in line {first})");
        }
    }

    public MappingNode Node { get; }
    public Problems Problems { get; }

    /// <summary>The node as a section, or an error.</summary>
    public static Section? Of(DocumentNode node, string path, Problems problems)
    {
        if (node is MappingNode mapping) return new(mapping, path, problems);
        problems.Error(node, $"expected a mapping of keys{(path.Length > 0 ? $" under {path}" : "")}, got {node.Kind}");
        return null;
    }

    /// <summary>The key's value if it is there. A value that is there and empty counts as present.</summary>
    public bool TryGet(string key, [NotNullWhen(true)] out DocumentNode? value)
    {
        known.Add(key);
        value = entries.TryGetValue(key, out var entry) ? entry.Value : null;
        return value != null;
    }

    public bool Has(string key) => TryGet(key, out _);

    /// <summary>Where to point for a key: its value, or the whole section where it is absent.</summary>
    public DocumentNode At(string key) => TryGet(key, out var value) ? value : Node;

    public void Error(string key, string text) => Problems.Error(At(key), text);

    /// <summary>A section that is absent or empty (<c>kernel:</c>) is null.</summary>
    public Section? Child(string key) => !TryGet(key, out var value) || IsNull(value) ? null : Of(value, Name(key), Problems);

    /// <summary>The elements of a list; a single value stands for a list of one, an absent or empty one for none.</summary>
    public IReadOnlyList<DocumentNode> List(string key) => !TryGet(key, out var value) || IsNull(value) ? [] : Elements(value);

    public static IReadOnlyList<DocumentNode> Elements(DocumentNode value) => value is SequenceNode sequence ? sequence.Items : [value];

    /// <summary>The elements that are mappings; the others are errors.</summary>
    public IEnumerable<Section> Sections(string key)
    {
        if (!TryGet(key, out var value) || IsNull(value)) yield break;
        if (value is not SequenceNode sequence)
        {
            Problems.Error(value, $"expected a list under {Name(key)}, got {value.Kind}");
            yield break;
        }
        for (var i = 0; i < sequence.Items.Count; i++)
            if (Of(sequence.Items[i], $"{Name(key)}[{i}]", Problems) is { } section) yield return section;
    }

    /// <summary>A value of any type that one word holds.</summary>
    public T? Value<T>(string key, Reading<T> read) where T : struct =>
        TryGet(key, out var value) ? Scalars.Read(value, read, Name(key), Problems) : null;

    public string? Text(string key, int limit = 1024)
    {
        if (!TryGet(key, out var value)) return null;
        if (value is ScalarNode { IsNull: false } scalar && scalar.Text.Length <= limit) return scalar.Text;
        Problems.Error(value, $"expected a text of at most {limit} characters for {Name(key)}, got {value.Kind}");
        return null;
    }

    public bool Flag(string key, bool otherwise) => Value(key, Scalars.Flag) ?? otherwise;

    public long? Number(string key, long least, long most) => Value(key, Scalars.Number(least, most));

    public Address? Address(string key) => Value(key, Scalars.Address);

    public TimeSpan? Duration(string key, TimeSpan least, TimeSpan most) => Value(key, Scalars.Duration(least, most));

    /// <summary>One of several words, whose case does not matter: resources write Accept, this file elsewhere accept.</summary>
    public T? Word<T>(string key, params ReadOnlySpan<(string Word, T Meaning)> words) where T : struct
    {
        if (!TryGet(key, out var value)) return null;
        if (value is ScalarNode scalar)
            foreach (var (word, meaning) in words)
                if (string.Equals(scalar.Text, word, StringComparison.OrdinalIgnoreCase)) return meaning;
        var expected = new List<string>();
        foreach (var (word, _) in words) expected.Add(word);
        Problems.Error(value, $"expected {Spelling.Or(expected)} for {Name(key)}, got {value.Kind}{Spelling.Guess(value, expected)}");
        return null;
    }

    public ImmutableArray<T> Values<T>(string key, Reading<T> read) where T : struct
    {
        var values = ImmutableArray.CreateBuilder<T>();
        foreach (var node in List(key))
            if (Scalars.Read(node, read, Name(key), Problems) is { } value) values.Add(value);
        return values.DrainToImmutable();
    }

    /// <summary>The keys that nobody asked for are errors; call it last.</summary>
    public void Close()
    {
        foreach (var (key, entry) in entries)
        {
            if (known.Contains(key)) continue;
            var guess = Spelling.Guess(entry.Key, known);
            Problems.Error(entry.Key, $"expected a key that {(path.Length > 0 ? path : "the file")} knows, got {entry.Key.Kind}{guess}");
        }
    }

    public string Name(string key) => path.Length > 0 ? $"{path}.{key}" : key;

    private static bool IsNull(DocumentNode node) => node is ScalarNode { IsNull: true };
}
