// What a command shows, before anybody decides how: titles, notes and grids of cells. Views make pages; Screen prints them.

namespace Calico.Bgp.Bgpctl;

internal enum Tone : byte { Plain, Good, Bad, Faint, Strong }

/// <summary>One field. Control characters never reach a terminal: texts come from peers and files.</summary>
internal readonly record struct Cell(string Text, Tone Tone = Tone.Plain)
{
    public string Text { get; } = Text.Any(char.IsControl) ? string.Concat(Text.Select(c => char.IsControl(c) ? ' ' : c)) : Text;

    public static implicit operator Cell(string? text) => new(text ?? "");

    public static Cell FromString(string? text) => text;
}

internal readonly record struct Column(string Heading, bool Right = false);

/// <summary>Columns without headings make a list of facts.</summary>
internal sealed record Grid(IReadOnlyList<Column> Columns, IReadOnlyList<IReadOnlyList<Cell>> Rows)
{
    public bool HasHeadings => Columns.Any(column => column.Heading.Length > 0);

    public static Grid Facts(params IEnumerable<(string Name, Cell Value)> facts) =>
        new([new(""), new("")], [.. from fact in facts where fact.Value.Text.Length > 0 select Row(fact.Name, fact.Value)]);

    private static Cell[] Row(string name, Cell value) => [new(name, Tone.Faint), value];
}

/// <summary>A title, a grid, and lines below it; each may be missing.</summary>
internal sealed record Section(Cell? Title, Grid? Grid, params IReadOnlyList<Cell> Notes)
{
    /// <summary>The same with less beside each other, drawn on a terminal where the grid has no room.</summary>
    public IReadOnlyList<Section>? Narrow { get; init; }
}

internal sealed record Page(params IReadOnlyList<Section> Sections);
