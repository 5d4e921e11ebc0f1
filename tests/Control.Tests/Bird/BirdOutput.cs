using System.Text.RegularExpressions;

namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>
/// Brings what two daemons answered to one form, so that they can be held beside each other line by line. What differs between
/// any two runs goes: times, what is left of timers, and the order in which a table hands out its prefixes.
/// </summary>
public static partial class BirdOutput
{
    [GeneratedRegex(@"\d\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d\d\d")]
    private static partial Regex LongTime();

    [GeneratedRegex(@"\d\d:\d\d:\d\d\.\d\d\d")]
    private static partial Regex ShortTime();

    [GeneratedRegex(@"^1007-[0-9a-f:][^ ]*/\d+ +\w+ \[")]
    private static partial Regex OpensPrefix();

    [GeneratedRegex(@"(\s)\d+\.\d\d\d/(\d+)")]
    private static partial Regex Timer();

    /// <summary>Lines without times; codes and signs stay as they were.</summary>
    public static string[] Lines(string raw) => [.. raw.TrimEnd('\n').Split('\n').Select(WithoutTimes)];

    /// <summary>
    /// The same for <c>show route</c>: each line is given its full code, and the prefixes of a table are sorted with all their lines.
    /// </summary>
    public static string[] RouteLines(string raw)
    {
        List<string> result = [];
        List<List<string>> prefixes = [];
        foreach (var line in WithCodes(Lines(raw)))
        {
            var text = line[5..];
            if (OpensPrefix().IsMatch(line))
                prefixes.Add([line]);
            else if (prefixes.Count > 0 && (text.StartsWith('\t') || text.StartsWith("    ", StringComparison.Ordinal)))
                prefixes[^1].Add(line);
            else { Close(); result.Add(line); }
        }
        Close();
        return [.. result];

        void Close()
        {
            result.AddRange(prefixes.OrderBy(lines => lines[0].Split(' ')[0], StringComparer.Ordinal).SelectMany(lines => lines));
            prefixes.Clear();
        }
    }

    private static string WithoutTimes(string line) =>
        Timer().Replace(ShortTime().Replace(LongTime().Replace(line, "DATE TIME"), "HH:MM:SS.mmm"), "$1S.mmm/$2");

    private static IEnumerable<string> WithCodes(string[] lines)
    {
        var code = "";
        foreach (var line in lines)
        {
            if (line.Length > 4 && line[..4].All(char.IsAsciiDigit)) code = line[..4];
            yield return line.StartsWith(' ') ? $"{code}-{line[1..]}" : line;
        }
    }
}
