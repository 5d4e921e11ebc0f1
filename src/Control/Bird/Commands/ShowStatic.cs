using Calico.Bgp.Control.Bird.Rendering;
using Calico.Bgp.Kernel;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Bird.Commands;

/// <summary><c>show static [NAME]</c>: the configured routes, without the tables around them.</summary>
internal sealed class ShowStatic(string? name) : Command
{
    public static Command Parse(Tokens tokens)
    {
        if (!tokens.AcceptKnown(out var name, out var kind))
        {
            tokens.ExpectEnd("CF_SYM_KNOWN");
            return new ShowStatic(null);
        }
        if (kind != SymbolKind.Protocol) tokens.Fail("Protocol name required");
        tokens.ExpectEnd();
        return new ShowStatic(name);
    }

    public override async ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        ProtocolStatus[] chosen =
            [.. with.Speaker.Protocols.Where(one => name == null ? one.Kind == ProtocolKind.Static : one.Name == name)];
        if (name != null && chosen is not [{ Kind: ProtocolKind.Static }])
        {
            with.Reply.End(ReplyCode.SyntaxError, $"{name}: Not a Static protocol");
            return;
        }
        for (var i = 0; i < chosen.Length; i++)
        {
            if (i > 0) with.Reply.Line(ReplyCode.StaticRoute, "");
            await WriteAsync(chosen[i], with, stop).ConfigureAwait(false);
        }
        with.Reply.End(ReplyCode.Ok);
    }

    private static async ValueTask WriteAsync(ProtocolStatus protocol, Conversation with, CancellationToken stop)
    {
        var configured = with.Speaker.ConfiguredRoutes.Where(route => route.Protocol == protocol.Name).ToArray();
        var byPrefix = configured.ToDictionary(route => route.Prefix);
        foreach (var channel in protocol.Channels)
        {
            var query = new RouteQuery(RouteSelection.All, channel.Family, Protocol: protocol.Name);
            await foreach (var batch in with.Speaker.Routes(query, stop).WithCancellation(stop).ConfigureAwait(false))
            {
                foreach (var route in batch)
                    if (byPrefix.TryGetValue(route.Prefix, out var own)) Write(own, with);
                    else Write(route, with);
                await with.Reply.FlushIfEnoughAsync(stop).ConfigureAwait(false);
            }
        }
        foreach (var waiting in configured.Where(route => !route.IsActive)) Write(waiting, with);
    }

    /// <summary>As it is configured. A way out that cannot be used is dormant in BIRD's words; why, is ours to add.</summary>
    private static void Write(ConfiguredRoute route, Conversation with)
    {
        var reply = with.Reply;
        if (route.Type != RouteType.Unicast)
        {
            reply.Line(ReplyCode.StaticRoute, $"{route.Prefix}\t{RouteLines.Word(route.Type)}");
            return;
        }
        reply.Line(ReplyCode.StaticRoute, route.Prefix.ToString());
        foreach (var hop in route.Hops)
        {
            var way = hop is { Hop.Gateway: null, Interface: { } name } ? $"\tdev {name}" : Hop(hop.Hop, with);
            reply.Line(ReplyCode.StaticRoute, hop.Problem == null ? way : $"{way} (dormant: {hop.Problem})");
        }
    }

    private static void Write(RouteView route, Conversation with)
    {
        var reply = with.Reply;
        if (route.Type != RouteType.Unicast)
        {
            reply.Line(ReplyCode.StaticRoute, $"{route.Prefix}\t{RouteLines.Word(route.Type)}");
            return;
        }
        reply.Line(ReplyCode.StaticRoute, route.Prefix.ToString());
        foreach (var hop in route.Hops) reply.Line(ReplyCode.StaticRoute, Hop(hop, with));
    }

    private static string Hop(RouteHop hop, Conversation with) => hop.Gateway switch
    {
        null => $"\tdev {with.InterfaceName(hop.Interface)}",
        { IsLinkLocal: true } gateway => $"\tvia {gateway}%{with.InterfaceName(hop.Interface)}",
        { } gateway => $"\tvia {gateway}",
    };
}
