namespace Calico.Bgp.Layout.Tests;

/// <summary>No line is longer than 140 columns, where .editorconfig says it and the formatter does not see to it.</summary>
public sealed class ColumnsTests
{
    private const int Columns = 140;

    private static readonly string[] Roots = ["bench", "conformance", "docs", "lab", "machine", "src", "tests"];

    public static TheoryData<string> Folders => [.. Roots];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_line_has_at_most_140_columns(string folder) =>
        Assert.Equal("", string.Join('\n', Tree.Under(folder).SelectMany(TooLong)));

    [Fact]
    public void A_line_at_the_root_has_at_most_140_columns() =>
        Assert.Equal("", string.Join('\n', Directory.EnumerateFiles(Tree.Root).Select(file => Path.GetFileName(file)).SelectMany(TooLong)));

    private static IEnumerable<string> TooLong(string file)
    {
        var lines = File.ReadAllLines(Tree.Path(file));
        if (!IsWritten(file, lines)) yield break;
        for (var i = 0; i < lines.Length; i++)
            if (lines[i].EnumerateRunes().Count() is > Columns and var count && !IsTableRow(file, lines[i]))
                yield return $"{file}:{i + 1}: {count} columns";
    }

    /// <summary>By people: C#, scripts (which have no ending), project files, text. Golden answers and the like are as they come.</summary>
    private static bool IsWritten(string file, string[] lines) => Path.GetExtension(file) switch
    {
        ".cs" or ".csproj" or ".props" or ".md" or ".sh" => true,
        "" => lines.Length > 0 && lines[0].StartsWith("#!", StringComparison.Ordinal),
        _ => false,
    };

    /// <summary>Markdown knows no way to break one.</summary>
    private static bool IsTableRow(string file, string line) =>
        file.EndsWith(".md", StringComparison.Ordinal) && line.StartsWith("| ", StringComparison.Ordinal);
}
