namespace Calico.Bgp.Control.Bird.Commands;

/// <summary><c>restrict</c>: this client may only look from now on.</summary>
internal sealed class Restrict : Command
{
    public static Command Parse(Tokens tokens)
    {
        tokens.ExpectEnd();
        return new Restrict();
    }

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        with.Restricted = true;
        with.Reply.End(ReplyCode.Restricted, "Access restricted");
        return default;
    }
}
