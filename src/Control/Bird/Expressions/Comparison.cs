namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary><c>= != &lt; &lt;= &gt; &gt;= ~ !~</c>. What the route does not have equals nothing and is neither less nor more.</summary>
internal static class Comparison
{
    public static bool IsOperator(Token token) =>
        token.Kind == TokenKind.Sign && token.Text is "=" or "!=" or "<" or "<=" or ">" or ">=" or "~" or "!~";

    public static Expression Of(Tokens tokens, string sign, Expression left, Expression right)
    {
        var constant = left.Constant && right.Constant;
        return sign switch
        {
            "=" => Make((a, b) => Value.Of(a.SameAs(b))),
            "!=" => Make((a, b) => Value.Of(!a.SameAs(b))),
            "~" => Make(Matching.Match),
            "!~" => Make((a, b) => Not(Matching.Match(a, b))),
            "<" => Ordered("LT", (a, b) => Compare(a, b) < 0),
            "<=" => Ordered("LTE", (a, b) => Compare(a, b) <= 0),
            ">" => Ordered("LT", (a, b) => Compare(a, b) > 0),
            _ => Ordered("LTE", (a, b) => Compare(a, b) >= 0),
        };

        Expression Make(Func<Value, Value, Value> combine) =>
            new(ValueKind.Bool, route => Combine(left.Evaluate(route), right.Evaluate(route), combine), constant);

        Expression Ordered(string name, Func<Value, Value, bool> holds)
        {
            if (left.Kind != right.Kind) tokens.Fail($"Arguments 1 and 2 of {name} must be of the same type");
            return Make((a, b) => Value.Of(a.Kind == b.Kind && a.Kind != ValueKind.Void && holds(a, b)));
        }
    }

    private static Value Combine(Value left, Value right, Func<Value, Value, Value> combine) =>
        left.Fails || right.Fails ? Value.Error : combine(left, right);

    private static Value Not(Value value) => value.Fails ? value : Value.Of(!value.IsTrue);

    private static int Compare(Value left, Value right) => left.Kind switch
    {
        ValueKind.Text => string.CompareOrdinal(left.Text, right.Text),
        ValueKind.Prefix => left.Prefix.CompareTo(right.Prefix),
        _ => left.Bits.CompareTo(right.Bits),
    };
}
