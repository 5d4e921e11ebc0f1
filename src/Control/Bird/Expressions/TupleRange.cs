namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>
/// A tuple inside a set, each part a number, a range or <c>*</c>: <c>(65001,*)</c>, <c>(1..3,5)</c>, <c>(rt,65001,10..20)</c>,
/// <c>(65001,1,*)</c>; or two plain tuples with <c>..</c> between. A range before another part stands for each of its numbers.
/// </summary>
internal static class TupleRange
{
    /// <summary>More than anybody writes on purpose; a set of that many ranges would slow every route down.</summary>
    private const int MostRanges = 65536;

    public static ValueKind Parse(Tokens tokens, List<(UInt128, UInt128)> into)
    {
        var start = into.Count;
        var kind = ParseOne(tokens, into);
        if (!tokens.Accept("..")) return kind;
        List<(UInt128 Low, UInt128)> end = [];
        if (ParseOne(tokens, end) != kind || end.Count != 1 || into.Count != start + 1) tokens.Fail("Incompatible types in set");
        else into[start] = (into[start].Item1, end[0].Low);
        return kind;
    }

    private static ValueKind ParseOne(Tokens tokens, List<(UInt128, UInt128)> into)
    {
        tokens.Expect("(");
        if (Tuples.TryKind(tokens, out var kind)) return Extended(tokens, kind, into);
        var parts = Parts(tokens);
        if (parts is not [_, _] and not [_, _, _]) tokens.Unexpected();
        if (tokens.Error != null) return ValueKind.Error;
        var bits = parts.Count == 2 ? 16 : 32;
        if (bits == 16 && parts.Any(part => !part.Any && part.High > 0xffff))
            tokens.Fail("Can't operate with value out of bounds in pair constructor");
        Expand(tokens, parts, bits, 0, into);
        return bits == 16 ? ValueKind.Pair : ValueKind.Large;
    }

    /// <summary><c>*</c> is the whole range of its part.</summary>
    private readonly record struct Part(uint Low, uint High, bool Any);

    private static List<Part> Parts(Tokens tokens)
    {
        List<Part> parts = [];
        do parts.Add(OnePart(tokens));
        while (tokens.Accept(","));
        tokens.Expect(")");
        return parts;
    }

    private static Part OnePart(Tokens tokens)
    {
        if (tokens.Accept("*")) return new(0, uint.MaxValue, true);
        if (!tokens.AcceptNumber(out var low)) tokens.Unexpected();
        var high = low;
        if (tokens.Accept("..") && !tokens.AcceptNumber(out high)) tokens.Unexpected("NUM");
        return new(low, high, false);
    }

    /// <summary>Where all later parts are wild one range does; else each number of a part makes its own.</summary>
    private static void Expand(Tokens tokens, List<Part> parts, int bits, UInt128 before, List<(UInt128, UInt128)> into)
    {
        var most = bits == 16 ? 0xffffu : uint.MaxValue;
        var (low, high) = (parts[0].Low, Math.Min(parts[0].High, most));
        var rest = bits * (parts.Count - 1);
        if (parts.Skip(1).All(part => part.Any))
        {
            var tail = ((UInt128)1 << rest) - 1;
            into.Add(((before << bits | low) << rest, (before << bits | high) << rest | tail));
            return;
        }
        for (ulong number = low; number <= high && tokens.Error == null; number++)
        {
            Expand(tokens, parts[1..], bits, before << bits | number, into);
            if (into.Count > MostRanges) tokens.Fail("Too many ranges in set");
        }
    }

    private static ValueKind Extended(Tokens tokens, ushort? kind, List<(UInt128, UInt128)> into)
    {
        tokens.Expect(",", "','");
        var key = tokens.Next.Kind == TokenKind.Address ? Value.Of(tokens.Take().Address) : Key(tokens);
        tokens.Expect(",");
        var part = OnePart(tokens);
        tokens.Expect(")");
        if (tokens.Error != null) return ValueKind.Extended;
        var wide = kind != null && (key.Kind == ValueKind.Ip || key.Number > 0xffff);
        var high = part.Any && wide ? 0xffff : part.High;
        if (Tuples.TryExtended(kind, key, Value.Of(part.Low), out var from) && Tuples.TryExtended(kind, key, Value.Of(high), out var to))
            into.Add((from, to));
        else tokens.Fail($"4-byte value {high} can't be used with 4-byte ASN in extended community");
        return ValueKind.Extended;
    }

    private static Value Key(Tokens tokens)
    {
        if (!tokens.AcceptNumber(out var number)) tokens.Unexpected();
        return Value.Of(number);
    }
}
