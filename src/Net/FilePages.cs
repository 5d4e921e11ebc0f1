using System.Globalization;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Net;

/// <summary>
/// Pages of the program's own files that are mapped into it. The kernel maps 16 of them whenever one is touched, and keeps them resident
/// for as long as nobody asks for memory: what ran once, at the start, would be counted as ours for ever.
/// </summary>
public static class FilePages
{
    /// <summary>
    /// Unmaps those that can only be read, and were never written: whoever touches one again finds it in the page cache. Call it when the
    /// start is over. Pages that were written (also before they were made read-only, as relocations are) stay as they are.
    /// </summary>
    /// <remarks>madvise(2), MADV_DONTNEED on a private mapping of a file; /proc/PID/smaps. Where that cannot be read nothing happens.</remarks>
    public static unsafe void GiveBack()
    {
        const string Mappings = "/proc/self/smaps";
        if (!File.Exists(Mappings)) return;
        foreach (var (start, end) in Readable(File.ReadLines(Mappings)))
            _ = madvise((void*)start, (size_t)(end - start), MADV_DONTNEED);
    }

    /// <summary>Private, of a file, not writable, no page of it written.</summary>
    internal static IEnumerable<(nuint Start, nuint End)> Readable(IEnumerable<string> smaps)
    {
        (nuint, nuint)? now = null;
        foreach (var line in smaps)
        {
            if (IsHeading(line)) now = IsOfFile(line) ? Range(line) : null;
            else if (line.StartsWith("Anonymous:", StringComparison.Ordinal) && now is { } range)
            {
                if (line.EndsWith(" 0 kB", StringComparison.Ordinal)) yield return range;
                now = null;
            }
        }
    }

    /// <summary>"55d0-55d4 r-xp 00001000 fe:00 1234   /usr/sbin/bgpd"; lines of what is in it begin with a word and a colon.</summary>
    private static bool IsHeading(string line) => !line.AsSpan(0, Math.Max(0, line.IndexOf(' '))).EndsWith(":");

    private static bool IsOfFile(string line) => line.Contains('/')
        && (line.Contains(" r-xp ", StringComparison.Ordinal) || line.Contains(" r--p ", StringComparison.Ordinal));

    private static (nuint, nuint) Range(string line)
    {
        var dash = line.IndexOf('-');
        return (Address(line.AsSpan(0, dash)), Address(line.AsSpan(dash + 1, line.IndexOf(' ') - dash - 1)));

        static nuint Address(ReadOnlySpan<char> digits) =>
            nuint.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
