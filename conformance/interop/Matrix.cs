// The table daemon × capability in conformance/README.md. A run with CONFORMANCE_WRITE=1 writes what it saw; any other run holds what
// it sees against what stands there, so that the table stays true.

namespace Calico.Bgp.Conformance.Interop;

internal static class Matrix
{
    private const string Begin = "<!-- matrix: begin -->", End = "<!-- matrix: end -->";
    private static readonly string[] Daemons = ["bird", "frr", "gobgp", "openbgpd", "exabgp"];
    private static readonly Lock Gate = new();
    private static readonly bool Writing = Environment.GetEnvironmentVariable("CONFORMANCE_WRITE") == "1";
    private static string Readme => Project.PathOf("conformance", "README.md");

    public static void Saw(string daemon, string capability, string what)
    {
        if (Project.Subject != "bgpd") return;
        lock (Gate)
        {
            var rows = Read();
            if (!Writing)
            {
                if (rows.TryGetValue(capability, out var row) && row.TryGetValue(daemon, out var before) && before != "–")
                    Assert.Equal(before, what);
                return;
            }
            if (!rows.TryGetValue(capability, out var cells)) rows[capability] = cells = [];
            cells[daemon] = what;
            Write(rows);
        }
    }

    private static SortedDictionary<string, Dictionary<string, string>> Read()
    {
        var rows = new SortedDictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(Readme).SkipWhile(line => line != Begin).TakeWhile(line => line != End)
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(2))
        {
            var cells = line.Split('|', StringSplitOptions.TrimEntries);
            rows[cells[1]] = Daemons.Select((daemon, i) => (daemon, cell: cells[i + 2])).ToDictionary(one => one.daemon, one => one.cell);
        }
        return rows;
    }

    private static void Write(SortedDictionary<string, Dictionary<string, string>> rows)
    {
        var text = File.ReadAllText(Readme);
        var table = string.Join('\n', rows.Select(row =>
            $"| {row.Key} | {string.Join(" | ", Daemons.Select(daemon => row.Value.GetValueOrDefault(daemon, "–")))} |"));
        var (before, after) = (text[..text.IndexOf(Begin, StringComparison.Ordinal)], text[text.IndexOf(End, StringComparison.Ordinal)..]);
        var head = $"| | {string.Join(" | ", Daemons)} |\n| --- |{string.Concat(Daemons.Select(_ => " --- |"))}";
        File.WriteAllText(Readme, $"{before}{Begin}\n{head}\n{table}\n{after}");
    }
}
