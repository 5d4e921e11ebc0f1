using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl explain</c>: why a prefix, a peer or a service is as it is.</summary>
internal static class ExplainView
{
    public static Page Route(RouteExplanationAnswer answer) => new(
        [new Section(new Cell($"{answer.Prefix}: who brought it"), Candidates(answer), [.. Nobody(answer)]), .. Ways(answer),
        new Section(new Cell("who is told of the best one"), Exports(answer), answer.Exports.Count == 0 ? ["nobody"] : []),
        new Section(new Cell("the kernel"), null, Kernel(answer.Kernel))]);

    private static IEnumerable<Cell> Nobody(RouteExplanationAnswer answer)
    {
        if (answer.Inactive is { } problem) yield return new Cell($"an own route, which is not in force: {problem}", Tone.Bad);
        else if (answer.Candidates.Count == 0) yield return "nobody";
        if (answer.Block is { } block) yield return block;
    }

    private static IEnumerable<Section> Ways(RouteExplanationAnswer answer)
    {
        if (answer.Candidates.All(candidate => candidate.Way.Count == 0)) yield break;
        yield return new(new Cell("the way to the next hop"), new Grid(
            [new("From"), new("Next hop"), new("Longest match"), new("By"), new("Metric", true), new("Via"), new("Rule")],
            [.. answer.Candidates.SelectMany(candidate => candidate.Way.Select(step => Step(candidate.Route.Protocol, step)))]));
    }

    /// <summary>A step further in stands further in.</summary>
    private static Cell[] Step(string from, WayStepAnswer step) =>
    [
        step.Depth == 0 ? from : "", $"{new string(' ', 2 * step.Depth)}{step.Address}", step.Over ?? "-", step.By,
        step.Over == null ? "" : Words.Number(step.Metric), Words.Via("unicast", step.NextHops),
        new(step.Rule, step.Leads ? Tone.Plain : Tone.Bad),
    ];

    private static Grid Candidates(RouteExplanationAnswer answer) => new(
        [new("From"), new("Import"), new("Rule"), new("Choice"), new("Because"), new("Next hop"), new("AS path")],
        [.. answer.Candidates.Select(candidate => (Cell[])
        [
            candidate.Route.Protocol, Verdict(!candidate.Route.Filtered), candidate.ImportRule,
            Choice(candidate.Route), candidate.Route.Reason,
            candidate.Route.Attributes?.NextHop, candidate.Route.Attributes?.AsPath,
        ])]);

    private static Cell Choice(RouteAnswer route) =>
        route.Best ? new Cell("best", Tone.Good) : route.Multipath ? new Cell("used beside it", Tone.Good) : "";

    private static Grid Exports(RouteExplanationAnswer answer) => new(
        [new("Peer"), new("Verdict"), new("Rule"), new("Sent")],
        [.. answer.Exports.Select(export => (Cell[])[export.Peer, Verdict(export.Accepted), export.Rule, Sent(export)])]);

    private static string Sent(ExportAnswer export) => export.Sent ? "yes" : export.Accepted ? "not yet" : "no";

    private static Cell Kernel(KernelVerdictAnswer? kernel) => kernel switch
    {
        null => "there is no best route",
        { Accepted: false } => new Cell($"is not given it: {kernel.Rule}"),
        { Waits: { } problem } => new Cell($"is not asked for it yet: {problem} ({kernel.Rule})", Tone.Bad),
        { Route: null } => $"{kernel.Rule}; not asked for it yet",
        { Route.Problem: { } problem } => new Cell($"refused it: {problem}", Tone.Bad),
        { Route.Installed: null } => $"shall have it: {KernelView.Target(kernel.Route.Wanted)} ({kernel.Rule}); not installed yet",
        { Route.Installed: { } has } => new Cell($"has it: {KernelView.Target(has)} ({kernel.Rule})", Tone.Good),
    };

    public static Page Peer(PeerExplanationAnswer answer, DateTimeOffset now) => new(
    [
        new Section(new Cell(answer.Peer.Name), Grid.Facts(
            ("asked for by", answer.Origin), ("problem", new(answer.Problem ?? "", Tone.Bad)), ("state", PeersView.State(answer.Peer)),
            ("BFD", answer.Peer.Bfd is { } bfd ? PeerView.Bfd(bfd, now) : null),
            ("last error", PeersView.LastError(answer.Peer, now)))),
        Rules("import", answer.ImportRules), Rules("export", answer.ExportRules),
    ]);

    private static Section Rules(string title, IReadOnlyList<string> rules) =>
        new(new Cell(title), null, [.. rules.Select(rule => (Cell)rule)]);

    public static Page Service(ServiceExplanationAnswer answer) => new(new Section(
        new Cell(answer.Service),
        new([new("Address"), new("Kind"), new("Announced here"), new("Because")],
            [.. answer.Addresses.Select(address => (Cell[])
            [
                address.Address, address.Kind, address.Announced ? new Cell("yes", Tone.Good) : "no", address.Reason,
            ])]),
        [
            .. new[] { answer.Reason, Ready(answer.ReadyHere) }.Where(line => line.Length > 0).Select(line => (Cell)line),
            .. (answer.Problems ?? []).Select(line => new Cell(line, Tone.Bad)),
        ]));

    private static string Ready(int endpoints) => $"{Words.Count(endpoints, "ready endpoint")} on this node";

    private static Cell Verdict(bool accepted) => accepted ? new("accept", Tone.Good) : new("reject", Tone.Bad);
}
