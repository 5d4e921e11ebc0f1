using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Bird.Commands;

/// <summary>
/// <c>reload [in | out] NAME | "PATTERN" | all</c>: routes go through the filters again. Protocols that are not up have none and
/// say nothing.
/// </summary>
internal sealed class Reload(ProtocolChoice choice, ReloadDirection direction) : Command
{
    public override bool Changes => true;

    public static Command Parse(Tokens tokens)
    {
        var direction = tokens.Accept("in") ? ReloadDirection.In : tokens.Accept("out") ? ReloadDirection.Out : ReloadDirection.Both;
        var choice = ProtocolChoice.Parse(tokens);
        tokens.ExpectEnd();
        return new Reload(choice, direction);
    }

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        var protocols = choice.Of(with.Speaker);
        foreach (var protocol in protocols) if (protocol.Up) Do(with, protocol.Name);
        if (protocols.Count == 0) with.Reply.End(ReplyCode.NoProtocolsMatch, "No protocols match");
        else with.Reply.End(ReplyCode.Ok);
        return default;
    }

    private void Do(Conversation with, string name)
    {
        try
        {
            with.Speaker.Reload(name, direction);
            with.Reply.Line(ReplyCode.Reloading, $"{name}: reloading");
        }
        catch (KeyNotFoundException)
        {
            // A reconfiguration took it away since the command was read.
            with.Reply.Line(ReplyCode.ReloadFailed, $"{name}: reload failed");
        }
    }
}
