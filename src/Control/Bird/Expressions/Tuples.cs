using System.Globalization;

namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>
/// What begins with a parenthesis: an expression in brackets, a pair <c>(65001,1)</c>, a large community <c>(65001,1,2)</c>, or an
/// extended one <c>(rt,65001,1)</c>, <c>(ro,…)</c>, <c>(generic,0x…,0x…)</c>, <c>(unknown 0x4004,1,2)</c>.
/// </summary>
internal static class Tuples
{
    public static Expression Parse(Tokens tokens)
    {
        tokens.Expect("(");
        if (TryKind(tokens, out var kind)) return ParseExtended(tokens, kind);
        var first = ExpressionParser.Parse(tokens);
        if (tokens.Accept(")")) return first;
        tokens.Expect(",");
        var second = ExpressionParser.Parse(tokens);
        if (tokens.Accept(")")) return Pair(tokens, first, second);
        tokens.Expect(",");
        var third = ExpressionParser.Parse(tokens);
        tokens.Expect(")");
        return Large(tokens, first, second, third);
    }

    /// <summary>Reads <c>rt</c>, <c>ro</c>, <c>generic</c> or <c>unknown NUMBER</c>; generic ones have no type of their own.</summary>
    public static bool TryKind(Tokens tokens, out ushort? kind)
    {
        kind = null;
        if (tokens.Accept("rt")) kind = 0x0002;
        else if (tokens.Accept("ro")) kind = 0x0003;
        else if (tokens.Accept("unknown"))
        {
            if (!tokens.AcceptNumber(out var number)) tokens.Unexpected("NUM");
            kind = (ushort)number;
        }
        else return tokens.Accept("generic");
        return true;
    }

    private static Expression Pair(Tokens tokens, Expression high, Expression low)
    {
        ExpressionParser.Require(tokens, high, ValueKind.Int, 1, "PAIR_CONSTRUCT");
        ExpressionParser.Require(tokens, low, ValueKind.Int, 2, "PAIR_CONSTRUCT");
        var pair = new Expression(ValueKind.Pair, route => Pair(high.Evaluate(route), low.Evaluate(route)), high.Constant && low.Constant);
        if (pair.Constant && tokens.Error == null && pair.Fixed.Fails)
            tokens.Fail("filter preevaluation, line 1: Can't operate with value out of bounds in pair constructor");
        return pair;
    }

    private static Value Pair(Value high, Value low) =>
        high.Kind == ValueKind.Int && low.Kind == ValueKind.Int && high.Number <= 0xffff && low.Number <= 0xffff
            ? new(ValueKind.Pair, high.Number << 16 | low.Number)
            : Value.Error;

    private static Expression Large(Tokens tokens, params Expression[] parts)
    {
        for (var i = 0; i < parts.Length; i++) ExpressionParser.Require(tokens, parts[i], ValueKind.Int, i + 1, "LC_CONSTRUCT");
        return new(ValueKind.Large, route =>
        {
            UInt128 bits = 0;
            foreach (var part in parts)
            {
                var value = part.Evaluate(route);
                if (value.Kind != ValueKind.Int) return Value.Error;
                bits = bits << 32 | value.Number;
            }
            return new(ValueKind.Large, bits);
        }, parts.All(part => part.Constant));
    }

    private static Expression ParseExtended(Tokens tokens, ushort? kind)
    {
        tokens.Expect(",", "','");
        var key = ExpressionParser.Parse(tokens);
        tokens.Expect(",");
        var number = ExpressionParser.Parse(tokens);
        tokens.Expect(")");
        if (tokens.Error != null) return Expression.Of(Value.Error);
        if (!key.Constant || !number.Constant) tokens.Fail("Constant expected");
        else if (TryExtended(kind, key.Fixed, number.Fixed, out var bits)) return Expression.Of(new(ValueKind.Extended, bits));
        else tokens.Fail(string.Create(CultureInfo.InvariantCulture,
            $"filter preevaluation, line 1: 4-byte value {number.Fixed} can't be used with 4-byte ASN in extended community"));
        return Expression.Of(Value.Error);
    }

    /// <summary>RFC 4360 section 3, RFC 5668: an address or a large AS number as the key leaves 16 bits for the value.</summary>
    public static bool TryExtended(ushort? kind, Value key, Value number, out ulong bits)
    {
        bits = 0;
        if (number.Kind != ValueKind.Int || key.Kind is not (ValueKind.Int or ValueKind.Ip)) return false;
        if (kind is not { } type)
        {
            bits = (ulong)key.Number << 32 | number.Number;
            return true;
        }
        var wide = key.Kind == ValueKind.Ip || key.Number > 0xffff;
        if (wide && number.Number > 0xffff) return false;
        var form = key.Kind == ValueKind.Ip ? 0x0100ul : wide ? 0x0200ul : 0;
        bits = (type | form) << 48 | (ulong)key.Number << (wide ? 16 : 32) | number.Number;
        return true;
    }
}
