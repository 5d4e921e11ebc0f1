using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Bird.Commands;

/// <summary><c>show bfd sessions [NAME]</c>.</summary>
internal sealed class ShowBfd(string? name) : Command
{
    private static readonly string Heading = Columns("IP address", "Interface", "State", "Since", "Interval", " Timeout");

    public static Command? Parse(Tokens tokens)
    {
        if (!tokens.Expect("sessions", "SESSIONS")) return null;
        if (!tokens.AcceptKnown(out var name, out var kind))
        {
            tokens.ExpectEnd("CF_SYM_KNOWN");
            return new ShowBfd(null);
        }
        if (kind != SymbolKind.Protocol) tokens.Fail("Protocol name required");
        tokens.ExpectEnd();
        return new ShowBfd(name);
    }

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        var reply = with.Reply;
        var protocol = with.Speaker.Protocols.FirstOrDefault(one => name == null ? one.Kind == ProtocolKind.Bfd : one.Name == name);
        if (protocol is not { Kind: ProtocolKind.Bfd })
        {
            reply.End(ReplyCode.SyntaxError, name == null ? "There is no BFD protocol running" : $"{name}: Not a BFD protocol");
            return default;
        }
        reply.Line(ReplyCode.BfdSession, $"{protocol.Name}:");
        reply.Line(ReplyCode.BfdSession, Heading);
        foreach (var neighbour in with.Speaker.Bfd)
            reply.Line(ReplyCode.BfdSession, Row(neighbour, with));
        reply.End(ReplyCode.Ok);
        return default;
    }

    private static string Row(BfdNeighbour neighbour, Conversation with)
    {
        var session = neighbour.Session;
        return Columns(
            session.Key.Peer.ToString(), neighbour.Link ?? "---", session.State.ToString(), with.Times.Short(session.Since),
            Times.Seconds(session.Interval), Times.Seconds(session.DetectionTime));
    }

    private static string Columns(string address, string link, string state, string since, string interval, string timeout) =>
        $"{address,-25} {link,-10} {state,-10} {since,-12}  {interval,7} {timeout,8}";
}
