using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>
/// The rules of <see cref="ImportDoor"/> and <see cref="ExportDoor"/> for a route that is in no table, in the order in which a shard asks
/// them: for whoever wants to know beforehand what would become of it. Null: nothing bars it.
/// </summary>
public static class RouteDoors
{
    public static RouteRule? In(RibPeer from, ReadOnlySpan<byte> attributes, in AttributeSummary summary) =>
        ImportDoor.Refuses(from, attributes, summary);

    /// <summary>Before the peer's filter.</summary>
    public static RouteRule? Out(RibPeer to, RibPeer from, in AttributeSummary summary) =>
        to.Index == from.Index ? RouteRule.SplitHorizon : ExportDoor.Refuses(to.Treatment, from, summary);

    /// <summary>Behind the peer's filter: whether what leaves has a next hop that means something there, and room in a message.</summary>
    /// <param name="attributes">As the filter, which said <paramref name="said"/>, has left them.</param>
    public static RouteRule? Told(
        RibPeer to, RibPeer from, Prefix prefix, ReadOnlySpan<byte> attributes, in AttributeSummary summary, in FilterResult said)
    {
        var (editor, treatment) = (new AttributeEditor(), to.Treatment);
        editor.Load(attributes);
        ExportDoor.Dress(editor, treatment, from, prefix.Family, summary, said);
        if (ExportDoor.Refuses(treatment, prefix.Family, editor.NextHop) is { } untold) return untold;
        return new UpdateEncoder(to.Encode).Fits(prefix, editor.Finish()) ? null : RouteRule.DoesNotFit;
    }
}
