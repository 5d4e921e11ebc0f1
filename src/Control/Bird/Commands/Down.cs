namespace Calico.Bgp.Control.Bird.Commands;

/// <summary>
/// <c>down</c>: the daemon ends, and peers are told what <c>router.onStop</c> says. <c>graceful restart</c>: it ends, and peers are told
/// nothing, so that those that can keep our routes until it is back (RFC 4724). Who starts it again is the supervisor's business.
/// </summary>
internal sealed class Down(ReplyCode code, string answer, bool forRestart) : Command
{
    public override bool Changes => true;

    public static Command Parse(Tokens tokens)
    {
        tokens.ExpectEnd();
        return new Down(ReplyCode.ShutdownRequested, "Shutdown requested", forRestart: false);
    }

    /// <summary>Reads what follows <c>graceful</c>.</summary>
    public static Command ParseGraceful(Tokens tokens)
    {
        if (tokens.Expect("restart", "RESTART")) tokens.ExpectEnd();
        return new Down(ReplyCode.GracefulRestartRequested, "Graceful restart requested", forRestart: true);
    }

    public override async ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        with.Reply.End(code, answer);
        await with.Reply.FlushAsync(stop).ConfigureAwait(false);
        with.Daemon.Shutdown(forRestart);
    }
}
