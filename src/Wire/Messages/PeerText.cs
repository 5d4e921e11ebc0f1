using System.Globalization;
using System.Text;

namespace Calico.Bgp.Wire.Messages;

/// <summary>
/// Text that crosses a session (RFC 9003's shutdown communication, the FQDN capability): UTF-8 of a bounded length on the
/// wire, and in our hands never a character that a terminal or a log would obey.
/// </summary>
internal static class PeerText
{
    /// <summary>The longest start of the text that takes at most <paramref name="max"/> octets and ends with a whole character.</summary>
    public static byte[] Encode(string text, int max)
    {
        var octets = Encoding.UTF8.GetBytes(text);
        if (octets.Length <= max) return octets;
        var end = max;
        while (end > 0 && (octets[end] & 0xc0) == 0x80) end--;
        return octets[..end];
    }

    /// <summary>Octets that are no UTF-8 become U+FFFD; control and format characters become <c>\u001b</c>.</summary>
    public static string Decode(ReadOnlySpan<byte> octets)
    {
        var text = Encoding.UTF8.GetString(octets);
        return text.AsSpan().ContainsAnyExceptInRange(' ', '~') ? Escape(text) : text;
    }

    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (IsCommand(c)) escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else escaped.Append(c);
        }
        return escaped.ToString();
    }

    // Format characters turn the writing direction and hide text; the two separators end a line in many viewers.
    private static bool IsCommand(char c) => char.GetUnicodeCategory(c)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
