namespace Calico.Bgp.Resources.Documents;

/// <summary>
/// A value of a document, JSON or YAML, with its place. Every source makes these of what it reads, so that there is one spelling of the
/// objects (<see cref="ResourceJson"/>) and every mistake has a line. Nodes are shared where a YAML document uses aliases.
/// </summary>
/// <param name="Size">Nodes that a walk through it visits, aliases counted each time.</param>
public abstract record DocumentNode(int Line, int Column, int Size)
{
    /// <summary>What came, for "expected …, got …".</summary>
    public abstract string Kind { get; }
}

/// <param name="Plain">Not quoted: a number, a truth value, null (<c>~</c>, nothing at all), or a YAML string that needs no quotes.</param>
public sealed record ScalarNode(int Line, int Column, string Text, bool Plain) : DocumentNode(Line, Column, 1)
{
    private const int Shown = 60;

    /// <summary>A YAML tag that is not YAML's own, as it was written: <c>!has(x)</c> without quotes is one, before an empty value. Null:
    /// none.</summary>
    public string? Tag { get; init; }

    public bool IsNull => Plain && Text is "" or "~" or "null" or "Null" or "NULL";

    public override string Kind =>
        Tag != null ? $"the YAML tag {Printable(Tag)}: quote a value that begins with !"
        : IsNull ? "nothing"
        : Text.Length <= Shown ? $"\"{Printable(Text)}\""
        : $"\"{Printable(Text[..Shown])}…\" ({Text.Length} characters)";

    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
}

public sealed record SequenceNode(int Line, int Column, int Size, IReadOnlyList<DocumentNode> Items) : DocumentNode(Line, Column, Size)
{
    public override string Kind => "a list";
}

public sealed record MappingNode(int Line, int Column, int Size, IReadOnlyList<MappingEntry> Entries) : DocumentNode(Line, Column, Size)
{
    public override string Kind => "a mapping";
}

/// <param name="Merged">It came through YAML's <c>&lt;&lt;: *anchor</c>.</param>
public readonly record struct MappingEntry(ScalarNode Key, DocumentNode Value, bool Merged);
