namespace Calico.Bgp.Control.Bird.Commands;

/// <summary><c>down</c>: the daemon ends in order; the client hears of it before its socket closes.</summary>
internal sealed class Down : Command
{
    public override bool Changes => true;

    public static Command Parse(Tokens tokens)
    {
        tokens.ExpectEnd();
        return new Down();
    }

    public override async ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        with.Reply.End(ReplyCode.ShutdownRequested, "Shutdown requested");
        await with.Reply.FlushAsync(stop).ConfigureAwait(false);
        with.Daemon.Shutdown();
    }
}
