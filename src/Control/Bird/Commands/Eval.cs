using Calico.Bgp.Control.Bird.Expressions;

namespace Calico.Bgp.Control.Bird.Commands;

/// <summary><c>eval EXPRESSION</c>: the value of an expression that looks at no route.</summary>
internal sealed class Eval(Expression expression) : Command
{
    public static Command Parse(Tokens tokens)
    {
        var expression = ExpressionParser.Parse(tokens);
        if (!tokens.AtEnd) tokens.Unexpected();
        return new Eval(expression);
    }

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        var value = expression.Fixed;
        if (value.Fails) with.Reply.End(ReplyCode.RuntimeError, "runtime error");
        else with.Reply.End(ReplyCode.Value, value.ToString());
        return default;
    }
}
