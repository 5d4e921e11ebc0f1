using System.Text.RegularExpressions;

namespace Calico.Bgp.Layout.Tests;

/// <summary>What the pages say of names, files and lines is so. What commands print is not held here: it was seen.</summary>
public sealed partial class DocsTests
{
    public static TheoryData<string> Pages =>
        [.. Directory.EnumerateFiles(Tree.Root, "*.md")
            .Concat(Directory.EnumerateFiles(Tree.Path("docs"), "*.md", SearchOption.AllDirectories))
            .Append(Tree.Path("src", "README.md"))
            .Select(file => Path.GetRelativePath(Tree.Root, file)).Order()];

    [Fact]
    public void Every_key_of_bgpd_yaml_is_explained()
    {
        var page = File.ReadAllText(Tree.Path("docs", "bgpd.yaml.md"));
        var reference = Between(page, "<!-- bgpd.yaml: begin", "<!-- bgpd.yaml: end");
        var explained = Word().Matches(reference).Select(word => word.Value).ToHashSet();
        var asked = Directory.EnumerateFiles(Tree.Path("src", "Configuration"), "*.cs")
            .SelectMany(file => AskedKey().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).Distinct().Order();
        Assert.Equal([], asked.Where(key => !explained.Contains(key)));
    }

    [Fact]
    public void The_first_node_of_the_README_is_the_example()
    {
        var shown = Between(File.ReadAllText(Tree.Path("README.md")), "```yaml\n", "```");
        var example = File.ReadLines(Tree.Path("examples", "00-first-node", "bgpd.yaml")).Where(line => !line.StartsWith('#'));
        Assert.Equal(example, shown["```yaml\n".Length..].TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void Every_dependency_has_its_line_in_the_README()
    {
        var table = Between(File.ReadAllText(Tree.Path("README.md")), "| dependency | why |", "\n\n");
        var direct = Tree.Projects.SelectMany(project => Reference().Matches(File.ReadAllText(project)))
            .Select(match => match.Groups[1].Value).Distinct();
        // xunit's runner comes with xunit.
        Assert.Equal(
            [], direct.Where(name => name != "xunit.runner.visualstudio" && !table.Contains(name, StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_loop_has_its_row_in_the_map()
    {
        var table = Between(File.ReadAllText(Tree.Path("src", "README.md")), "| loop | runs on |", "\n\n");
        var rows = table.Split('\n').Select(row => row.TrimStart('|', ' ').Split(',', '|')[0].Trim()).ToHashSet();
        var started = Tree.Sources.Where(file => file.StartsWith("src/", StringComparison.Ordinal))
            .SelectMany(file => StartedLoop().Matches(File.ReadAllText(Tree.Path(file))).Select(match => match.Groups[1].Value)).Distinct();
        Assert.Equal([], started.Where(name => !rows.Contains(name)).Order());
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_link_leads_to_something_that_is_there(string page)
    {
        var folder = Path.GetDirectoryName(Tree.Path(page))!;
        var broken = Link().Matches(File.ReadAllText(Tree.Path(page))).Select(link => link.Groups[1].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal) && !Leads(folder, Tree.Path(page), target));
        Assert.Equal([], broken);
    }

    /// <summary>A table's row is one line by nature, and what a program printed stays as it was.</summary>
    [Theory]
    [MemberData(nameof(Pages))]
    public void Prose_fits_into_140_columns(string page)
    {
        var isPrinted = false;
        var wide = new List<string>();
        foreach (var line in File.ReadLines(Tree.Path(page)))
        {
            if (line.StartsWith("```", StringComparison.Ordinal)) isPrinted = !isPrinted;
            if (!isPrinted && !line.StartsWith('|') && line.Length > 140) wide.Add(line);
        }
        Assert.Equal([], wide);
    }

    private static bool Leads(string folder, string page, string target)
    {
        var (file, anchor) = target.Split('#') is [var name, var heading] ? (name, heading) : (target, null);
        var path = file.Length == 0 ? page : Path.GetFullPath(Path.Combine(folder, file));
        if (!Path.Exists(path)) return false;
        return anchor == null || File.ReadLines(path).Any(line => line.StartsWith('#') && Anchor(line) == anchor);
    }

    /// <summary>As forges make it of a heading.</summary>
    private static string Anchor(string heading) =>
        NoAnchor().Replace(heading.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-');

    private static string Between(string text, string begin, string end)
    {
        var from = text.IndexOf(begin, StringComparison.Ordinal);
        Assert.True(from >= 0, $"expected {begin}, and it is not there");
        var to = text.IndexOf(end, from + begin.Length, StringComparison.Ordinal);
        Assert.True(to >= 0, $"expected {end} behind {begin}, and it is not there");
        return text[from..to];
    }

    /// <summary>A loop's name, as it is entered in the register.</summary>
    [GeneratedRegex("""\bStart(?:Thread)?\(\s*"([^"]+)",\s*OnDefect""")]
    private static partial Regex StartedLoop();

    [GeneratedRegex("[A-Za-z]+")]
    private static partial Regex Word();

    /// <summary>A key is the first argument of one of Section's questions.</summary>
    [GeneratedRegex("\\b[A-Z][A-Za-z]+\\(\"([a-z][A-Za-z]+)\"")]
    private static partial Regex AskedKey();

    [GeneratedRegex("<PackageReference Include=\"([^\"]+)\"")]
    private static partial Regex Reference();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\p{L}\p{N} \-]")]
    private static partial Regex NoAnchor();
}
