using Calico.Bgp.Kernel;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker;

/// <summary>What a filter says of routes as they stand in the table, for whoever asks; the routes stay as they are.</summary>
internal sealed class RouteSieve(IFilter filter, KernelSnapshot kernel)
{
    private readonly AttributeEditor editor = new();

    public RouteView? Pass(RouteView route)
    {
        var isBgp = route.Origin == RouteOrigin.Bgp;
        var result = filter.Run(new()
        {
            Prefix = route.Prefix,
            Family = route.Prefix.Family,
            Origin = route.Origin,
            FromPeer = isBgp ? route.Protocol : null,
            Interface = route.Hops is [var hop, ..] ? kernel.Links.GetValueOrDefault(hop.Interface)?.Name : null,
            Attributes = isBgp ? route.Attributes.Span : Bare,
            Summary = isBgp ? route.Summary : new AttributeView(Bare).Summarize(),
        }, editor);
        if (result.Verdict == FilterVerdict.Reject) return null;
        if (result.Verdict == FilterVerdict.Accept || !isBgp) return route;
        return route with { Attributes = editor.Finish(out var summary).ToArray(), Summary = summary };
    }

    /// <summary>What an own route has before any filter: its origin alone.</summary>
    private static readonly byte[] Bare = MakeBare();

    private static byte[] MakeBare()
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin.Igp);
        return editor.Finish().ToArray();
    }
}
