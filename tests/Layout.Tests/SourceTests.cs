using System.Text.RegularExpressions;

namespace Calico.Bgp.Layout.Tests;

/// <summary>What every source file promises, whoever wrote it.</summary>
public partial class SourceTests
{
    private static readonly string[] RoutesRooms = ["Bfd", "Net", "Rib", "Session", "Speaker", "Wire"];

    private static readonly string[] OthersPolicies =
    [
        "NetworkPolic", "TrafficPolicy", "NamingPolicy", "PingPolicy", "VersionPolicy", "ChainPolicy", "SslPolicyErrors",
        "ApplicationPolicy",
    ];

    [Fact]
    public void Nothing_is_left_unwritten() =>
        Assert.Equal([], Files(file => !IsThisFile(file) && Contains(file, "NotImplementedException")));

    [Fact]
    public void No_file_is_longer_than_500_lines() =>
        Assert.Equal([], Files(file => File.ReadLines(Tree.Path(file)).Count() > 500));

    [Fact]
    public void Beside_the_kernels_and_BFDs_rooms_libc_is_known_to_those_who_judge_files_the_tables_memory_and_the_sessions_sockets() =>
        Assert.Equal(
            ["src/Net/TableMemory.cs", "src/Session/TcpOptions.cs", "src/Sources/RegularFile.cs"],
            Files(file => IsIn("src/", file) && !IsIn("src/Kernel/", file) && !IsIn("src/Bfd/", file)
                && Contains(file, "Tmds.Linux")));

    [Fact]
    public void Nobody_declares_what_of_libc_is_Tmds_LibCs() =>
        // kill(2) is not among them, and the machine, which needs it, is no room; nor are limits, schedulers and priorities.
        Assert.Equal(["machine/Libc.cs", "src/Bfd/Libc.cs", "src/Kernel/Netlink/Libc.cs"], Files(file => !IsThisFile(file)
            && (Contains(file, "LibraryImport") || Contains(file, "DllImport"))));

    [Fact]
    public void Time_comes_from_a_TimeProvider() =>
        Assert.Equal([], Files(file => IsIn("src/", file)
            && (Contains(file, "DateTime.Now") || Contains(file, "DateTime.UtcNow") || Contains(file, "DateTimeOffset.UtcNow"))));

    [Fact]
    public void Whatever_lives_on_is_a_Loop_with_a_policy_for_its_defect() =>
        Assert.Equal(
            ["src/Net/Loops.cs"],
            Files(file => IsIn("src/", file)
                && (Contains(file, "Task.Run(") || Contains(file, "new Thread(")
                    || Contains(file, "LongRunning") || Contains(file, "StartNew("))));

    /// <summary>
    /// On a route's way a shard asks each turn what time it is: the tick that the kernel keeps for everybody costs nothing.
    /// </summary>
    [Fact]
    public void The_machines_counter_is_asked_by_the_shards_alone() =>
        Assert.Equal([], Files(file => IsIn("src/", file) && !IsIn("src/Rib/", file)
            && (Contains(file, "TickCount") || Contains(file, "Stopwatch"))));

    [Fact]
    public void The_machines_clock_is_chosen_where_a_program_begins() =>
        Assert.Equal(
            [
                "src/Bgpctl/Program.cs", "src/Bgpd/Checking.cs", "src/Bgpd/EgressPods/EgressPod.cs", "src/Bgpd/Flushing.cs",
                "src/Bgpd/Hosting.cs",
                "src/Session/Listener.cs", // Unless a test says otherwise.
                "src/Sources/Yaml/YamlFiles.cs", // Reads once, and waits for nothing.
            ],
            Files(file => IsIn("src/", file) && Contains(file, "TimeProvider.System")));

    [Fact]
    public void An_event_id_means_one_thing()
    {
        var ids = EventIds().ToArray();
        Assert.NotEmpty(ids);
        var twice = ids.GroupBy(id => id.Number).Where(group => group.Count() > 1);
        Assert.Equal([], twice.Select(group => $"{group.Key}: {string.Join(", ", group.Select(id => id.File))}"));
    }

    [Fact]
    public void A_thousand_event_ids_belong_to_one_room() =>
        Assert.Equal([], EventIds().GroupBy(id => id.Number / 1000, id => id.File.Split('/')[1])
            .Where(rooms => rooms.Distinct().Count() > 1).Select(rooms => $"{rooms.Key}xxx: {string.Join(", ", rooms.Distinct())}"));

    /// <summary>A route meets filters, in all rooms that know routes. Kubernetes' and Calico's own words, and a framework's, keep
    /// theirs.</summary>
    [Fact]
    public void A_policy_is_for_packets() =>
        Assert.Equal([],
            from file in Files(file => RoutesRooms.Any(room => IsIn($"src/{room}/", file)))
            from line in File.ReadLines(Tree.Path(file))
            where !line.TrimStart().StartsWith("//", StringComparison.Ordinal)
            from Match word in PolicyWord().Matches(line)
            where !OthersPolicies.Any(other => word.Value.Contains(other, StringComparison.Ordinal))
            select $"{file}: {word.Value}");

    [Fact]
    public void A_positional_record_has_eight_members_at_most() =>
        Assert.Equal([], PositionalRecords().Where(record => record.Members > 8).Select(record => record.Name).Except(
            [
                "Header", "RouteHeader", // fib_rule_hdr and rtmsg, octet by octet.
            ]));

    private static IEnumerable<(int Number, string File)> EventIds() =>
        from file in Files(file => IsIn("src/", file))
        from Match id in EventId().Matches(File.ReadAllText(Tree.Path(file)))
        select (int.Parse(id.Groups[1].ValueSpan, null), file);

    /// <summary>The answers that HTTP sends are made by JSON's names, and left out.</summary>
    private static IEnumerable<(string Name, int Members)> PositionalRecords() =>
        from file in Files(file => IsIn("src/", file) && !IsIn("src/Answers/", file))
        let text = File.ReadAllText(Tree.Path(file))
        from Match record in Record().Matches(text)
        select (record.Groups[1].Value, Members(text.AsSpan(record.Index + record.Length)));

    /// <summary>Commas up to the closing parenthesis, but for those inside of others.</summary>
    private static int Members(ReadOnlySpan<char> list)
    {
        var (depth, members) = (0, list.TrimStart() is [')', ..] ? 0 : 1);
        foreach (var letter in list)
        {
            if (depth == 0 && letter == ')') break;
            if (letter is '(' or '<' or '[' or '{') depth++;
            else if (letter is ')' or '>' or ']' or '}') depth--;
            else if (letter == ',' && depth == 0) members++;
        }
        return members;
    }

    [GeneratedRegex(@"\[LoggerMessage\(\s*(\d+),")]
    private static partial Regex EventId();

    [GeneratedRegex(@"\w*Polic(?:y|ies)\w*")]
    private static partial Regex PolicyWord();

    [GeneratedRegex(@"\brecord(?: struct| class)? (\w+)(?:<[^>]*>)?\(")]
    private static partial Regex Record();

    private static IEnumerable<string> Files(Func<string, bool> which) => Tree.Sources.Where(which).Order();

    private static bool IsIn(string folder, string file) => file.StartsWith(folder, StringComparison.Ordinal);

    private static bool Contains(string file, string word) => File.ReadAllText(Tree.Path(file)).Contains(word, StringComparison.Ordinal);

    private static bool IsThisFile(string file) => file.EndsWith(nameof(SourceTests) + ".cs", StringComparison.Ordinal);
}
