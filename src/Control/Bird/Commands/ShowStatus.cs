namespace Calico.Bgp.Control.Bird.Commands;

/// <summary><c>show status</c>: who the router is and since when.</summary>
internal sealed class ShowStatus : Command
{
    public static Command Parse(Tokens tokens)
    {
        tokens.ExpectEnd();
        return new ShowStatus();
    }

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        var router = with.Speaker.Router;
        var reply = with.Reply;
        reply.Line(ReplyCode.Version, $"BIRD {router.Version}");
        reply.Line(ReplyCode.Uptime, $"Router ID is {router.RouterId}");
        reply.Line(ReplyCode.Uptime, $"Hostname is {router.HostName}");
        reply.Line(ReplyCode.Uptime, $"Current server time is {with.Times.Long(router.Now)}");
        reply.Line(ReplyCode.Uptime, $"Last reboot on {with.Times.Long(router.Started)}");
        reply.Line(ReplyCode.Uptime, $"Last reconfiguration on {with.Times.Long(router.Reconfigured)}");
        if (router.Recovery is { } recovery)
        {
            reply.Line(ReplyCode.GracefulRestart, "Graceful restart recovery in progress");
            reply.Line(ReplyCode.GracefulRestart, $"  Waiting for {recovery.Waits} channels to recover");
            var whole = (long)Math.Ceiling(recovery.Whole.TotalSeconds);
            reply.Line(ReplyCode.GracefulRestart, $"  Wait timer is {Times.Seconds(recovery.Left)}/{whole}");
        }
        reply.End(ReplyCode.Status, router.ShuttingDown ? "Shutdown in progress" : "Daemon is up and running");
        return default;
    }
}
