using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <summary>A route of the prefix that somebody brought. <paramref name="ImportRule"/>: what let it in or kept it out.</summary>
/// <param name="Way">How its next hop is reached, or is not, step by step; none where it needs none.</param>
public sealed record CandidateExplanation(RouteView Route, string ImportRule, ImmutableArray<WayStep> Way);

/// <summary>A step on the way to a next hop: an address was looked up, and the longest match answered.</summary>
/// <param name="Depth">How many routes of ours led here; 0: the next hop itself.</param>
/// <param name="Over">The longest match, <paramref name="By"/> whom it is, with its metric and ways out; null: there is none.</param>
/// <param name="Leads">False: it bars the way, or is passed over.</param>
public sealed record WayStep(
    int Depth, Address Address, Prefix? Over, string? By, uint Metric, ImmutableArray<RouteHop> Hops, bool Leads, string Rule);

/// <summary>What becomes of the best route on its way to a peer. <paramref name="Rule"/>: what decided.</summary>
/// <param name="Sent">The peer has been told of it.</param>
public sealed record ExportExplanation(string Peer, bool Accepted, string Rule, bool Sent);

/// <summary>
/// What becomes of the best route on its way to the kernel; <paramref name="Row"/>: what we wish for and what the kernel has.
/// </summary>
/// <param name="Waits">Why nothing is wished for though it is accepted; null where <paramref name="Row"/> is there, or on its way.</param>
public sealed record KernelExplanation(bool Accepted, string Rule, OwnRoute? Row, string? Waits = null);

/// <summary>The life of one prefix, from who brought it to who was told.</summary>
/// <param name="Kernel">Null: there is no best route.</param>
public sealed record RouteExplanation(
    Prefix Prefix, ImmutableArray<CandidateExplanation> Candidates, ImmutableArray<ExportExplanation> Exports, KernelExplanation? Kernel)
{
    /// <summary>Why the prefix's own route of the configuration is not in force; null: there is none, or it is.</summary>
    public string? Inactive { get; init; }
}

/// <summary>A peer's chains, rule by rule.</summary>
public sealed record PeerExplanation(
    PeerOrigin Origin, string? Problem, ImmutableArray<string> ImportRules, ImmutableArray<string> ExportRules);

/// <summary>
/// Words what the shard, the kernel and the sessions decided, each by its own rules; decides nothing. The shard is asked once, whatever the
/// number of peers, and nothing is remembered for explanations while routes pass.
/// </summary>
internal sealed class Explaining(SpeakerLoop speaker, ISpeaker view)
{
    public async Task<RouteExplanation> RouteAsync(Prefix prefix, CancellationToken stop)
    {
        var facts = await speaker.Rib.ExplainAsync(prefix, stop).ConfigureAwait(false);
        var views = new RouteViews(speaker);
        var kernel = await KernelAsync(facts, prefix, stop).ConfigureAwait(false);
        return new(prefix, [.. facts.Paths.Select(path => Candidate(path, views))], Exports(facts, prefix.Family), kernel)
        {
            Inactive = view.ConfiguredRoutes.FirstOrDefault(route => route.Prefix == prefix)?.Problem,
        };
    }

    private static CandidateExplanation Candidate(PathFacts path, RouteViews views)
    {
        var route = views.Of(path.Route, asSent: false);
        return new(route, ImportRule(path.Route, route), views.Of(path.Steps));
    }

    private static string ImportRule(RouteFacts facts, RouteView route)
    {
        if (route.Origin != RouteOrigin.Bgp) return route.Left == null ? "own route" : $"own route, leased{For(route.Left)}";
        var verdict = facts.Verdict!.Value;
        if (route.Stale)
            return $"{Why.Of(verdict)}; stale{For(route.Left)}: said in a session that was lost, and not again yet";
        // The filter, or what it looked at, is another than when the route came: its turn is yet to come, or comes with the next UPDATE.
        var why = Why.Of(verdict) + (facts.IsLastChoice ? ", as the last choice: local preference 0 (graceful shutdown, RFC 8326)" : "");
        return verdict.IsAccepted != facts.Refused ? why : $"judged before a change; now it would be {why}";
    }

    private static string For(TimeSpan? left) =>
        left is { } time ? $" for {TimeSpan.FromSeconds(Math.Ceiling(time.TotalSeconds)).Words()} yet" : "";

    private ImmutableArray<ExportExplanation> Exports(PrefixFacts facts, IpFamily family)
    {
        if (facts.Kernel == null) return [];
        var verdicts = facts.Exports.ToDictionary(export => export.Peer);
        var exports = ImmutableArray.CreateBuilder<ExportExplanation>();
        foreach (var peer in speaker.Peers)
        {
            if (verdicts.TryGetValue(peer.Index, out var export))
                exports.Add(new(peer.Name, export.Verdict.IsAccepted, Why.Of(export.Verdict), export.IsSent));
            else if (peer.Session.Settings.Families.Has(family))
                exports.Add(new(peer.Name, false, peer.Config.Problem ?? NoSession(peer, family), false));
        }
        return exports.ToImmutable();
    }

    private static string NoSession(Peer peer, IpFamily family) =>
        peer.Up == null ? "there is no session" : $"the session carries no {family} routes";

    public PeerExplanation? Peer(string name) => speaker.PeerNamed(name)?.Config is { } config
        ? new(config.Origin, config.Problem, Rules(config.Import), Rules(config.Export)) : null;

    private static ImmutableArray<string> Rules(IFilter routeFilter) => routeFilter is FilterChain chain
        ? [.. chain.Rules.Select(rule => $"{rule.Label}: {rule.Rule.Action.ToString().ToLowerInvariant()}")]
        : [routeFilter.Name.ToLowerInvariant()];

    private async Task<KernelExplanation?> KernelAsync(PrefixFacts facts, Prefix prefix, CancellationToken stop)
    {
        if (facts.Kernel is not { } verdict) return null;
        OwnRoute? row = null;
        if (verdict.IsAccepted)
            await foreach (var own in view.KernelRoutes(stop).ConfigureAwait(false))
                if (own.Prefix == prefix) row = own;
        var waits = verdict.IsAccepted && row == null && speaker.Fib is { } fib
            ? await fib.WhyNotAsync(prefix).ConfigureAwait(false) : null;
        return new(verdict.IsAccepted, Why.Of(verdict), row, waits);
    }
}
