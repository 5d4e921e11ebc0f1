using Calico.Bgp.Net;

namespace Calico.Bgp.Bgpctl.Cnat;

/// <summary>
/// VPP's texts print <c>to -&gt;20.0.0.1 8080</c>, and in a shell without quotes that is <c>to - 8080</c>, written to a new file
/// <c>20.0.0.1</c>. Where the output is an empty file that is called like an address, and a backend's address is missing, what was meant is
/// plain, and done; the file goes again.
/// </summary>
internal static class ShellArrow
{
    /// <param name="output">The file that is written to; null: it is none.</param>
    /// <returns>The words as they were meant; null: nothing was cut.</returns>
    public static string[]? Mend(string[] words, string? output)
    {
        if (output == null || !Address.TryParse(Path.GetFileName(output), out var address)) return null;
        int[] cut = [.. Enumerable.Range(1, Math.Max(0, words.Length - 1))
            .Where(i => words[i].EndsWith('-') && words[i - 1].Equals("to", StringComparison.OrdinalIgnoreCase))];
        // Of several only the last file is left to be seen.
        if (cut is not [var at] || new FileInfo(output) is not { Exists: true, Length: 0 }) return null;
        return [.. words[..at], $"{words[at]}>{address}", .. words[(at + 1)..]];
    }

    /// <summary>Null: nobody can tell.</summary>
    public static string? OutputOfProcess()
    {
        try
        {
            return File.ResolveLinkTarget("/proc/self/fd/1", returnFinalTarget: false)?.FullName;
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            return null; // it is closed, or there is no /proc: then no shell's file is known
        }
    }
}
