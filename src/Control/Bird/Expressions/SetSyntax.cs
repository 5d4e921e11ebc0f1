using Calico.Bgp.Control.Bird.Commands;
using Calico.Bgp.Net;

namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>
/// Reads the inside of <c>[ … ]</c>: constants, ranges of them, prefixes with <c>+</c>, <c>-</c> or <c>{from,to}</c>, and tuples
/// whose parts may be ranges or <c>*</c>. All members have one type.
/// </summary>
internal static class SetSyntax
{
    public static Value Parse(Tokens tokens)
    {
        List<PrefixRange> prefixes = [];
        List<(UInt128, UInt128)> ranges = [];
        var kind = ValueKind.Int;
        if (tokens.Accept("]")) return new(ValueKind.Set, 0, new RangeSet(kind, ranges));
        do
        {
            if (IsPrefix(tokens)) prefixes.Add(ParsePrefix(tokens));
            else kind = ParseRange(tokens, ranges);
        }
        while (tokens.Error == null && tokens.Accept(","));
        tokens.Expect("]", "DDOT", "','", "']'");
        return new(ValueKind.Set, 0, prefixes.Count > 0 ? new PrefixSet(prefixes) : new RangeSet(kind, ranges));
    }

    private static bool IsPrefix(Tokens tokens) => tokens.Next.Kind == TokenKind.Address && tokens.Following.Text == "/";

    // prefix, prefix+, prefix-, prefix{16,24}
    private static PrefixRange ParsePrefix(Tokens tokens)
    {
        var prefix = PrefixSyntax.Parse(tokens);
        if (tokens.Accept("+")) return new(prefix, prefix.Length, prefix.Family.Bits());
        if (tokens.Accept("-")) return new(prefix, 0, prefix.Length);
        if (!tokens.Accept("{")) return new(prefix, prefix.Length, prefix.Length);
        var shortest = Number(tokens);
        tokens.Expect(",", "','");
        var longest = Number(tokens);
        tokens.Expect("}", "'}'");
        if (shortest > longest || longest > prefix.Family.Bits()) tokens.Fail($"Invalid prefix pattern range: {{{shortest}, {longest}}}");
        return new(prefix, (int)shortest, (int)longest);
    }

    private static uint Number(Tokens tokens)
    {
        if (!tokens.AcceptNumber(out var number)) tokens.Unexpected("NUM");
        return number;
    }

    private static ValueKind ParseRange(Tokens tokens, List<(UInt128, UInt128)> into)
    {
        if (tokens.Is("(")) return TupleRange.Parse(tokens, into);
        var low = Constant(tokens);
        var high = tokens.Accept("..") ? Constant(tokens) : low;
        if (tokens.Error == null && (low.Kind != high.Kind || !low.Kind.IsOrdered())) tokens.Fail("Incompatible types in set");
        into.Add((low.Bits, high.Bits));
        return low.Kind;
    }

    private static Value Constant(Tokens tokens)
    {
        if (tokens.AcceptNumber(out var number)) return Value.Of(number);
        if (tokens.Next.Kind == TokenKind.Address) return Value.Of(tokens.Take().Address);
        if (tokens.Next.Kind == TokenKind.Word && Names.TryGet(tokens.Next.Text, out var named) && named.Constant)
        {
            tokens.Take();
            return named.Fixed;
        }
        tokens.Unexpected();
        return Value.Error;
    }
}
