using Calico.Bgp.Answers;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl plan</c>: what a configuration and its resources come to on this node.</summary>
internal static class PlanView
{
    public static Page Of(PlanAnswer plan, SpeakerConfig joined) => new(
        [Facts(plan), Peers(plan), Routes(plan), .. Chains(joined), .. Problems(plan)]);

    private static Section Facts(PlanAnswer plan) => new(new Cell(plan.Node), Grid.Facts(
        ("router", $"{plan.RouterId}, AS {plan.AsNumber}, port {plan.ListenPort}"),
        ("compat", plan.Compat ?? "no resources"),
        ("kept from the kernel", plan.RejectedFromKernel.Count == 0 ? "nothing" : string.Join(", ", plan.RejectedFromKernel))));

    private static Section Peers(PlanAnswer plan) => new(new Cell("peers"), new Grid(
        [new("Peer"), new("Address"), new("Port", true), new("AS", true), new("Settings")],
        [.. plan.Peers.Select(peer => (Cell[])
            [peer.Name, peer.Address, $"{peer.Port}", peer.AsNumber == 0 ? "external" : $"{peer.AsNumber}", Settings(peer)])]));

    private static Cell Settings(PlanPeerAnswer peer)
    {
        if (peer.Problem is { } problem) return new(problem, Tone.Bad);
        return string.Join(", ", new[]
        {
            peer.LocalAsNumber is { } local ? $"local AS {local}" : null,
            peer.Passive ? "passive" : null,
            peer.RouteReflectorClient ? $"client of cluster {peer.ClusterId}" : null,
            peer.PasswordSet ? "password" : null,
            peer.TtlSecurity is { } hops ? $"TTL security {hops}" : null,
            peer.NextHopMode == "Auto" ? null : $"next hop {peer.NextHopMode.ToLowerInvariant()}",
            peer.AllowLocalAs is { } times ? $"own AS allowed {Words.Times(times)}" : null,
            peer.ImportFilters.Count > 0 ? $"import {string.Join(", ", peer.ImportFilters)}" : null,
            peer.ExportFilters.Count > 0 ? $"export {string.Join(", ", peer.ExportFilters)}" : null,
        }.OfType<string>());
    }

    private static Section Routes(PlanAnswer plan) => new(new Cell("own routes"), new Grid(
        [new("Prefix"), new("Type"), new("Because of")],
        [.. plan.Routes.Select(route => (Cell[])[route.Prefix, route.Type, route.Reason])]));

    /// <summary>Peers that share a chain are named together.</summary>
    private static IEnumerable<Section> Chains(SpeakerConfig joined)
    {
        foreach (var shared in joined.Peers.GroupBy(peer => peer.Export)) yield return Chain($"export to {Names(shared)}", shared.Key);
        foreach (var shared in joined.Peers.GroupBy(peer => peer.Import)) yield return Chain($"import from {Names(shared)}", shared.Key);
        yield return Chain("to the kernel", joined.Kernel.Export ?? AcceptAll.Instance);
    }

    private static string Names(IEnumerable<PeerConfig> peers)
    {
        var names = peers.Select(peer => peer.Session.Name).ToArray();
        return names.Length <= 4 ? string.Join(", ", names) : $"{string.Join(", ", names[..3])} and {names.Length - 3} more";
    }

    private static Section Chain(string title, IFilter routeFilter) => routeFilter is FilterChain chain
        ? new(new Cell(title), new Grid(
            [new("Rule"), new("Does")],
            [.. chain.Rules.Select(rule => (Cell[])[rule.Label, rule.Rule.Action.ToString().ToLowerInvariant()])]))
        : new(new Cell(title), null, routeFilter.Name.ToLowerInvariant());

    private static IEnumerable<Section> Problems(PlanAnswer plan)
    {
        if (plan.Problems.Count == 0) yield break;
        yield return new(new Cell("problems", Tone.Bad), new Grid(
            [new("Object"), new("Field"), new("Reason")],
            [.. plan.Problems.Select(problem => (Cell[])[problem.Object, problem.Field, problem.Reason])]));
    }
}

/// <summary><c>bgpctl plan --probe</c>.</summary>
internal static class ProbeView
{
    public static Page Of(ProbesAnswer probes) => new(new Section(null, new Grid(
        [new("Probe", true), new("Target"), new("Verdict"), new("Rule"), new("Attributes")],
        [.. probes.Results.Select(result => (Cell[])
        [
            $"{result.Probe}", result.Target, Verdict(result),
            result.Barred == null ? result.Rule : $"{result.Barred} (filters: {result.Rule})",
            Attributes(result.Attributes),
        ])]),
        "Attributes are the chains'; own AS, next hop and LOCAL_PREF are dressed after them. A route without fromPeer is an external "
        + "peer's."));

    private static Cell Verdict(ProbeResultAnswer result) =>
        result.Barred == null && result.Verdict == "accept" ? new("accept", Tone.Good) : new("reject", Tone.Bad);

    private static string Attributes(ProbeAttributesAnswer? attributes) => attributes == null ? "" : string.Join(", ", new[]
    {
        attributes.LocalPref is { } localPref ? $"localPref {localPref}" : null,
        attributes.Med is { } med ? $"med {med}" : null,
        attributes.Communities.Count > 0 ? $"communities {string.Join(' ', attributes.Communities)}" : null,
        attributes.AsPath.Count > 0 ? $"asPath {string.Join(' ', attributes.AsPath)}" : null,
        attributes.NextHop is { } nextHop ? $"nextHop {nextHop}" : null,
        attributes.Metric is { } metric ? $"metric {metric}" : null,
        attributes.Tunnel is { } tunnel ? $"tunnel {tunnel}" : null,
    }.OfType<string>());
}
