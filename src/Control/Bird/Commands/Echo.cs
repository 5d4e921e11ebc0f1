namespace Calico.Bgp.Control.Bird.Commands;

/// <summary><c>echo off | all | {class, …} [SIZE]</c>: log lines of these classes appear between this client's answers.</summary>
internal sealed class Echo(EchoClasses classes) : Command
{
    /// <summary>In the order of <see cref="EchoClasses"/>' bits.</summary>
    private static readonly string[] Classes = ["debug", "trace", "info", "remote", "warning", "error", "auth", "fatal", "bug"];

    public static Command Parse(Tokens tokens)
    {
        if (!ClassList.Parse(tokens, Classes, out var bits)) tokens.Unexpected("OFF", "'{'", "ALL");
        // The size of BIRD's ring; here every client has the same.
        tokens.AcceptNumber(out _);
        tokens.ExpectEnd();
        return new Echo((EchoClasses)bits);
    }

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        with.Echo = classes;
        with.Reply.End(ReplyCode.Ok);
        return default;
    }
}
