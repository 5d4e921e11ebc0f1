// What birdc shows of our daemon, beside what it shows of a real BIRD in the same situation, line by line.
//
// One thing is different on purpose: `show route export PEER all` shows a route as it leaves (own AS in front, our next hop), where
// BIRD shows it as it was before the way out changed it.
//
// Put aside before the comparison: times and timers, the version and the host's name, the order of prefixes (BIRD's is that of its hash
// table), and the numbers in what describes an implementation rather than a network (memory, change statistics). Also the host's name among
// the capabilities, which BIRD 2.0.12 does not announce, and those symbols that are words of BIRD's own configuration language.
using System.Text.RegularExpressions;

namespace Calico.Bgp.Conformance.Birdc;

public sealed partial class BirdcTests(Twins twins) : IClassFixture<Twins>
{
    [NeedsTheory(Needs.Daemon, "bird", "birdc")]
    [InlineData("show status")]
    [InlineData("show protocols")]
    [InlineData("show protocols ext4")]
    [InlineData("show protocols \"ext*\"")]
    [InlineData("show protocols nobody")]
    [InlineData("show protocols all ext4")]
    [InlineData("show protocols all int4")]
    [InlineData("show protocols all ext6")]
    [InlineData("show protocols all gone4")]
    [InlineData("show protocols all static1")]
    [InlineData("show route")]
    [InlineData("show route all")]
    [InlineData("show route table master4")]
    [InlineData("show route table all count")]
    [InlineData("show route primary")]
    [InlineData("show route count")]
    [InlineData("show route stats")]
    [InlineData("show route 203.0.113.0/24")]
    [InlineData("show route 203.0.113.0/24 all")]
    [InlineData("show route 10.11.12.0/24")]
    [InlineData("show route for 203.0.113.7")]
    [InlineData("show route for 198.51.100.1 all")]
    [InlineData("show route for 2001:db8:c::1")]
    [InlineData("show route in 100.0.0.0/8")]
    [InlineData("show route protocol ext4")]
    [InlineData("show route protocol static1 all")]
    [InlineData("show route export ext4")]
    [InlineData("show route export int4 all")]
    [InlineData("show route noexport ext4")]
    [InlineData("show route preexport ext4")]
    [InlineData("show route filtered")]
    [InlineData("show route filtered protocol ext4")]
    [InlineData("show route where source = RTS_STATIC")]
    [InlineData("show route where net ~ [198.51.100.0/24]")]
    [InlineData("show route where bgp_path.len > 1")]
    [InlineData("show route where bgp_path ~ [= * 65010 * =]")]
    [InlineData("show route where from = 10.99.0.3")]
    [InlineData("show route filter { if net ~ [ 198.51.100.0/24, 203.0.113.0/24{24,28} ] then accept; }")]
    [InlineData("show route filter { if source = RTS_BGP && bgp_path.len > 1 then accept; else reject; }")]
    [InlineData("show route filter { if proto = \"ext4\" then { if bgp_path ~ [= * 65010 * =] then accept; } reject; } count")]
    [InlineData("show route where (65010,1) ~ bgp_community count")]
    [InlineData("show interfaces")]
    [InlineData("show interfaces summary")]
    [InlineData("show static")]
    [InlineData("show static static1")]
    [InlineData("show symbols")]
    [InlineData("show memory")]
    [InlineData("show nonsense")]
    [InlineData("show route for nonsense")]
    [InlineData("show route table nobody")]
    [InlineData("enable ext4")]
    [InlineData("disable nobody")]
    [InlineData("echo all")]
    [InlineData("eval 1+1")]
    public async Task An_answer_reads_as_a_BIRD_s(string words)
    {
        var (bird, ours) = await twins.AskAsync(words);
        var (expected, seen) = (Comparable(words, bird), Comparable(words, ours));
        Assert.True(expected == seen, $"--- BIRD:\n{expected}\n--- ours:\n{seen}");
    }

    private static string Comparable(string words, string output)
    {
        var lines = output.Split('\n').Select(line => line.TrimEnd())
            .Where(line => !line.StartsWith("BIRD ", StringComparison.Ordinal) && !line.Contains("Hostname", StringComparison.Ordinal));
        if (words == "show symbols") lines = lines.Where(
            line => line.EndsWith("\tprotocol", StringComparison.Ordinal) || line.EndsWith("\trouting table", StringComparison.Ordinal))
            .Order();
        var text = string.Join('\n', lines.Select(Timeless));
        if (words == "show memory") text = Number().Replace(text, "N");
        if (words.StartsWith("show protocols all", StringComparison.Ordinal)) text = Changes()
            .Replace(text, match => Number().Replace(match.Value, "N"));
        return words.StartsWith("show route", StringComparison.Ordinal) ? Sorted(text) : text;
    }

    private static string Timeless(string line) =>
        LinkLocal().Replace(Index().Replace(Timer().Replace(Clock().Replace(Date().Replace(line, "DATE"), "TIME"), "TIMER"), "index=N"),
        "fe80::X");

    /// <summary>Prefixes with all their lines, in order within each table.</summary>
    private static string Sorted(string text)
    {
        var sorted = new List<string>();
        var blocks = new List<string>();
        foreach (var line in text.Split('\n'))
            if (line.StartsWith("Table ", StringComparison.Ordinal) || line.Length == 0) { Flush(); sorted.Add(line); }
            else if (blocks.Count > 0 && char.IsWhiteSpace(line[0])) blocks[^1] += "\n" + line;
            else blocks.Add(line);
        Flush();
        return string.Join('\n', sorted);

        void Flush()
        {
            sorted.AddRange(blocks.Order(StringComparer.Ordinal));
            blocks.Clear();
        }
    }

    [GeneratedRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}")]
    private static partial Regex Date();

    [GeneratedRegex("[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?")]
    private static partial Regex Clock();

    [GeneratedRegex("[0-9]+\\.[0-9]{3}/[0-9]+")]
    private static partial Regex Timer();

    [GeneratedRegex("fe80::[0-9a-f:]+")]
    private static partial Regex LinkLocal();

    [GeneratedRegex("index=[0-9]+")]
    private static partial Regex Index();

    [GeneratedRegex("(Import|Export) (updates|withdraws): .*")]
    private static partial Regex Changes();

    [GeneratedRegex("[ ]*[0-9]+(\\.[0-9]+)?( [ kMG]?B)?")]
    private static partial Regex Number();
}
