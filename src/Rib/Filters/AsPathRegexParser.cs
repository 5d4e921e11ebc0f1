using System.Globalization;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib.Filters;

/// <summary>
/// Text → positions and their followers (Glushkov): each symbol of the expression is a state, and there are no empty transitions to chase.
/// alternation = sequence { "|" sequence }; sequence = { item [ "*" | "+" | "?" ] }; item = number | range | "." | "^" | "$" | group.
/// </summary>
internal ref struct AsPathRegexParser(ReadOnlySpan<char> text)
{
    private const int DepthLimit = 32;
    /// <summary>States of an expression: what a walk may keep on the stack.</summary>
    public const int SymbolLimit = 256;
    public const int Words = SymbolLimit / 64;

    private readonly ReadOnlySpan<char> text = text;
    private int at;
    private int depth;

    public List<AsPathSymbol> Symbols { get; } = [];
    public List<ulong[]> Follow { get; } = [];
    /// <summary>What was expected, once something else came.</summary>
    public string? Problem { get; private set; }

    public AsPathPart Parse()
    {
        var whole = Alternation();
        if (Problem == null && at < text.Length) Fail("expected the end of the expression");
        if (Problem == null && Symbols.Count == 0) Fail("expected an AS number, ., ^ or $");
        return whole;
    }

    private AsPathPart Alternation()
    {
        var part = Sequence();
        while (Accept('|')) part = Either(part, Sequence());
        return part;
    }

    private AsPathPart Sequence()
    {
        var part = new AsPathPart(true, Empty(), Empty());
        while (Problem == null && Peek() is not ('\0' or '|' or ')')) part = Then(part, Repeated());
        return part;
    }

    private AsPathPart Repeated()
    {
        var anchor = Peek() is '^' or '$';
        var part = Item();
        while (Problem == null && Peek() is '*' or '+' or '?')
        {
            if (anchor) return Fail("expected nothing that repeats ^ or $");
            var sign = text[at++];
            if (sign != '?') Link(part.Last, part.First);
            part = part with { Nullable = part.Nullable || sign != '+' };
        }
        return part;
    }

    private AsPathPart Item()
    {
        var sign = Peek();
        if (sign is >= '0' and <= '9') return Number(out var number) ? Symbol(AsPathSymbolKind.Number, [new(number, number)]) : default;
        if (sign == '[') return Ranges();
        at++;
        return sign switch
        {
            '.' => Symbol(AsPathSymbolKind.Any, []),
            '^' => Symbol(AsPathSymbolKind.Begin, []),
            '$' => Symbol(AsPathSymbolKind.End, []),
            '(' => Group(),
            _ => FailBefore("expected an AS number, ., ^, $, [ or ("),
        };
    }

    private AsPathPart Group()
    {
        if (++depth > DepthLimit) return Fail($"expected at most {DepthLimit} groups inside one another");
        var part = Alternation();
        depth--;
        return Problem != null || Accept(')') ? part : Fail("expected )");
    }

    private AsPathPart Ranges()
    {
        at++;
        var ranges = new List<NumberRange>();
        while (!Accept(']'))
        {
            if (!Number(out var least)) return default;
            var most = least;
            if (Accept('-') && !Number(out most)) return default;
            if (most < least) return Fail($"expected a range that rises, got {least}-{most}");
            ranges.Add(new(least, most));
        }
        return ranges.Count > 0 ? Symbol(AsPathSymbolKind.Number, new([.. ranges])) : Fail("expected an AS number between [ and ]");
    }

    private bool Number(out uint number)
    {
        Peek();
        var length = text[at..].IndexOfAnyExceptInRange('0', '9');
        if (length < 0) length = text.Length - at;
        if (!uint.TryParse(text.Slice(at, length), NumberStyles.None, CultureInfo.InvariantCulture, out number))
        {
            Fail("expected an AS number");
            return false;
        }
        at += length;
        return true;
    }

    private AsPathPart Symbol(AsPathSymbolKind kind, ListOf<NumberRange> ranges)
    {
        if (Symbols.Count == SymbolLimit) return Fail($"expected at most {SymbolLimit} numbers and signs");
        var self = Empty();
        self[Symbols.Count / 64] |= 1UL << Symbols.Count;
        Symbols.Add(new(kind, ranges));
        Follow.Add(Empty());
        return new(false, self, self);
    }

    private readonly AsPathPart Then(AsPathPart a, AsPathPart b)
    {
        if (Problem != null) return default;
        Link(a.Last, b.First);
        return new(a.Nullable && b.Nullable, a.Nullable ? Union(a.First, b.First) : a.First, b.Nullable ? Union(a.Last, b.Last) : b.Last);
    }

    private readonly AsPathPart Either(AsPathPart a, AsPathPart b) =>
        Problem != null ? default : new(a.Nullable || b.Nullable, Union(a.First, b.First), Union(a.Last, b.Last));

    private readonly void Link(ulong[] from, ulong[] to)
    {
        for (var state = 0; state < Symbols.Count; state++)
            if ((from[state / 64] >> state & 1) != 0) Follow[state] = Union(Follow[state], to);
    }

    private static ulong[] Empty() => new ulong[Words];

    private static ulong[] Union(ulong[] a, ulong[] b)
    {
        var both = Empty();
        for (var i = 0; i < Words; i++) both[i] = a[i] | b[i];
        return both;
    }

    /// <summary>Blanks separate, and so does <c>_</c>, for those who think in Cisco's expressions. Zero at the end.</summary>
    private char Peek()
    {
        while (at < text.Length && text[at] is ' ' or '_') at++;
        return at < text.Length ? text[at] : '\0';
    }

    private bool Accept(char sign)
    {
        var taken = Peek() == sign;
        if (taken) at++;
        return taken;
    }

    private AsPathPart FailBefore(string expected)
    {
        at--;
        return Fail(expected);
    }

    private AsPathPart Fail(string expected)
    {
        Problem ??= $"{expected} at character {Math.Min(at, text.Length) + 1}";
        at = text.Length;
        return default;
    }
}
