using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

/// <summary>
/// A regular expression whose letters are AS numbers: <c>^65001 .* (64512|64513)$</c>. Unanchored ends match anywhere. An AS_SET is one
/// letter, and each of its members will do (as in BIRD's masks). All states are followed at once, so that the time is the path's length
/// times the expression's, whatever both contain; nothing is allocated.
/// </summary>
public sealed class AsPathRegex : IEquatable<AsPathRegex>
{
    private readonly string text;
    private readonly AsPathSymbol[] symbols;
    private readonly ulong[] follow;
    private readonly ulong[] first;
    private readonly ulong[] last;
    private readonly bool nullable;
    private readonly int words;

    private AsPathRegex(string text, AsPathRegexParser parser, AsPathPart whole)
    {
        this.text = text;
        symbols = [.. parser.Symbols];
        words = (symbols.Length + 63) / 64;
        follow = [.. parser.Follow.SelectMany(states => states.Take(words))];
        (nullable, first, last) = (whole.Nullable, whole.First[..words], whole.Last[..words]);
    }

    /// <param name="problem">What was expected, and at which character.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out AsPathRegex? regex, [NotNullWhen(false)] out string? problem)
    {
        var parser = new AsPathRegexParser(text);
        var whole = parser.Parse();
        problem = parser.Problem;
        regex = problem == null ? new(text, parser, whole) : null;
        return problem == null;
    }

    public bool Matches(AsPathView path)
    {
        if (nullable) return true;
        var walk = new Walk(this, stackalloc ulong[words], stackalloc ulong[words]);
        if (walk.Sign(AsPathSymbolKind.Begin)) return true;
        foreach (var segment in path)
        {
            if (segment.Type is SegmentType.Set or SegmentType.ConfederationSet)
            {
                if (walk.Letter(segment, 0, segment.Count)) return true;
                continue;
            }
            for (var i = 0; i < segment.Count; i++)
                if (walk.Letter(segment, i, 1)) return true;
        }
        return walk.Sign(AsPathSymbolKind.End);
    }

    private ref struct Walk(AsPathRegex regex, Span<ulong> now, Span<ulong> next)
    {
        private Span<ulong> now = now;
        private Span<ulong> next = next;

        /// <summary>True once the expression has matched.</summary>
        public bool Sign(AsPathSymbolKind kind)
        {
            Reach();
            for (var word = 0; word < next.Length; word++)
                for (var left = next[word]; left != 0; left &= left - 1)
                    if (regex.symbols[64 * word + BitOperations.TrailingZeroCount(left)].Kind != kind) next[word] &= ~(left & (0 - left));
            return Arrive();
        }

        public bool Letter(AsPathSegment segment, int from, int count)
        {
            Reach();
            for (var word = 0; word < next.Length; word++)
                for (var left = next[word]; left != 0; left &= left - 1)
                    if (!Takes(regex.symbols[64 * word + BitOperations.TrailingZeroCount(left)], segment, from, count))
                        next[word] &= ~(left & (0 - left));
            return Arrive();
        }

        private static bool Takes(AsPathSymbol symbol, AsPathSegment segment, int from, int count)
        {
            for (var i = from; i < from + count; i++)
                if (symbol.TakesNumber(segment[i].Value)) return true;
            return false;
        }

        /// <summary>States that may come next: followers of the present ones, and each beginning: a match may start anywhere.</summary>
        private readonly void Reach()
        {
            regex.first.CopyTo(next);
            for (var word = 0; word < now.Length; word++)
                for (var left = now[word]; left != 0; left &= left - 1)
                {
                    var state = 64 * word + BitOperations.TrailingZeroCount(left);
                    var followers = regex.follow.AsSpan(state * now.Length, now.Length);
                    for (var i = 0; i < followers.Length; i++) next[i] |= followers[i];
                }
        }

        private bool Arrive()
        {
            var done = 0UL;
            for (var i = 0; i < next.Length; i++) done |= next[i] & regex.last[i];
            var before = now;
            now = next;
            next = before;
            return done != 0;
        }
    }

    public bool Equals(AsPathRegex? other) => other != null && text == other.text;
    public override bool Equals(object? obj) => Equals(obj as AsPathRegex);
    public override int GetHashCode() => text.GetHashCode(StringComparison.Ordinal);
    public override string ToString() => text;
}
