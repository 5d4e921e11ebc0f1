using System.Globalization;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib.Filters;

/// <summary>
/// One element of a prefix list: the prefixes of <paramref name="Least"/> to <paramref name="Most"/> bits that agree with
/// <paramref name="Base"/> as far as both reach. A pattern may so name prefixes inside its base, and such as its base lies in.
/// </summary>
public readonly record struct PrefixPattern(Prefix Base, int Least, int Most)
{
    /// <summary>The prefix itself and nothing else.</summary>
    public PrefixPattern(Prefix exact) : this(exact, exact.Length, exact.Length) { }

    public bool Has(Prefix prefix)
    {
        if (prefix.Family != Base.Family || prefix.Length < Least || prefix.Length > Most) return false;
        return prefix.Address.CommonBits(Base.Address) >= Math.Min(prefix.Length, Base.Length);
    }

    /// <summary>
    /// BIRD's spelling: <c>10.0.0.0/8</c> (itself), <c>10.0.0.0/8{24,32}</c> (24 to 32 bits), <c>10.0.0.0/8+</c> (itself and longer),
    /// <c>10.0.0.0/8-</c> (itself and shorter). Host bits of the base must be zero.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out PrefixPattern pattern)
    {
        pattern = default;
        var end = text.IndexOfAny("{+-");
        var tail = end < 0 ? default : text[end..];
        if (!TryBase(end < 0 ? text : text[..end], out var prefix)) return false;
        var (least, most) = ((int)prefix.Length, (int)prefix.Length);
        if (tail is ['+']) most = prefix.Family.Bits();
        else if (tail is ['-']) least = 0;
        else if (tail is ['{', .. var range, '}'] ? !TryLengths(range, out least, out most) : tail.Length > 0) return false;
        pattern = new(prefix, least, most);
        return most <= prefix.Family.Bits();
    }

    private static bool TryBase(ReadOnlySpan<char> text, out Prefix prefix) =>
        Prefix.TryParse(text, out prefix) && !Prefix.HasHostBits(text);

    private static bool TryLengths(ReadOnlySpan<char> text, out int least, out int most)
    {
        least = most = 0;
        var comma = text.IndexOf(',');
        return comma >= 0
            && int.TryParse(text[..comma].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out least)
            && int.TryParse(text[(comma + 1)..].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out most)
            && least <= most;
    }

    public override string ToString() => (Least, Most) switch
    {
        _ when Least == Base.Length && Most == Base.Length => $"{Base}",
        _ when Least == Base.Length && Most == Base.Family.Bits() => $"{Base}+",
        _ when Least == 0 && Most == Base.Length => $"{Base}-",
        _ => $"{Base}{{{Least},{Most}}}",
    };
}
