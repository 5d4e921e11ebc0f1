// Names that rules of DNS policy allow (Calico Enterprise's "domain name matching"; network-policy-api's NPEP-133 knows the star in front
// alone): one name exactly, or one star that stands for one or more whole labels, anywhere but at the end.
//
//     www.example.org      that name
//     *.example.org        www.example.org, a.b.example.org; not example.org
//     www.*.org            www.example.org, www.a.b.org; not www.org
//
// Case and the dot at the end do not count (RFC 1034 section 3.1, RFC 4343).

using System.Diagnostics.CodeAnalysis;
using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Policies;

/// <summary>A name, or a pattern of names. Two that match the same compare equal.</summary>
public sealed record DomainPattern
{
    private const int LongestLabel = 63, LongestName = 253;

    private DomainPattern(string text) => Text = text;

    /// <summary>Lower case, without a dot at the end: labels and at most one <c>*</c>.</summary>
    public string Text { get; }

    /// <summary>A star stands somewhere but in front: what NPEP-133 does not know.</summary>
    public bool HasInnerStar => Text.IndexOf('*', StringComparison.Ordinal) > 0;

    /// <summary>By its end it is a name of the cluster's own services, where a rule sees the pods behind and no service's
    /// address.</summary>
    public bool IsOfTheCluster =>
        IsUnder("cluster.local") || IsUnder("svc");

    private bool IsUnder(string zone) =>
        Text.EndsWith(zone, StringComparison.Ordinal) && (Text.Length == zone.Length || Text[^(zone.Length + 1)] == '.');

    /// <param name="error">What was expected, and what came.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out DomainPattern? pattern, [NotNullWhen(false)] out string? error)
    {
        var name = text.EndsWith('.') ? text[..^1] : text;
        error = Address.TryParse(name, out _) ? $"expected a name, got the address \"{text}\", which nets can say"
            : name.Length is 0 or > LongestName ? $"expected a name of 1 to {LongestName} characters, got \"{text}\""
            : Misplaced(name, text) ?? name.Split('.').Select(label => WrongLabel(label, text)).FirstOrDefault(wrong => wrong != null);
        pattern = error == null ? new(name.ToLowerInvariant()) : null;
        return pattern != null;
    }

    private static string? Misplaced(string name, string text)
    {
        var stars = name.Count(character => character == '*');
        if (stars > 1) return $"expected one * at most, got \"{text}\"";
        if (stars == 1 && !name.Split('.').Contains("*")) return $"expected * to stand for whole labels, got \"{text}\"";
        return name[^1] == '*' ? $"expected a label after the *, got \"{text}\"" : null;
    }

    private static string? WrongLabel(string label, string text)
    {
        if (label == "*") return null;
        if (label.Length is 0 or > LongestLabel) return $"expected labels of 1 to {LongestLabel} characters, got \"{text}\"";
        return label.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_') ? null
            : $"expected letters, digits, - and _ (a name in other letters as xn--...), got \"{text}\"";
    }

    public override string ToString() => Text;
}
