using System.ComponentModel;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Calico.Bgp.Net;

/// <summary>
/// What the framework's exceptions come to in the words of the field: the system's own of a file (errno(3)), and of a text what is wrong in
/// it, without the framework's types, paths and positions, which our messages give in their own way.
/// </summary>
public static class Failures
{
    private const int LargestErrno = 4095;

    /// <summary>Of a file that cannot be opened, read or made: <c>No such file or directory</c>.</summary>
    public static string WordsOf(Exception failed) => failed switch
    {
        FileNotFoundException or DirectoryNotFoundException => "No such file or directory",
        PathTooLongException => "File name too long",
        UnauthorizedAccessException { InnerException: IOException inner } => WordsOf(inner),
        UnauthorizedAccessException => "Permission denied",
        // A file's failure carries the system's number; an exception that we have thrown has our own words.
        IOException { HResult: > 0 and <= LargestErrno } system => new Win32Exception(system.HResult).Message,
        _ => failed.Message,
    };

    public static string WordsOf(DecoderFallbackException wrong) => string.Create(
        CultureInfo.InvariantCulture, $"got {Convert.ToHexStringLower(wrong.BytesUnknown ?? [])} (hexadecimal) at octet {wrong.Index}");

    public static string WordsOf(JsonException wrong)
    {
        const string Missing = "missing required properties including: ";
        var text = Before(" LineNumber: ", Before(" Path: ", wrong.Message)).TrimEnd('.');
        var at = wrong.Path is { Length: > 1 } path ? $" at {path}" : "";
        if (text.IndexOf(Missing, StringComparison.Ordinal) is >= 0 and var list) return $"without {text[(list + Missing.Length)..]}{at}";
        if (text.Contains("could not be mapped to any", StringComparison.Ordinal) && text.Split('\'') is [_, var key, ..])
            return $"'{key}', which is not known";
        if (text.Contains("doesn't allow null", StringComparison.Ordinal)) return "null" + at;
        return (text.Contains("could not be converted", StringComparison.Ordinal) ? "a value of another kind" : text) + at;
    }

    private static string Before(string mark, string text) =>
        text.IndexOf(mark, StringComparison.Ordinal) is >= 0 and var end ? text[..end] : text;
}
