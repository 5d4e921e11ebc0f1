// Statements and expressions of filters, by recursive descent. Precedence, from weak to strong: || , && , comparisons, sums.
using System.Collections.Immutable;
using System.Net;

namespace Calico.Bgp.Conformance.Bird;

internal sealed class FilterParser(Tokens tokens)
{
    private static readonly string[] Comparisons = ["=", "!=", "~", "!~", "<", ">", "<=", ">="];
    private static readonly string[] Types = ["int", "bool", "ip", "prefix", "pair", "string"];

    /// <summary>After the name: parameters, variables, body.</summary>
    public Function Function(string name)
    {
        tokens.Expect("(");
        var parameters = ImmutableArray.CreateBuilder<string>();
        while (!tokens.TryTake(")"))
        {
            if (parameters.Count > 0) tokens.Expect(",");
            parameters.Add(Typed());
        }
        return new(name, parameters.ToImmutable(), Body());
    }

    /// <summary>Variables are declared between the head and the brace.</summary>
    public Statement Body()
    {
        var statements = ImmutableArray.CreateBuilder<Statement>();
        while (!tokens.At("{"))
        {
            statements.Add(new Declaration(Typed()));
            tokens.Expect(";");
        }
        statements.Add(Block());
        return new Block(statements.ToImmutable());
    }

    private string Typed() =>
        Types.Contains(tokens.Peek.Text) && tokens.Take() is { } ? tokens.Name() : throw tokens.Unexpected("a type");

    private Block Block()
    {
        tokens.Expect("{");
        var statements = ImmutableArray.CreateBuilder<Statement>();
        while (!tokens.TryTake("}")) statements.Add(Statement());
        return new(statements.ToImmutable());
    }

    private Statement Statement()
    {
        if (tokens.At("{")) return Block();
        if (tokens.TryTake("if")) return If();
        if (tokens.TryTake("accept")) return Ended(new Verdict(Flow.Accept));
        if (tokens.TryTake("reject")) return Ended(new Verdict(Flow.Reject));
        if (tokens.TryTake("return")) return Ended(new Verdict(Flow.Return));
        return Ended(Named(tokens.Name()));
    }

    private Statement Ended(Statement statement)
    {
        tokens.Expect(";");
        return statement;
    }

    private If If()
    {
        var condition = Expression();
        tokens.Expect("then");
        var then = Statement();
        return new(condition, then, tokens.TryTake("else") ? Statement() : null);
    }

    private Statement Named(string name)
    {
        if (tokens.TryTake("=")) return new Assignment(name, Expression());
        if (tokens.At("(")) return new Call(name, Arguments());
        if (!tokens.TryTake(".")) throw tokens.Unexpected($"=, ( or . after {name}");
        var method = tokens.Name();
        return Arguments() is [var argument] ? new Change(name, method, argument)
            : throw tokens.Wrong($"{name}.{method} takes one argument");
    }

    private ImmutableArray<Expression> Arguments()
    {
        tokens.Expect("(");
        var arguments = ImmutableArray.CreateBuilder<Expression>();
        while (!tokens.TryTake(")"))
        {
            if (arguments.Count > 0) tokens.Expect(",");
            arguments.Add(Expression());
        }
        return arguments.ToImmutable();
    }

    private Expression Expression() => Chain("||", () => Chain("&&", Comparison));

    private Expression Chain(string sign, Func<Expression> part)
    {
        var left = part();
        while (tokens.TryTake(sign)) left = new Binary(sign, left, part());
        return left;
    }

    private Expression Comparison()
    {
        var left = Sum();
        return Comparisons.FirstOrDefault(tokens.At) is { } sign && tokens.TryTake(sign) ? new Binary(sign, left, Sum()) : left;
    }

    private Expression Sum()
    {
        var left = Single();
        while (tokens.At("+") || tokens.At("-")) left = new Binary(tokens.Take().Text, left, Single());
        return left;
    }

    private Expression Single()
    {
        if (tokens.TryTake("!")) return new Not(Single());
        if (tokens.At("(")) return Parenthesis();
        if (tokens.TryTake("[=")) return new Constant(Mask());
        if (tokens.TryTake("[")) return new Constant(Set());
        if (tokens.TryTake("defined")) return Arguments() is [var of] ? new Defined(of) : throw tokens.Wrong("defined takes one argument");
        return tokens.Peek.Kind switch
        {
            TokenKind.Number => new Constant(tokens.Number()),
            TokenKind.Text => new Constant(tokens.Text()),
            TokenKind.Address => new Constant(tokens.AddressOrPrefix()),
            TokenKind.Word => Word(tokens.Name()),
            _ => throw tokens.Unexpected("a value"),
        };
    }

    private static Expression Word(string word) => word switch
    {
        "true" => new Constant(true),
        "false" => new Constant(false),
        _ when Enum.TryParse<Source>(word, out var source) => new Constant(source),
        _ => new Variable(word),
    };

    /// <summary>A group, or the two or three numbers of a community.</summary>
    private Expression Parenthesis()
    {
        var parts = Arguments();
        return parts.Length switch
        {
            1 => parts[0],
            2 or 3 => new CommunityOf(parts),
            _ => throw tokens.Wrong($"{parts.Length} values in parentheses"),
        };
    }

    private PathMask Mask()
    {
        var elements = ImmutableArray.CreateBuilder<uint?>();
        while (!tokens.TryTake("=]")) elements.Add(tokens.TryTake("*") ? null : tokens.Number());
        return new(elements.ToImmutable());
    }

    private object Set()
    {
        var elements = new List<object>();
        while (!tokens.TryTake("]"))
        {
            if (elements.Count > 0) tokens.Expect(",");
            elements.Add(Element());
        }
        return elements switch
        {
            [PrefixPattern, ..] => elements.Cast<PrefixPattern>().ToImmutableArray(),
            [Source, ..] => elements.Cast<Source>().ToImmutableArray(),
            [uint, ..] => elements.Cast<uint>().ToImmutableArray(),
            _ => throw tokens.Wrong("an empty set"),
        };
    }

    private object Element() => tokens.Peek.Kind switch
    {
        TokenKind.Number => tokens.Number(),
        TokenKind.Address when tokens.AddressOrPrefix() is IPNetwork prefix => Pattern(prefix),
        TokenKind.Word when Enum.TryParse<Source>(tokens.Peek.Text, out var source) && tokens.Take() is { } => source,
        _ => throw tokens.Unexpected("an element of a set"),
    };

    private PrefixPattern Pattern(IPNetwork prefix)
    {
        if (!tokens.TryTake("{")) return new(prefix, (uint)prefix.PrefixLength, (uint)prefix.PrefixLength);
        var shortest = tokens.Number();
        tokens.Expect(",");
        var longest = tokens.Number();
        tokens.Expect("}");
        return new(prefix, shortest, longest);
    }
}
