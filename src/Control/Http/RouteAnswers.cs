// From a route's canonical attribute octets to JSON. What this daemon has no name for is shown as type and octets, so that nothing a
// peer sent is hidden.

using System.Buffers.Binary;
using System.Globalization;
using Calico.Bgp.Answers;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Control.Http;

internal static class RouteAnswers
{
    private static readonly HashSet<AttributeType> Named =
    [
        AttributeType.Origin, AttributeType.AsPath, AttributeType.NextHop, AttributeType.MultiExitDisc, AttributeType.LocalPref,
        AttributeType.AtomicAggregate, AttributeType.Aggregator, AttributeType.Communities, AttributeType.OriginatorId,
        AttributeType.ClusterList, AttributeType.ExtendedCommunities, AttributeType.Aigp, AttributeType.LargeCommunities,
        AttributeType.OnlyToCustomer,
    ];

    public static RouteAnswer Route(RouteView route, KernelSnapshot state) => new()
    {
        Prefix = route.Prefix.ToString(),
        Origin = Word(route.Origin),
        Type = StatusAnswers.Word(route.Type),
        Protocol = route.Protocol,
        From = route.From?.ToString(),
        Since = route.Since,
        Best = route.Best,
        Multipath = route.IsBesideBest,
        Filtered = route.Filtered,
        Stale = route.Stale,
        SecondsLeft = route.Left?.TotalSeconds,
        Preference = route.Preference,
        NextHops = [.. route.Hops.Select(hop => StatusAnswers.Hop(hop, state))],
        Recursive = route.Recursive,
        Resolvable = route.Resolvable,
        IgpMetric = route.IgpMetric,
        Reason = route.Reason,
        Rule = route.Rule,
        PathId = route.PathId,
        KernelProblem = route.KernelProblem,
        Attributes = route.Attributes.IsEmpty ? null : Attributes(route.Attributes.Span, route.Summary),
    };

    /// <summary>An own route that waits for a way out.</summary>
    public static RouteAnswer Dormant(ConfiguredRoute route, DateTimeOffset since) => new()
    {
        Prefix = route.Prefix.ToString(),
        Origin = Word(RouteOrigin.Static),
        Type = StatusAnswers.Word(route.Type),
        Protocol = route.Protocol,
        From = null,
        Since = since,
        Best = false,
        Multipath = false,
        Filtered = false,
        Stale = false,
        Preference = 0,
        NextHops = [.. route.Hops.Select(hop => new HopAnswer(hop.Hop.Gateway?.ToString(), hop.Interface, hop.Hop.Weight, hop.Hop.OnLink))],
        Recursive = false,
        Resolvable = false,
        IgpMetric = null,
        Reason = $"waits for a way out: {route.Problem}",
        Dormant = true,
        PathId = null,
        KernelProblem = false,
        Attributes = null,
    };

    private static AttributesAnswer Attributes(ReadOnlySpan<byte> octets, AttributeSummary summary)
    {
        var view = new AttributeView(octets);
        var (nextHop, linkLocal) = view.NextHop;
        var path = view.AsPath;
        return new()
        {
            Origin = Word(summary.Origin),
            AsPath = path.ToString(),
            AsPathLength = path.Length,
            NextHop = nextHop?.ToString(),
            NextHopLinkLocal = linkLocal?.ToString(),
            Med = summary.Has(AttributeMarks.HasMed) ? summary.Med : null,
            LocalPref = summary.Has(AttributeMarks.HasLocalPref) ? summary.LocalPref : null,
            AtomicAggregate = view.TryGet(AttributeType.AtomicAggregate, out _),
            Aggregator = view.Aggregator is var (by, id) ? new(by.Value, id.ToString()) : null,
            Communities = Texts(view.Communities),
            LargeCommunities = Texts(view.LargeCommunities),
            ExtendedCommunities = [.. view.ExtendedCommunities.Select(ExtendedCommunityText.Of)],
            OriginatorId = summary.Has(AttributeMarks.HasOriginatorId) ? new RouterId(summary.OriginatorId).ToString() : null,
            ClusterList = Texts(view.ClusterList),
            Otc = view.Otc,
            Aigp = view.Aigp,
            Unknown = Unnamed(octets),
        };
    }

    // Flags, type, a length of one octet or two, value: the canonical form has nothing else.
    private static List<UnknownAnswer> Unnamed(ReadOnlySpan<byte> rest)
    {
        var found = new List<UnknownAnswer>(0);
        while (!rest.IsEmpty)
        {
            var wide = ((AttributeFlags)rest[0] & AttributeFlags.ExtendedLength) != 0;
            var start = wide ? 4 : 3;
            var end = start + (wide ? BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) : rest[2]);
            if (!Named.Contains((AttributeType)rest[1])) found.Add(new(rest[1], Convert.ToHexStringLower(rest[start..end])));
            rest = rest[end..];
        }
        return found;
    }

    private static IReadOnlyList<string> Texts<T>(IReadOnlyList<T> values) where T : struct =>
        values.Count == 0 ? [] : [.. values.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")];

    private static string Word(RouteOrigin origin) => origin switch
    {
        RouteOrigin.Bgp => "bgp",
        RouteOrigin.Static => "static",
        RouteOrigin.Direct => "direct",
        _ => "kernel",
    };

    private static string Word(Origin origin) => origin switch
    {
        Origin.Igp => "igp",
        Origin.Egp => "egp",
        _ => "incomplete",
    };
}
