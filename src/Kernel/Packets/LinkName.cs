namespace Calico.Bgp.Kernel.Packets;

/// <summary>What is known of the name of an interface that a packet comes in by or leaves by; more, once something is assumed.</summary>
internal sealed class LinkName(string? known)
{
    private readonly List<string> others = [];
    private string start = "";

    public string? Known { get; private set; } = known;

    /// <param name="pattern">A name, or with an asterisk at the end the beginning of one.</param>
    public bool? Is(string pattern)
    {
        var isStart = pattern.EndsWith('*');
        var text = isStart ? pattern[..^1] : pattern;
        if (Known is { } name) return isStart ? name.StartsWith(text, StringComparison.Ordinal) : name == text;
        if (isStart && start.StartsWith(text, StringComparison.Ordinal)) return true;
        if (isStart ? !Fits(text, start) : !text.StartsWith(start, StringComparison.Ordinal)) return false;
        return others.Exists(other => Covers(other, pattern)) ? false : null;
    }

    public void Learn(string pattern, bool isSo)
    {
        if (!isSo) others.Add(pattern);
        else if (pattern.EndsWith('*')) start = pattern[..^1];
        else Known = pattern;
    }

    private static bool Fits(string a, string b) => a.StartsWith(b, StringComparison.Ordinal) || b.StartsWith(a, StringComparison.Ordinal);

    /// <summary>Every name that the second fits, the first fits, too.</summary>
    private static bool Covers(string pattern, string other) => pattern == other
        || (pattern.EndsWith('*') && other.TrimEnd('*').StartsWith(pattern[..^1], StringComparison.Ordinal));
}
