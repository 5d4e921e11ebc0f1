// What a filter computes with. Numbers are uint, as BIRD's are; texts are string, addresses IPAddress, prefixes IPNetwork; null is
// what a route does not have.
using System.Collections.Immutable;
using System.Net;
using System.Text.RegularExpressions;

namespace Calico.Bgp.Conformance.Bird;

internal readonly record struct Community(uint First, uint Second)
{
    public override string ToString() => $"{First}:{Second}";
}

internal readonly record struct LargeCommunity(uint First, uint Second, uint Third)
{
    public override string ToString() => $"{First}:{Second}:{Third}";
}

/// <summary>Where a route came from; the words are BIRD's.</summary>
internal enum Source { RTS_BGP, RTS_STATIC, RTS_INHERIT, RTS_DEVICE }

/// <summary>A prefix with the lengths of what it stands for: <c>10.0.0.0/8{16,24}</c>.</summary>
internal readonly record struct PrefixPattern(IPNetwork Prefix, uint Shortest, uint Longest)
{
    public bool Matches(IPNetwork net) =>
        Family(net) == Family(Prefix) && net.PrefixLength >= Shortest && net.PrefixLength <= Longest
        // A shorter net than the pattern's prefix is judged by the bits that both have.
        && (net.PrefixLength >= Prefix.PrefixLength ? Prefix.Contains(net.BaseAddress) : net.Contains(Prefix.BaseAddress));

    public static bool Within(IPNetwork net, IPNetwork outer) =>
        Family(net) == Family(outer) && net.PrefixLength >= outer.PrefixLength && outer.Contains(net.BaseAddress);

    private static System.Net.Sockets.AddressFamily Family(IPNetwork net) => net.BaseAddress.AddressFamily;
}

/// <summary>An AS path mask; null is the star, any number of any AS.</summary>
internal sealed record PathMask(ImmutableArray<uint?> Elements)
{
    public bool Matches(ImmutableArray<uint> path) => Matches(path.AsSpan(), Elements.AsSpan());

    private static bool Matches(ReadOnlySpan<uint> path, ReadOnlySpan<uint?> mask)
    {
        if (mask.IsEmpty) return path.IsEmpty;
        if (mask[0] is { } asn) return !path.IsEmpty && path[0] == asn && Matches(path[1..], mask[1..]);
        return Matches(path, mask[1..]) || !path.IsEmpty && Matches(path[1..], mask);
    }
}

internal static class Glob
{
    /// <summary>BIRD's pattern for texts: star and question mark, the whole text.</summary>
    public static bool Matches(string pattern, string text) =>
        Regex.IsMatch(text, "^" + Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal)
            .Replace("\\?", ".", StringComparison.Ordinal) + "$");
}
