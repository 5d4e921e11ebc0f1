using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl egress</c>: who leaves the cluster by which gateway, and who by none.</summary>
internal static class EgressView
{
    /// <summary>Behind a shared gateway there may be thousands: one gateway by its name shows all.</summary>
    private const int ShownPods = 3, ShownRefused = 5;

    public static Page Of(EgressAnswer egress, string? name) => new(
        [
            .. Of(name, egress).Select(gateway => Gateway(gateway, name != null)),
            egress.Blocked.Count == 0 ? new(null, null, new Cell("no pod is blocked", Tone.Good))
                : new(new Cell("Pods that leave by no way"), Blocked(egress)),
            .. egress.Refused is { } refused ? (Section[])[Refused(refused)] : [],
            .. egress.FlowLog is { } log ? (Section[])[new(new Cell("Flow log"), null, Log(log))] : [],
            .. egress.Replication is { } shared ? Replication(shared, Of(name, egress)) : [],
            .. egress.Uncounted is { } why ? (Section[])[new(null, null, new Cell($"flows are not counted: {why}", Tone.Bad))] : [],
        ]);

    private static Section Refused(IReadOnlyList<string> refused) => new(new Cell("Refused by the kernel"), null,
    [
        .. refused.Take(ShownRefused).Select(one => new Cell(one, Tone.Bad)),
        .. refused.Count > ShownRefused ? (Cell[])[new($"and {refused.Count - ShownRefused} more (bgpctl kernel)", Tone.Bad)] : [],
    ]);

    private static IEnumerable<EgressGatewayAnswer> Of(string? name, EgressAnswer egress) => egress.Gateways.Where(gateway =>
        name == null || gateway.Name == name || gateway.Name.EndsWith($"/{name}", StringComparison.Ordinal));

    /// <summary>Why nothing can be shown of that gateway; null: it can.</summary>
    public static string? WhyNone(EgressAnswer egress, string name) => Of(name, egress).Any() ? null
        : egress.Gateways.Count == 0 ? $"there is no gateway {name}: there is none at all"
        : $"there is no gateway {name}; there are {string.Join(", ", egress.Gateways.Select(gateway => gateway.Name))}";

    private static Section Gateway(EgressGatewayAnswer gateway, bool whole) => new(
        new Cell($"Gateway {gateway.Name}", Tone.Strong), new Grid(
            [new("Node"), new("Leaves with"), new("State here")], [.. gateway.Replicas.Select(Replica)]),
        [
            .. gateway.Problems.Select(problem => new Cell(problem, Tone.Bad)),
            new Cell(gateway.Pods.Count == 0 ? "no pod uses it" : whole || gateway.Pods.Count <= ShownPods ? string.Join(", ", gateway.Pods)
                : $"{string.Join(", ", gateway.Pods.Take(ShownPods))} and {Words.Count(gateway.Pods.Count - ShownPods, "more pod")}"),
            .. gateway.Flows is { } flows ? (Cell[])[new(Flows(flows, whole))] : [],
        ]);

    private static string Flows(EgressFlowsAnswer flows, bool whole)
    {
        var shown = flows.ByPod.Take(whole ? int.MaxValue : ShownPods)
            .Select(one => $"{one.Pod ?? "pods that are gone"} {one.Flows}").ToList();
        if (shown.Count < flows.ByPod.Count) shown.Add("others less");
        var leave = flows.Total == 1 ? "leaves" : "leave";
        var total = $"{(flows.Whole ? "" : "at least ")}{Words.Count(flows.Total, "flow")} of it {leave} here";
        return shown.Count == 0 ? "no flow of it leaves here" : $"{total}: {string.Join(", ", shown)}";
    }

    private static Cell Log(EgressFlowLogAnswer log) => log.Problem is { } problem ? new(problem, Tone.Bad)
        : new($"{Words.Count(log.Logged, "flow")} logged"
            + (log.Lost > 0 ? $", {Words.Number(log.Lost)} or more came too fast and are not" : ""), log.Lost > 0 ? Tone.Bad : Tone.Good);

    /// <summary>By whom flows of these gateways are taken, and who takes them.</summary>
    private static Section[] Replication(EgressReplicationAnswer shared, IEnumerable<EgressGatewayAnswer> gateways)
    {
        var addresses = gateways.SelectMany(gateway => gateway.Replicas).SelectMany(replica => replica.Addresses).ToHashSet();
        var peers = shared.Peers.Where(peer => peer.Addresses.Any(addresses.Contains)).ToArray();
        return peers.Length == 0 ? [] : [new(new Cell("Flows shared with"), new Grid(
            [new("Node"), new("Addresses"), new("Taken from it"), new("Given to it")],
            [.. peers.Select(peer => (Cell[])[peer.Node, string.Join(", ", peer.Addresses), Taken(peer.Taken), Given(peer.Given)])]),
        [
            .. shared.Waits ? (Cell[])[new("this node waits for flows before it takes an address", Tone.Bad)] : [],
            .. shared.Problem is { } problem ? (Cell[])[new($"flows are not given: {problem}", Tone.Bad)] : [],
        ])];
    }

    private static Cell Taken(EgressTakenAnswer taken) => !taken.Whole
        ? new($"not in sync since {taken.Since:u}{(taken.Problem is { } why ? $": {why}" : "")}", Tone.Bad)
        : taken.Held.Count == 0 ? new($"it has none of the addresses, in sync since {taken.Since:u}", Tone.Good)
        : new($"{Words.Count(taken.Listed, "flow")}, {Words.Number(taken.Told)} told since, in sync since {taken.Since:u}", Tone.Good);

    private static Cell Given(EgressGivenAnswer? given) => given == null ? new("it has not asked", Tone.Bad)
        : new($"{Words.Count(given.Listed, "flow")} at {given.Since:u}, {Words.Number(given.Told)} told since"
            + (given.Waiting > 0 ? $", {Words.Number(given.Waiting)} wait" : ""), Tone.Good);

    private static Cell[] Replica(EgressReplicaAnswer replica) =>
    [
        replica.Node, string.Join(", ", replica.ByHost ? [.. replica.Addresses, "the node's address"] : replica.Addresses),
        new(replica.State, replica.Usable ? Tone.Good : Tone.Bad),
    ];

    private static Grid Blocked(EgressAnswer egress) => new(
        [new("Pod"), new("Node"), new("Why")],
        [.. egress.Blocked.Select(one => (Cell[])[one.Pod, one.Node, new(one.Reason, Tone.Bad)])]);

    public static Page Of(EgressExplanationAnswer explanation) => new(new Section(
        new Cell(explanation.Verdict, Tone.Strong), null, [.. explanation.Reasons.Select(reason => new Cell("- " + reason))]));
}
