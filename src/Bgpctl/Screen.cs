// Prints pages: on a terminal as tables with colour (Spectre.Console), elsewhere as plain aligned text for grep and mail,
// never cut and without box art. A list too long to be measured is aligned piece by piece.

using Spectre.Console;
using Spectre.Console.Rendering;

namespace Calico.Bgp.Bgpctl;

/// <param name="console">Null: the output is no terminal.</param>
internal sealed class Screen(TextWriter output, TextWriter errors, IAnsiConsole? console)
{
    public TextWriter Output => output;
    public TextWriter Errors => errors;
    public IAnsiConsole? Console => console;

    public static Screen OfProcess()
    {
        var output = new StreamWriter(System.Console.OpenStandardOutput(), bufferSize: 64 * 1024) { AutoFlush = false };
        return new(output, System.Console.Error, System.Console.IsOutputRedirected ? null : AnsiConsole.Console);
    }

    public void Write(Page page)
    {
        if (console != null) console.Write(Drawn(page));
        else foreach (var section in page.Sections) WritePlain(section, section == page.Sections[0]);
        output.Flush();
    }

    /// <summary>Rows of one long grid, in pieces; <paramref name="widths"/> carries the columns' widths from piece to piece.</summary>
    public void WritePiece(Grid grid, ref int[]? widths)
    {
        if (console != null) console.Write(Drawn(grid));
        else WritePlain(grid, ref widths);
        output.Flush();
    }

    public static IRenderable Drawn(Page page) => new Rows(page.Sections.SelectMany(Drawn));

    private static IEnumerable<IRenderable> Drawn(Section section)
    {
        if (section.Title is { } title) yield return new Text(title.Text, Style(Tone.Strong));
        if (section.Grid is { Rows.Count: > 0 } grid) yield return Drawn(grid);
        foreach (var note in section.Notes) yield return new Text(note.Text, Style(note.Tone));
    }

    private static Table Drawn(Grid grid)
    {
        var table = new Table { Border = grid.HasHeadings ? TableBorder.Rounded : TableBorder.None, ShowHeaders = grid.HasHeadings };
        foreach (var column in grid.Columns)
        {
            var head = new TableColumn(new Text(column.Heading, Style(Tone.Strong)));
            table.AddColumn(column.Right ? head.RightAligned() : head);
        }
        foreach (var row in grid.Rows) table.AddRow(row.Select(cell => new Text(cell.Text, Style(cell.Tone))));
        return table;
    }

    private static Style Style(Tone tone) => tone switch
    {
        Tone.Good => new(Color.Green),
        Tone.Bad => new(Color.Red),
        Tone.Faint => new(Color.Grey),
        Tone.Strong => new(decoration: Decoration.Bold),
        _ => Spectre.Console.Style.Plain,
    };

    private void WritePlain(Section section, bool first)
    {
        if (!first) output.WriteLine();
        if (section.Title is { } title) output.WriteLine(title.Text);
        int[]? widths = null;
        if (section.Grid is { Rows.Count: > 0 } grid) WritePlain(grid, ref widths);
        foreach (var note in section.Notes) output.WriteLine(note.Text);
    }

    private void WritePlain(Grid grid, ref int[]? widths)
    {
        var opening = widths == null;
        widths ??= [.. grid.Columns.Select(column => column.Heading.Length)];
        foreach (var row in grid.Rows)
            for (var at = 0; at < row.Count; at++) widths[at] = Math.Max(widths[at], row[at].Text.Length);
        var headings = grid.Columns.Select(column => (Cell)column.Heading.ToUpperInvariant());
        if (opening && grid.HasHeadings) WriteLine(grid, [.. headings], widths);
        foreach (var row in grid.Rows) WriteLine(grid, row, widths);
    }

    private void WriteLine(Grid grid, IReadOnlyList<Cell> row, int[] widths)
    {
        var fields = row.Select((cell, at) => grid.Columns[at].Right ? cell.Text.PadLeft(widths[at]) : cell.Text.PadRight(widths[at]));
        output.WriteLine(string.Join("  ", fields).TrimEnd());
    }
}
