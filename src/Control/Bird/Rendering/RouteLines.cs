using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Control.Bird.Rendering;

/// <summary>
/// A route as <c>show route</c> prints it: a row, a line for each way out, and with <c>all</c> its type and attributes. Routes
/// of one prefix follow each other, and only the first one names it.
/// </summary>
internal sealed class RouteLines(Conversation with, bool all)
{
    private Prefix? previous;

    public void Write(RouteView route)
    {
        var reply = with.Reply;
        reply.Line(ReplyCode.Route, Row(route));
        if (Leads(route)) foreach (var hop in route.Hops) reply.Line(ReplyCode.Route, Hop(hop, route.Hops.Length > 1));
        if (!all) return;
        reply.Line(ReplyCode.RouteType, $"\tType: {TypeOf(route.Origin)} univ");
        // BIRD shows an own route as it stands in its table, where it has no BGP attributes, even where it asks what a peer is sent.
        if (route.Origin == RouteOrigin.Bgp)
            foreach (var line in AttributeLines.Of(route.Attributes.Span)) reply.Line(ReplyCode.RouteAttribute, line);
        if (route.Origin == RouteOrigin.Kernel) WriteKernel(route.Prefix);
        // BIRD does not say which line of a filter it was, nor which rule of BGP's.
        if (route.Rule is { } rule) reply.Line(ReplyCode.RouteAttribute, $"\tbgpd.rejected: {rule}");
    }

    private string Row(RouteView route)
    {
        var net = route.Prefix == previous ? "" : route.Prefix.ToString();
        previous = route.Prefix;
        return $"{net,-20} {Destination(route)} [{route.Protocol} {with.Times.Short(route.Since)}{From(route)}]{Mark(route)}{Info(route)}";
    }

    private static bool Leads(RouteView route) => route.Type == RouteType.Unicast && Resolved(route);

    private static bool Resolved(RouteView route) => route.Resolvable || route.Origin != RouteOrigin.Bgp;

    private static string Destination(RouteView route) => Word(Resolved(route) ? route.Type : RouteType.Unreachable);

    /// <summary>BIRD's word for where a route leads.</summary>
    public static string Word(RouteType type) => type switch
    {
        RouteType.Blackhole => "blackhole",
        RouteType.Prohibit => "prohibited",
        RouteType.Unicast => "unicast",
        _ => "unreachable",
    };

    /// <summary>Whom it came from, where that is not plain from the first way out.</summary>
    private static string From(RouteView route)
    {
        var gateway = Leads(route) && route.Hops is [var hop, ..] ? hop.Gateway : null;
        return route.From is { } from && from != gateway ? $" from {from}" : "";
    }

    /// <summary>BIRD marks what stands first of its prefix: a rejected route, too, where there is no other.</summary>
    private static string Mark(RouteView route) =>
        route.Best ? route.KernelProblem ? " !" : " *" : route is { Filtered: true, StandsFirst: true } ? " *" : "";

    // The s is for routes that are long stale alone, as with BIRD: of those that wait for their peer's return nothing shows here.
    private static string Info(RouteView route)
    {
        if (route.Origin != RouteOrigin.Bgp) return $" ({route.Preference})";
        var origin = route.Summary.Origin switch { Origin.Igp => 'i', Origin.Egp => 'e', _ => '?' };
        var last = route.Summary.OriginAs is var number && number != 0 ? $"AS{number}" : "";
        return $" ({route.Preference}{(route.Summary.Has(AttributeMarks.LlgrStale) ? "s" : "")}{Metric(route)}) [{last}{origin}]";
    }

    /// <summary>The cost of reaching the next hop: nothing where it is on a link of ours. AIGP (RFC 7311) counts on from there.</summary>
    private static string Metric(RouteView route) => route switch
    {
        { Recursive: true, Resolvable: false } => "/-",
        { Summary: var summary } when summary.Has(AttributeMarks.HasAigp) => $"/{Accumulated(route)}",
        { Recursive: false } or { IgpMetric: 0 } => "",
        { IgpMetric: { } metric } => $"/{metric}",
        _ => "/?",
    };

    private static ulong Accumulated(RouteView route) =>
        (new AttributeView(route.Attributes.Span).Aigp ?? 0) + Math.Max(route.IgpMetric ?? 0, 1);

    private string Hop(RouteHop hop, bool several)
    {
        var device = with.InterfaceOf(hop);
        var way = hop.Gateway is { } gateway ? $"\tvia {gateway} on {device}" : $"\tdev {device}";
        return $"{way}{(hop.OnLink ? " onlink" : "")}{(several ? $" weight {hop.Weight}" : "")}";
    }

    private static string TypeOf(RouteOrigin origin) => origin switch
    {
        RouteOrigin.Bgp => "BGP",
        RouteOrigin.Static => "static",
        RouteOrigin.Direct => "device",
        _ => "inherit",
    };

    private void WriteKernel(Prefix prefix)
    {
        if (with.ForeignRoute(prefix) is not { } route) return;
        with.Reply.Line(ReplyCode.RouteAttribute, $"\tKernel.source: {route.Protocol}");
        with.Reply.Line(ReplyCode.RouteAttribute, $"\tKernel.metric: {route.Target.Metric}");
    }
}
