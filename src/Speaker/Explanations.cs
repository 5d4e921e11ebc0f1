using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker;

/// <summary>A route of the prefix that somebody brought. <paramref name="ImportRule"/>: what let it in or kept it out.</summary>
public sealed record CandidateExplanation(RouteView Route, string ImportRule);

/// <summary>What becomes of the best route on its way to a peer. <paramref name="Rule"/>: what decided.</summary>
/// <param name="Sent">The peer has been told of it.</param>
public sealed record ExportExplanation(string Peer, bool Accepted, string Rule, bool Sent);

/// <summary>What becomes of the best route on its way to the kernel; <paramref name="Row"/>: what we wish for and what the kernel has.</summary>
public sealed record KernelExplanation(bool Accepted, string Rule, OwnRoute? Row);

/// <summary>The life of one prefix, from who brought it to who was told.</summary>
/// <param name="Kernel">Null: there is no best route.</param>
public sealed record RouteExplanation(
    Prefix Prefix, ImmutableArray<CandidateExplanation> Candidates, ImmutableArray<ExportExplanation> Exports, KernelExplanation? Kernel);

/// <summary>A peer's chains, rule by rule.</summary>
public sealed record PeerExplanation(string? Origin, string? Problem, ImmutableArray<string> ImportRules, ImmutableArray<string> ExportRules);

/// <summary>
/// Asks the tables and the filters themselves: nothing is remembered for explanations while routes pass. Each table is read once, whatever
/// the number of peers: a reading costs every shard a turn.
/// </summary>
internal sealed class Explaining(SpeakerLoop speaker, ISpeaker view)
{
    private const string Door = "a rule of BGP itself (a loop: our AS, router id or cluster is in it)";
    private readonly AttributeEditor editor = new();

    public async Task<RouteExplanation> RouteAsync(Prefix prefix, CancellationToken stop)
    {
        var accepted = await RoutesAsync(RouteSelection.All, prefix, stop).ConfigureAwait(false);
        var filtered = await RoutesAsync(RouteSelection.Filtered, prefix, stop).ConfigureAwait(false);
        var received = await RoutesAsync(RouteSelection.Received, prefix, stop).ConfigureAwait(false);
        ImmutableArray<CandidateExplanation> candidates =
            [.. accepted.Concat(filtered).Select(route => new CandidateExplanation(route, ImportRule(route, received)))];
        if (accepted.FirstOrDefault(route => route.Best) is not { } best) return new(prefix, candidates, [], null);
        var sent = await RoutesAsync(RouteSelection.Export, prefix, stop).ConfigureAwait(false);
        var exports = Exports(best, [.. sent.Select(route => route.To)]);
        return new(prefix, candidates, exports, await KernelAsync(best, stop).ConfigureAwait(false));
    }

    /// <param name="sent">The peers that have been told of it.</param>
    private ImmutableArray<ExportExplanation> Exports(RouteView best, HashSet<string?> sent)
    {
        var exports = ImmutableArray.CreateBuilder<ExportExplanation>();
        foreach (var peer in speaker.Peers)
        {
            if (peer.Up?.Told is { } told && told.Families.Has(best.Prefix.Family)) exports.Add(Export(best, peer, told, sent));
            else if (peer.Up == null && peer.Session.Settings.Families.Has(best.Prefix.Family))
                exports.Add(new(peer.Name, false, peer.Config.Problem ?? "there is no session", false));
        }
        return exports.ToImmutable();
    }

    public PeerExplanation? Peer(string name) => speaker.PeerNamed(name)?.Config is { } config
        ? new(config.Description, config.Problem, Rules(config.Import), Rules(config.Export)) : null;

    private static ImmutableArray<string> Rules(IFilter routeFilter) => routeFilter is FilterChain chain
        ? [.. chain.Rules.Select(rule => $"{rule.Label}: {rule.Rule.Action.ToString().ToLowerInvariant()}")]
        : [routeFilter.Name.ToLowerInvariant()];

    private async Task<IReadOnlyList<RouteView>> RoutesAsync(RouteSelection selection, Prefix prefix, CancellationToken stop)
    {
        var all = new List<RouteView>();
        await foreach (var batch in view.Routes(new(selection, Prefix: prefix), stop).ConfigureAwait(false)) all.AddRange(batch);
        return all;
    }

    /// <summary>The import chain looks once more at what was received.</summary>
    private string ImportRule(RouteView route, IReadOnlyList<RouteView> received)
    {
        if (route.Origin != RouteOrigin.Bgp || speaker.PeerNamed(route.Protocol)?.Config is not { } config) return "own route";
        var same = received.FirstOrDefault(other => (other.Protocol, other.PathId) == (route.Protocol, route.PathId));
        if (same == null) return "gone meanwhile";
        var result = Run(config.Import, same, default);
        return result.Verdict != FilterVerdict.Reject && route.Filtered ? Door : result.Rule;
    }

    private ExportExplanation Export(RouteView best, Peer peer, Rib.RibPeer told, HashSet<string?> sent)
    {
        if (best.Protocol == peer.Name) return new(peer.Name, false, "it is the one who sent it", false);
        if (InsideOnly(best, told)) return new(peer.Name, false, "learned inside, and not for inside but through a reflector (RFC 4456)", false);
        var result = Run(peer.Config.Export, best, told.Self(best.Prefix.Family));
        return new(peer.Name, result.Verdict != FilterVerdict.Reject, result.Rule, sent.Contains(peer.Name));
    }

    private bool InsideOnly(RouteView best, Rib.RibPeer to) =>
        to.Internal && !to.ReflectorClient && best.Origin == RouteOrigin.Bgp
        && speaker.PeerNamed(best.Protocol)?.Up?.Told is { Internal: true, ReflectorClient: false };

    private async Task<KernelExplanation> KernelAsync(RouteView best, CancellationToken stop)
    {
        if (speaker.KernelExport is not { } export) return new(false, "kernel.installRoutes is off", null);
        if (best.Origin is RouteOrigin.Kernel or RouteOrigin.Direct) return new(false, "it is the kernel's own", null);
        var result = Run(export, best, default);
        OwnRoute? row = null;
        await foreach (var own in view.KernelRoutes(stop).ConfigureAwait(false))
            if (own.Prefix == best.Prefix) row = own;
        return new(result.Verdict != FilterVerdict.Reject, result.Rule, row);
    }

    private FilterResult Run(IFilter routeFilter, RouteView route, Address self)
    {
        var leads = route.Hops is [var hop, ..] ? speaker.Kernel.Current.Links.GetValueOrDefault(hop.Interface)?.Name : null;
        var metric = route.Origin == RouteOrigin.Kernel ? MetricOf(route.Prefix) : 0;
        return routeFilter.Run(new()
        {
            Prefix = route.Prefix,
            Family = route.Prefix.Family,
            Origin = route.Origin,
            FromPeer = route.Origin == RouteOrigin.Bgp ? route.Protocol : null,
            Interface = leads,
            Attributes = route.Attributes.Span,
            Summary = route.Summary,
            Self = self,
            Hints = new(metric, 0),
        }, editor);
    }

    private uint MetricOf(Prefix prefix) =>
        speaker.Kernel.Current.Routes.Values.Where(row => row.Prefix == prefix).Select(row => row.Target.Metric).DefaultIfEmpty().Min();
}
