namespace Calico.Bgp.Control.Bird.Commands;

/// <summary>A command that was understood. It writes its whole answer, the last line included.</summary>
internal abstract class Command
{
    /// <summary>It changes something, so restricted clients may not give it.</summary>
    public virtual bool Changes => false;

    public abstract ValueTask RunAsync(Conversation with, CancellationToken stop);
}

/// <summary>The words that open commands, each with the parser of what follows them.</summary>
internal static class Verbs
{
    private delegate Command? Parser(Tokens tokens);

    private static readonly Dictionary<string, Parser> Shown = new()
    {
        ["status"] = ShowStatus.Parse,
        ["protocols"] = ShowProtocols.Parse,
        ["route"] = ShowRoute.Parse,
        ["interfaces"] = ShowInterfaces.Parse,
        ["symbols"] = ShowSymbols.Parse,
        ["static"] = ShowStatic.Parse,
        ["memory"] = ShowMemory.Parse,
        ["bfd"] = ShowBfd.Parse,
        ["ospf"] = tokens => Absent(tokens, "OSPF"),
        ["rip"] = tokens => Absent(tokens, "RIP"),
        ["babel"] = tokens => Absent(tokens, "Babel"),
    };

    private static readonly Dictionary<string, Parser> First = new()
    {
        ["show"] = tokens => Parse(Shown, tokens),
        ["configure"] = Configure.Parse,
        ["enable"] = tokens => Switch.Parse(tokens, SwitchAction.Enable),
        ["disable"] = tokens => Switch.Parse(tokens, SwitchAction.Disable),
        ["restart"] = tokens => Switch.Parse(tokens, SwitchAction.Restart),
        ["reload"] = Reload.Parse,
        ["debug"] = Debug.Parse,
        ["echo"] = Echo.Parse,
        ["restrict"] = Restrict.Parse,
        ["eval"] = Eval.Parse,
        ["down"] = Down.Parse,
        ["graceful"] = Down.ParseGraceful,
    };

    /// <summary>Null where <see cref="Tokens.Error"/> says why.</summary>
    public static Command? Parse(Tokens tokens) => Parse(First, tokens);

    private static Command? Parse(Dictionary<string, Parser> verbs, Tokens tokens)
    {
        if (tokens.Next.Kind == TokenKind.Word && verbs.TryGetValue(tokens.Next.Text, out var parser))
        {
            tokens.Take();
            var command = parser(tokens);
            return tokens.Error == null ? command : null;
        }
        tokens.Unexpected();
        return null;
    }

    private static Command? Absent(Tokens tokens, string protocol)
    {
        tokens.Fail($"There is no {protocol} protocol running");
        return null;
    }
}
