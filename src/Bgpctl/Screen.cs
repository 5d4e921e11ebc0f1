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

    /// <summary>Somebody who types; null: nobody does.</summary>
    public TextReader? Input { get; init; }

    /// <summary>What is piped in, where nobody types.</summary>
    public TextReader Piped { get; init; } = TextReader.Null;

    /// <summary>The file that the output goes to; null: it is none.</summary>
    public string? File { get; init; }

    /// <summary>Null: nobody types, or nobody sees what is typed.</summary>
    public Keyboard? Keyboard { get; init; }

    public static Screen OfProcess()
    {
        var output = new StreamWriter(System.Console.OpenStandardOutput(), bufferSize: 64 * 1024) { AutoFlush = false };
        return new(output, System.Console.Error, System.Console.IsOutputRedirected ? null : AnsiConsole.Console)
        {
            // Not Console.In, whose reads hold up who waits for them.
            Input = System.Console.IsInputRedirected ? null : new StreamReader(System.Console.OpenStandardInput()),
            File = System.Console.IsOutputRedirected ? Cnat.ShellArrow.OutputOfProcess() : null,
            Piped = new StreamReader(System.Console.OpenStandardInput()),
            Keyboard = System.Console.IsInputRedirected || System.Console.IsOutputRedirected ? null : Keyboard.OfProcess,
        };
    }

    public void Write(Page page)
    {
        if (console != null) console.Write(Drawn(page, console.Profile.Width));
        else WritePlain(page);
        output.Flush();
    }

    /// <summary>The page as it is written where there is no terminal.</summary>
    public static string[] PlainLines(Page page)
    {
        using var text = new StringWriter { NewLine = "\n" };
        new Screen(text, TextWriter.Null, null).WritePlain(page);
        return text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private void WritePlain(Page page)
    {
        foreach (var section in page.Sections) WritePlain(section, section == page.Sections[0]);
    }

    /// <summary>Rows of one long grid, in pieces; <paramref name="widths"/> carries the columns' widths from piece to piece.</summary>
    public void WritePiece(Grid grid, ref int[]? widths)
    {
        if (console != null) console.Write(Drawn(grid, console.Profile.Width));
        else WritePlain(grid, ref widths);
        output.Flush();
    }

    public static IRenderable Drawn(Page page, int width) => new Rows(page.Sections.SelectMany(section => Drawn(section, width)));

    private static IEnumerable<IRenderable> Drawn(Section section, int width)
    {
        if (section is { Narrow: { } narrow, Grid: { } wide } && Widths(wide, width) == null)
        {
            foreach (var part in narrow.SelectMany(one => Drawn(one, width))) yield return part;
            yield break;
        }
        if (section.Title is { } title) yield return Paragraph(new(title.Text, Tone.Strong), width);
        if (section.Grid is { Rows.Count: > 0 } grid) yield return Drawn(grid, width);
        foreach (var note in section.Notes) yield return Paragraph(note, width);
    }

    private static Lines Paragraph(Cell cell, int width)
    {
        var lines = new Lines();
        foreach (var line in Lines.Cut(cell.Text, width)) lines.Add((line, Style(cell.Tone)));
        return lines;
    }

    /// <summary>A table where there is room for one without breaking a word; else a list of facts for each row.</summary>
    private static IRenderable Drawn(Grid grid, int width)
    {
        if (!grid.HasHeadings) return Facts([.. grid.Rows.Select(row => (row[0], row[1]))], width);
        return Widths(grid, width) is { } widths ? Table(grid, widths) : Records(grid, width);
    }

    private static int[]? Widths(Grid grid, int width)
    {
        const int Frame = 3; // of each cell: a line, and a space on either side
        return Fitting.Widths(grid, width - Frame * grid.Columns.Count - 1);
    }

    private static Table Table(Grid grid, int[] widths)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var (column, width) in grid.Columns.Zip(widths))
        {
            var head = new TableColumn(new Text(column.Heading, Style(Tone.Strong))) { Width = width };
            table.AddColumn(column.Right ? head.RightAligned() : head);
        }
        foreach (var row in grid.Rows) table.AddRow(row.Select(cell => new Text(cell.Text, Style(cell.Tone))));
        return table;
    }

    private static Rows Records(Grid grid, int width) => new(grid.Rows.Select(row => Facts(
        [
            .. grid.Columns.Zip(row).Where(cell => cell.Second.Text.Length > 0)
                .Select(cell => (new Cell(cell.First.Heading, Tone.Faint), cell.Second)),
        ], width, below: "")));

    /// <summary>Names and values side by side; a value that has no room there stands below its name.</summary>
    private static Lines Facts(IReadOnlyList<(Cell Name, Cell Value)> facts, int width, string? below = null)
    {
        const int Gap = 2;
        var lines = new Lines();
        var names = facts.Select(fact => fact.Name.Text.Length).DefaultIfEmpty().Max();
        var beside = width - names - Gap;
        foreach (var (name, value) in facts)
        {
            var isBeside = Lines.LongestWord(value.Text) <= beside;
            if (!isBeside) lines.Add((name.Text, Style(name.Tone)));
            var label = isBeside ? name.Text.PadRight(names + Gap) : new(' ', Gap);
            foreach (var line in Lines.Cut(value.Text, isBeside ? beside : width - Gap))
            {
                lines.Add((label, Style(name.Tone)), (line, Style(value.Tone)));
                label = new(' ', label.Length);
            }
        }
        if (below != null) lines.Add((below, Style(Tone.Plain)));
        return lines;
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
