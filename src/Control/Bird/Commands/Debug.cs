namespace Calico.Bgp.Control.Bird.Commands;

/// <summary>
/// <c>debug PROTOCOL | "PATTERN" | all  off | all | {…}</c>. Tracing follows the daemon's log level, so the command is checked
/// and answered, and changes nothing.
/// </summary>
internal sealed class Debug : Command
{
    private static readonly string[] Classes = ["states", "routes", "filters", "interfaces", "events", "packets"];

    public override bool Changes => true;

    public static Command Parse(Tokens tokens)
    {
        ProtocolChoice.Parse(tokens);
        var channel = tokens.Accept(".") && tokens.Take().Kind == TokenKind.Word;
        if (!ClassList.Parse(tokens, Classes, out _))
        {
            string[] expected = channel ? ["OFF", "'{'", "ALL"] : ["'.'", "OFF", "'{'", "ALL"];
            tokens.Unexpected(expected);
        }
        tokens.ExpectEnd();
        return new Debug();
    }

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        with.Reply.End(ReplyCode.Ok);
        return default;
    }
}

/// <summary>Reads <c>off | all | {word, word, …}</c>.</summary>
internal static class ClassList
{
    /// <param name="bits">A bit for each class that was named, in their order.</param>
    /// <returns>False where something else is next.</returns>
    public static bool Parse(Tokens tokens, string[] classes, out int bits)
    {
        bits = 0;
        if (tokens.Accept("off")) return true;
        if (tokens.Accept("all")) bits = (1 << classes.Length) - 1;
        else if (tokens.Accept("{")) bits = ParseList(tokens, classes);
        else return false;
        return true;
    }

    private static int ParseList(Tokens tokens, string[] classes)
    {
        var bits = 0;
        do
        {
            var found = Array.IndexOf(classes, tokens.Next.Text);
            if (found < 0) tokens.Unexpected();
            else bits |= 1 << found;
            tokens.Take();
        }
        while (tokens.Accept(","));
        tokens.Expect("}", "','", "'}'");
        return bits;
    }
}
