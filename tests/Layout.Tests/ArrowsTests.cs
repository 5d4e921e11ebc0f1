using System.Xml.Linq;

namespace Calico.Bgp.Layout.Tests;

/// <summary>The rooms know each other as the map in src/README.md says, no more and no less.</summary>
public class ArrowsTests
{
    public static TheoryData<string> Rooms => [.. Tree.Rooms];

    [Fact]
    public void The_map_lists_every_room_and_no_other() => Assert.Equal(Tree.Rooms, Map().Keys.Order());

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_references_what_the_map_says(string room) => Assert.Equal(Map()[room], References(room));

    [Theory]
    [MemberData(nameof(Rooms))]
    public void No_arrow_points_up(string room)
    {
        var seen = new HashSet<string>();
        var ahead = new Queue<string>(References(room));
        while (ahead.TryDequeue(out var next))
            if (seen.Add(next))
                foreach (var further in References(next))
                    ahead.Enqueue(further);
        Assert.DoesNotContain(room, seen);
    }

    private static string[] References(string room) =>
        [.. XDocument.Load(Tree.Path("src", room, room + ".csproj")).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value)).Order()];

    /// <summary>The table's first and third columns.</summary>
    private static Dictionary<string, string[]> Map() =>
        File.ReadLines(Tree.Path("src", "README.md"))
            .SkipWhile(line => !line.StartsWith("| room |", StringComparison.Ordinal)).Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .ToDictionary(cells => cells[1], cells => cells[3] == "–" ? [] : cells[3].Split(", ").Order().ToArray());
}
