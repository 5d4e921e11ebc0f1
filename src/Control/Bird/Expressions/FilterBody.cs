namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>What a statement of a filter has come to.</summary>
internal enum FilterEnd : byte
{
    /// <summary>The next statement is run.</summary>
    None,
    Accept,
    Reject,
    /// <summary>Operands that do not go together: BIRD ends the filter there, and does not show the route.</summary>
    Failed,
}

/// <summary>
/// The part of BIRD's filter language by which a query can choose: <c>if … then … else …</c>, <c>accept</c>, <c>reject</c> and blocks. What
/// would change a route, and functions, variables, loops and <c>case</c>, are refused: bgpd's own filters are those of bgpd.yaml
/// (<c>show route filter NAME</c>).
/// </summary>
internal static class FilterBody
{
    private static readonly string[] Expected = ["IF", "ACCEPT", "REJECT", "'{'"];

    private delegate FilterEnd Statement(RouteContext route);

    /// <summary>Reads <c>{ … }</c>. A route about which it says nothing is not accepted, as in BIRD.</summary>
    public static Func<RouteContext, bool> Parse(Tokens tokens)
    {
        tokens.SaysWhere = true;
        var body = ParseBlock(tokens);
        tokens.SaysWhere = false;
        return route => body(route) == FilterEnd.Accept;
    }

    private static Statement ParseBlock(Tokens tokens)
    {
        tokens.Expect("{", "'{'");
        List<Statement> statements = [];
        while (tokens.Error == null && !tokens.Accept("}")) statements.Add(ParseStatement(tokens));
        return route =>
        {
            foreach (var statement in statements)
                if (statement(route) is var end && end != FilterEnd.None) return end;
            return FilterEnd.None;
        };
    }

    private static Statement ParseStatement(Tokens tokens)
    {
        if (tokens.Is("{")) return ParseBlock(tokens);
        if (tokens.Accept("if")) return ParseIf(tokens);
        if (tokens.Accept("accept")) return ParseEnd(tokens, FilterEnd.Accept);
        if (tokens.Accept("reject")) return ParseEnd(tokens, FilterEnd.Reject);
        tokens.Unexpected(tokens.AtEnd ? [.. Expected[..^1], "'}'"] : Expected);
        return _ => FilterEnd.Failed;
    }

    private static Statement ParseEnd(Tokens tokens, FilterEnd end)
    {
        tokens.Expect(";", "';'");
        return _ => end;
    }

    private static Statement ParseIf(Tokens tokens)
    {
        var condition = ExpressionParser.ParseCondition(tokens);
        tokens.Expect("then", "THEN");
        var then = ParseStatement(tokens);
        var otherwise = tokens.Accept("else") ? ParseStatement(tokens) : _ => FilterEnd.None;
        return route => condition.Evaluate(route) is { Kind: ValueKind.Bool } value
            ? value.IsTrue ? then(route) : otherwise(route)
            : FilterEnd.Failed;
    }
}
