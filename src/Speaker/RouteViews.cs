using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker;

/// <summary>Makes what the RIB says of a route into what people are shown: names, ways out, times.</summary>
internal sealed class RouteViews
{
    private readonly Dictionary<ushort, Peer> peers;
    private readonly Dictionary<ushort, OwnRouteSource> sources;
    private readonly ImmutableDictionary<Prefix, OwnRouteConfig> own;
    private readonly KernelSnapshot kernel;
    private readonly ILookup<Prefix, ForeignRoute> foreign;
    private readonly HashSet<Prefix> refused;
    private readonly SpeakerLoop speaker;
    private readonly DateTimeOffset now;
    private readonly uint nowTicks = Rib.Rib.Now;
    private readonly AttributeEditor editor = new();

    public RouteViews(SpeakerLoop speaker)
    {
        this.speaker = speaker;
        peers = speaker.Peers.ToDictionary(peer => peer.Index);
        sources = speaker.Sources.ToDictionary(source => source.Index);
        own = speaker.OwnRoutes;
        kernel = speaker.Kernel.Current;
        foreign = (speaker.Config.Kernel.Learn ? kernel.Routes.Values : []).ToLookup(route => route.Prefix);
        refused = [.. speaker.Kernel.Status.Refusals.Select(refusal => refusal.Prefix)];
        now = speaker.Time.GetUtcNow();
    }

    /// <param name="asSent">The attributes are those that a peer is sent: nothing is added to them.</param>
    public RouteView Of(RouteFacts route, bool asSent)
    {
        var source = sources.GetValueOrDefault(route.Peer);
        var peer = source == null ? peers.GetValueOrDefault(route.Peer) : null;
        var (type, hops) = source == null ? FromNextHop(route) : FromOwn(source, route.Prefix);
        var recursive = source == null && peer?.Up?.Negotiated is { } session && (session.Internal || peer.Session.Settings.Multihop > 1);
        var (attributes, summary) = asSent
            ? (route.Attributes, route.Summary) : source == null ? WithLocalPref(route) : (default, route.Summary);
        return new(
            route.Prefix, source?.Origin ?? RouteOrigin.Bgp, type, source?.Name ?? peer?.Name ?? "(gone)",
            source == null ? peer?.Session.Settings.PeerAddress : null, now - Rib.Rib.TickLength * (nowTicks - route.Changed))
        {
            First = route.First,
            Best = route.Best,
            Filtered = route.Refused,
            Stale = (route.State & PathState.Stale) != 0,
            Left = source == null ? StaleLeft(route, peer) : speaker.LeaseLeft(source, route.Prefix),
            Preference = source?.Preference ?? 100,
            Hops = hops,
            Recursive = recursive,
            Resolvable = route.NextHop?.Resolvable ?? true,
            IgpMetric = recursive ? route.NextHop?.Metric : null,
            Reason = WhyOf(route),
            Attributes = attributes,
            Summary = summary,
            PathId = route.PathId == 0 ? null : route.PathId,
            KernelProblem = route.Best && refused.Contains(route.Prefix),
            StandsFirst = route.StandsFirst,
            IsBesideBest = route.Sharing == Sharing.Shares,
            Rule = route.Verdict is { IsAccepted: false } verdict ? Why.Of(verdict) : null,
        };
    }

    /// <summary>A refresh that is not over yet (RFC 7313) has no time.</summary>
    private TimeSpan? StaleLeft(RouteFacts route, Peer? peer)
    {
        if ((route.State & PathState.Stale) == 0) return null;
        var kept = peer?.Retention.Families.FirstOrDefault(family => family.Family == route.Prefix.Family);
        return kept == null ? null : kept.Until > now ? kept.Until - now : TimeSpan.Zero;
    }

    private static string WhyOf(RouteFacts route)
    {
        if (route.Sharing == Sharing.Shares) return Why.Beside(route.Reason);
        var why = route.Reason == Reason.NextHopUnresolvable ? Why.Unreachable(route.NextHopRule) : Why.Of(route.Reason, route.Best);
        return Why.Of(route.Sharing) is { } sharing ? $"{why}; {sharing}" : why;
    }

    private (RouteType, ImmutableArray<RouteHop>) FromNextHop(RouteFacts route)
    {
        if (route.NextHop is not { Resolvable: true } state) return (RouteType.Unreachable, []);
        return (
            RouteType.Unicast,
            [.. state.Vias.Select(via => new RouteHop(via.Gateway, via.Interface, via.Weight * route.Weight, via.OnLink))]);
    }

    private (RouteType, ImmutableArray<RouteHop>) FromOwn(OwnRouteSource source, Prefix prefix)
    {
        if (source.Origin == RouteOrigin.Static && own.TryGetValue(prefix, out var configured))
            return (configured.Type, OwnHops.Resolve(configured, kernel) ?? []);
        // Announced and not installed: BIRD's way to say it, which those who read birdc's answers know.
        if (source.Origin == RouteOrigin.Static) return (RouteType.Blackhole, []);
        if (foreign[prefix].MinBy(route => route.Target.Metric) is { } standing) return (standing.Target.Type, standing.Target.Hops);
        // An address on the loopback is announceable without a route of the main table.
        return kernel.Addresses.FirstOrDefault(address => address.Subnet == prefix) is { } at
            ? (RouteType.Unicast, [new RouteHop(null, at.Interface)]) : (RouteType.Unreachable, []);
    }

    /// <summary>The way to the next hop, step by step, in people's words.</summary>
    public ImmutableArray<WayStep> Of(ImmutableArray<NextHopStep> steps) =>
    [
        .. steps.Select(step => new WayStep(
            step.Depth, step.Address, step.Over, ByWhom(step), step.Metric,
            [.. step.Vias.Select(via => new RouteHop(via.Gateway, via.Interface, via.Weight, via.OnLink))],
            step.Rule is NextHopRule.Connected or NextHopRule.Route, Why.Of(step.Rule))),
    ];

    private string? ByWhom(NextHopStep step) => step switch
    {
        { Over: null } => null,
        { Peer: { } ours } => sources.GetValueOrDefault(ours)?.Name ?? peers.GetValueOrDefault(ours)?.Name ?? "(gone)",
        _ => $"kernel ({RouteProtocol.Name(step.Protocol)})",
    };

    /// <summary>External routes have no LOCAL_PREF of their own; the decision gives them the default, and so does BIRD's display.</summary>
    private (ReadOnlyMemory<byte>, AttributeSummary) WithLocalPref(RouteFacts route)
    {
        if (route.Summary.Has(AttributeMarks.HasLocalPref)) return (route.Attributes, route.Summary);
        editor.Load(route.Attributes);
        editor.SetLocalPref(100);
        return (editor.Finish(out var summary).ToArray(), summary);
    }
}
