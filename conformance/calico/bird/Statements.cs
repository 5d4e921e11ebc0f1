// Statements of BIRD's filter language. accept and reject end everything, from however deep a call.
using System.Collections.Immutable;

namespace Calico.Bgp.Conformance.Bird;

internal enum Flow { Next, Return, Accept, Reject }

internal abstract record Statement
{
    public abstract Flow Run(Frame frame);
}

internal sealed record Verdict(Flow Flow) : Statement
{
    public override Flow Run(Frame frame) => Flow;
}

internal sealed record Block(ImmutableArray<Statement> Statements) : Statement
{
    public override Flow Run(Frame frame)
    {
        foreach (var statement in Statements)
            if (statement.Run(frame) is not Flow.Next and var ended)
                return ended;
        return Flow.Next;
    }
}

internal sealed record If(Expression Condition, Statement Then, Statement? Else) : Statement
{
    public override Flow Run(Frame frame) => Condition.Truth(frame) ? Then.Run(frame) : Else?.Run(frame) ?? Flow.Next;
}

internal sealed record Assignment(string Name, Expression Value) : Statement
{
    public override Flow Run(Frame frame)
    {
        frame.Set(Name, Value.Evaluate(frame));
        return Flow.Next;
    }
}

/// <summary><c>bgp_path.prepend(…)</c>, <c>bgp_community.add(…)</c>.</summary>
internal sealed record Change(string Attribute, string Method, Expression Argument) : Statement
{
    public override Flow Run(Frame frame)
    {
        frame.Set(Attribute, Applied(frame[Attribute], Argument.Evaluate(frame)));
        return Flow.Next;
    }

    private object Applied(object? list, object? argument) => (Method, list, argument) switch
    {
        ("prepend", ImmutableArray<uint> path, uint asn) => path.Insert(0, asn),
        ("add", ImmutableArray<Community> have, Community one) => have.Contains(one) ? have : have.Add(one),
        ("add", ImmutableArray<LargeCommunity> have, LargeCommunity one) => have.Contains(one) ? have : have.Add(one),
        _ => throw new BirdException($"{Attribute}.{Method}({Operations.Show(argument)}) has no meaning here"),
    };
}

internal sealed record Call(string Function, ImmutableArray<Expression> Arguments) : Statement
{
    public override Flow Run(Frame frame)
    {
        var function = frame.Config.Function(Function);
        if (function.Parameters.Length != Arguments.Length)
            throw new BirdException($"{Function} takes {function.Parameters.Length} arguments, not {Arguments.Length}");
        var inner = new Frame(frame.Config, frame.Route);
        foreach (var (parameter, argument) in function.Parameters.Zip(Arguments)) inner.Declare(parameter, argument.Evaluate(frame));
        return function.Body.Run(inner) is not Flow.Return and var flow ? flow : Flow.Next;
    }
}

internal sealed record Declaration(string Name) : Statement
{
    public override Flow Run(Frame frame)
    {
        frame.Declare(Name, null);
        return Flow.Next;
    }
}

internal sealed record Function(string Name, ImmutableArray<string> Parameters, Statement Body);
