namespace Calico.Bgp.Control.Bird;

/// <summary>BIRD's name patterns: <c>*</c> for any characters, <c>?</c> for one.</summary>
internal static class Pattern
{
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        int at = 0, with = 0, star = -1, resume = 0;
        while (with < text.Length)
        {
            if (at < pattern.Length && pattern[at] == '*') { star = at++; resume = with; }
            else if (at < pattern.Length && (pattern[at] == '?' || pattern[at] == text[with])) { at++; with++; }
            else if (star >= 0) { at = star + 1; with = ++resume; }
            else return false;
        }
        return pattern[at..].TrimStart('*').IsEmpty;
    }
}
