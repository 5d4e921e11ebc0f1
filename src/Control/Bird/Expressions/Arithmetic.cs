namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary><c>+ - * /</c> over numbers of 32 bits, which wrap.</summary>
internal static class Arithmetic
{
    public static Expression Of(Tokens tokens, string sign, Expression left, Expression right)
    {
        var name = sign switch { "+" => "ADD", "-" => "SUBTRACT", "*" => "MULTIPLY", _ => "DIVIDE" };
        ExpressionParser.Require(tokens, left, ValueKind.Int, 1, name);
        ExpressionParser.Require(tokens, right, ValueKind.Int, 2, name);
        var constant = left.Constant && right.Constant;
        var result = new Expression(ValueKind.Int, route => Combine(sign, left.Evaluate(route), right.Evaluate(route)), constant);
        if (constant && tokens.Error == null && result.Fixed.Fails)
            tokens.Fail("filter preevaluation, line 1: Mother told me not to divide by 0");
        return result;
    }

    private static Value Combine(string sign, Value left, Value right)
    {
        if (left.Kind != ValueKind.Int || right.Kind != ValueKind.Int) return Value.Error;
        var (a, b) = (left.Number, right.Number);
        return sign switch
        {
            "+" => Value.Of(unchecked(a + b)),
            "-" => Value.Of(unchecked(a - b)),
            "*" => Value.Of(unchecked(a * b)),
            _ => b == 0 ? Value.Error : Value.Of(a / b),
        };
    }
}
