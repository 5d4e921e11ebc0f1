using System.Text.RegularExpressions;

namespace Calico.Bgp.Layout.Tests;

/// <summary>A kind of object is a record, a reader and a row.</summary>
public partial class KindsTests
{
    /// <summary>What passes objects on, whatever they are.</summary>
    private static readonly string[] PassingOn =
    [
        "Resource.cs", "ResourceChange.cs", "ResourceClaims.cs", "ResourceDefinition.cs", "ResourceFeed.cs", "ResourceJson.cs",
        "ResourceKind.cs", "ResourceOrigin.cs", "ResourceProblem.cs", "ResourceSnapshot.cs", "ResourceStore.cs", "ResourceTable.cs",
        "SnapshotBuilder.cs",
    ];

    [GeneratedRegex(@"KindOf<(\w+)> (\w+) =")]
    private static partial Regex Row();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [Fact]
    public void What_passes_objects_on_knows_no_kind_by_name()
    {
        var rows = Row().Matches(File.ReadAllText(Tree.Path("src/Resources/Kinds.cs")));
        var names = rows.SelectMany(row => new[] { row.Groups[1].Value, row.Groups[2].Value }).ToHashSet();
        Assert.Contains("BgpPeer", names);
        var found =
            from file in PassingOn
            from line in File.ReadLines(Tree.Path("src/Resources", file))
            where !line.TrimStart().StartsWith("///", StringComparison.Ordinal)
            from word in Word().Matches(line).Select(word => word.Value)
            where names.Contains(word)
            select $"{file}: {word}";
        Assert.Equal([], found.Distinct());
    }
}
