using Calico.Bgp.Control.Bird.Commands;

namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>
/// Reads BIRD's filter expressions. Loosest first: <c>&amp;&amp;</c> and <c>||</c> (of one rank, from the left, as in BIRD), comparisons
/// (which do not chain), <c>+ -</c>, <c>* /</c>, <c>!</c>, and methods behind a dot. Types are checked here, before any route is seen.
/// </summary>
internal static class ExpressionParser
{
    /// <summary>What follows <c>where</c>: an expression that is true or false.</summary>
    public static Expression ParseCondition(Tokens tokens)
    {
        var condition = Parse(tokens);
        Require(tokens, condition, ValueKind.Bool, 1, "CONDITION");
        return condition;
    }

    public static Expression Parse(Tokens tokens)
    {
        var left = ParseComparison(tokens);
        while (tokens.Is("&&") || tokens.Is("||"))
        {
            var and = tokens.Take().Text == "&&";
            left = Logic(tokens, left, ParseComparison(tokens), and);
        }
        return left;
    }

    private static Expression Logic(Tokens tokens, Expression left, Expression right, bool and)
    {
        Require(tokens, left, ValueKind.Bool, 1, and ? "AND" : "OR");
        Require(tokens, right, ValueKind.Bool, 2, and ? "AND" : "OR");
        return new(ValueKind.Bool, route =>
        {
            var first = left.Evaluate(route);
            return first.Fails || first.IsTrue != and ? first : right.Evaluate(route);
        }, left.Constant && right.Constant);
    }

    private static Expression ParseComparison(Tokens tokens)
    {
        var left = ParseSum(tokens);
        if (!Comparison.IsOperator(tokens.Next)) return left;
        var sign = tokens.Take().Text;
        var right = ParseSum(tokens);
        if (Comparison.IsOperator(tokens.Next)) tokens.Unexpected();
        return Comparison.Of(tokens, sign, left, right);
    }

    private static Expression ParseSum(Tokens tokens)
    {
        var left = ParseProduct(tokens);
        while (tokens.Is("+") || tokens.Is("-")) left = Arithmetic.Of(tokens, tokens.Take().Text, left, ParseProduct(tokens));
        return left;
    }

    private static Expression ParseProduct(Tokens tokens)
    {
        var left = ParseUnary(tokens);
        while (tokens.Is("*") || tokens.Is("/")) left = Arithmetic.Of(tokens, tokens.Take().Text, left, ParseUnary(tokens));
        return left;
    }

    private static Expression ParseUnary(Tokens tokens)
    {
        if (!tokens.Accept("!")) return Methods.ParseAll(tokens, ParseTerm(tokens));
        var of = ParseUnary(tokens);
        Require(tokens, of, ValueKind.Bool, 1, "NOT");
        return new(ValueKind.Bool, route => of.Evaluate(route) is var value && value.Fails ? value : Value.Of(!value.IsTrue), of.Constant);
    }

    private static Expression ParseTerm(Tokens tokens)
    {
        if (tokens.AcceptNumber(out var number)) return Expression.Of(Value.Of(number));
        if (tokens.AcceptText(out var text)) return Expression.Of(Value.Of(text));
        if (tokens.Next.Kind == TokenKind.Address) return ParseAddress(tokens);
        if (tokens.Is("(")) return Tuples.Parse(tokens);
        if (tokens.Accept("[")) return Expression.Of(SetSyntax.Parse(tokens));
        if (tokens.Accept("[=")) return Expression.Of(MaskSyntax.Parse(tokens));
        if (tokens.Accept("defined")) return ParseDefined(tokens);
        return ParseName(tokens);
    }

    private static Expression ParseAddress(Tokens tokens)
    {
        var address = tokens.Take().Address;
        return Expression.Of(tokens.Accept("/") ? Value.Of(PrefixSyntax.TakeLength(tokens, address)) : Value.Of(address));
    }

    private static Expression ParseDefined(Tokens tokens)
    {
        tokens.Expect("(", "'('");
        var of = Parse(tokens);
        tokens.Expect(")");
        return new(ValueKind.Bool, route => Value.Of(of.Evaluate(route).Kind != ValueKind.Void), of.Constant);
    }

    private static Expression ParseName(Tokens tokens)
    {
        if (tokens.Next.Kind == TokenKind.Word && Names.TryGet(tokens.Next.Text, out var expression))
        {
            tokens.Take();
            return expression;
        }
        if (tokens.AcceptKnown(out var name, out _)) tokens.Fail($"Can't get value of symbol {name}");
        else tokens.Unexpected();
        return Expression.Of(Value.Error);
    }

    /// <summary>Remembers a complaint in BIRD's words where an argument has another type.</summary>
    public static void Require(Tokens tokens, Expression argument, ValueKind kind, int number, string operation)
    {
        if (argument.Kind == kind) return;
        tokens.Fail($"Argument {number} of {operation} must be of type {kind.Word()}, got type {argument.Kind.Word()}");
    }
}
