using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Bird.Commands;

internal enum SwitchAction : byte { Enable, Disable, Restart }

/// <summary><c>enable | disable | restart NAME | "PATTERN" | all ["TEXT"]</c>. The text goes to the peers (RFC 9003).</summary>
internal sealed class Switch(SwitchAction action, ProtocolChoice choice, string? text) : Command
{
    public override bool Changes => true;

    public static Command Parse(Tokens tokens, SwitchAction action)
    {
        var choice = ProtocolChoice.Parse(tokens);
        var told = tokens.AcceptText(out var text);
        tokens.ExpectEnd(told ? [] : ["TEXT"]);
        return new Switch(action, choice, told ? text : null);
    }

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        var protocols = choice.Of(with.Speaker);
        foreach (var protocol in protocols)
        {
            var (code, words) = Do(with.Speaker, protocol);
            with.Reply.Line(code, $"{protocol.Name}: {words}");
        }
        if (protocols.Count == 0) with.Reply.End(ReplyCode.NoProtocolsMatch, "No protocols match");
        else with.Reply.End(ReplyCode.Ok);
        return default;
    }

    private (ReplyCode Code, string Words) Do(ISpeaker speaker, ProtocolStatus protocol)
    {
        try
        {
            return Perform(speaker, protocol);
        }
        catch (KeyNotFoundException)
        {
            // A reconfiguration took it away since the command was read.
            return (ReplyCode.AlreadyDisabled, "already disabled");
        }
    }

    private (ReplyCode Code, string Words) Perform(ISpeaker speaker, ProtocolStatus protocol)
    {
        switch (action)
        {
            case SwitchAction.Enable when protocol.Enabled:
                return (ReplyCode.AlreadyEnabled, "already enabled");
            case SwitchAction.Enable:
                speaker.Enable(protocol.Name);
                return (ReplyCode.Enabled, "enabled");
            case var _ when !protocol.Enabled:
                return (ReplyCode.AlreadyDisabled, "already disabled");
            case SwitchAction.Disable:
                speaker.Disable(protocol.Name, text);
                return (ReplyCode.Disabled, "disabled");
            default:
                speaker.Restart(protocol.Name, text);
                return (ReplyCode.Restarted, "restarted");
        }
    }
}
