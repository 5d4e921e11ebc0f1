namespace Calico.Bgp.Configuration;

/// <summary>A value of the file with its place. Nodes are shared where the file uses aliases.</summary>
/// <param name="Size">Nodes that a walk through it visits, aliases counted each time.</param>
internal abstract record ConfigNode(int Line, int Column, int Size)
{
    /// <summary>What came, for "expected …, got …".</summary>
    public abstract string Kind { get; }
}

/// <param name="Plain">Not quoted: <c>~</c> and nothing at all mean null then.</param>
internal sealed record ScalarNode(int Line, int Column, string Text, bool Plain) : ConfigNode(Line, Column, 1)
{
    private const int Shown = 60;

    public bool IsNull => Plain && Text is "" or "~" or "null";

    public override string Kind =>
        IsNull ? "nothing"
        : Text.Length <= Shown ? $"\"{Printable(Text)}\""
        : $"\"{Printable(Text[..Shown])}…\" ({Text.Length} characters)";

    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
}

internal sealed record SequenceNode(int Line, int Column, int Size, IReadOnlyList<ConfigNode> Items) : ConfigNode(Line, Column, Size)
{
    public override string Kind => "a list";
}

internal sealed record MappingNode(int Line, int Column, int Size, IReadOnlyList<MappingEntry> Entries) : ConfigNode(Line, Column, Size)
{
    public override string Kind => "a mapping";
}

/// <param name="Merged">It came through <c>&lt;&lt;: *anchor</c>.</param>
internal readonly record struct MappingEntry(ScalarNode Key, ConfigNode Value, bool Merged);
