using Calico.Bgp.Control.Bird.Rendering;

namespace Calico.Bgp.Control.Bird.Commands;

/// <summary><c>show protocols [all] [NAME | "PATTERN"]</c>.</summary>
internal sealed class ShowProtocols(ProtocolChoice choice, bool details) : Command
{
    public static Command Parse(Tokens tokens)
    {
        var details = tokens.Accept("all");
        string[] expected = details ? ["CF_SYM_KNOWN", "TEXT"] : ["CF_SYM_KNOWN", "TEXT", "ALL"];
        if (ProtocolChoice.TryParse(tokens, out var choice)) expected = [];
        tokens.ExpectEnd(expected);
        return new ShowProtocols(choice, details);
    }

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        var protocols = choice.Of(with.Speaker);
        if (protocols.Count == 0)
        {
            with.Reply.End(ReplyCode.NoProtocolsMatch, "No protocols match");
            return default;
        }
        with.Reply.Line(ReplyCode.ProtocolHeading, ProtocolRow.Heading);
        var blocks = new ProtocolDetails(with.Reply, with.Times);
        foreach (var protocol in protocols)
        {
            with.Reply.Line(ReplyCode.Protocol, ProtocolRow.Of(protocol, with.Times));
            if (details) blocks.Write(protocol);
        }
        with.Reply.End(ReplyCode.Ok);
        return default;
    }
}
