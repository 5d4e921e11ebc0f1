using System.Text.RegularExpressions;

namespace Calico.Bgp.Conformance.Rfc;

/// <summary>The table of clauses names tests that are there, and says nothing is held that no test holds.</summary>
public sealed partial class ClausesTests
{
    private static readonly Lazy<HashSet<string>> Tests = new(() =>
        [.. new[] { "tests", "conformance" }.SelectMany(
            folder => Directory.EnumerateFiles(Project.PathOf(folder), "*.cs", SearchOption.AllDirectories))
            .SelectMany(file => TestName().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value))]);

    public static TheoryData<string, string, string> Rows
    {
        get
        {
            var rows = new TheoryData<string, string, string>();
            foreach (var line in File.ReadLines(Project.PathOf("conformance", "rfc", "README.md")))
                if (line.Split('|', StringSplitOptions.TrimEntries) is { Length: 6 } cells && RowId().IsMatch(cells[1]))
                    rows.Add(cells[1], cells[3], cells[4]);
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void The_tests_of_a_clause_exist(string id, string tests, string status)
    {
        var named = tests.Split(", ", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([], named.Where(test => !Tests.Value.Contains(test)));
        Assert.True(status == "later" ? named.Length == 0 : named.Length > 0, $"{id} is {status} by {named.Length} tests");
    }

    [GeneratedRegex("public (?:async )?(?:void|Task) ([A-Z][A-Za-z0-9_]+)\\(")]
    private static partial Regex TestName();

    [GeneratedRegex("^[A-Z][0-9]{2}$")]
    private static partial Regex RowId();
}
