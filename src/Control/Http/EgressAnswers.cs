// From the dataplane's view to what /v1/egress says.

using System.ComponentModel;
using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Egress.Replication;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class EgressAnswers
{
    private const int MostPods = 1000;

    /// <summary>Query: flows=true, for which the kernel's table of connections is read.</summary>
    public static async Task TellAsync(HttpContext http, IDataplane? dataplane)
    {
        var egress = dataplane?.Egress ?? EgressView.Off;
        var (counts, problem) = dataplane != null && (string?)http.Request.Query["flows"] == "true"
            ? await CountAsync(dataplane, http.RequestAborted).ConfigureAwait(false) : default;
        var answer = Of(egress, counts) with { Uncounted = problem, NotInForce = WhyNot(dataplane) };
        await Answer.JsonAsync(http, answer, Answer.Json.EgressAnswer).ConfigureAwait(false);
    }

    /// <summary>Why nothing of what bgpd.yaml asks for is in force; null: it asks for nothing, or it is.</summary>
    private static string? WhyNot(IDataplane? dataplane) =>
        dataplane?.View.Problem ?? (dataplane?.Egress.IsBeginning == true ? PolicyAnswers.Beginning : null);

    private static async Task<(EgressFlowCounts? Counts, string? Problem)> CountAsync(IDataplane dataplane, CancellationToken stop)
    {
        try
        {
            return (await dataplane.CountEgressFlowsAsync(stop).ConfigureAwait(false), null);
        }
        catch (Win32Exception refused)
        {
            return (null, $"the kernel does not tell its connections: {refused.Message}");
        }
    }

    private static EgressAnswer Of(EgressView egress, EgressFlowCounts? counts) => new(
        egress.Enabled, [.. egress.Gateways.Select(gateway => Gateway(gateway) with { Flows = Flows(gateway.Key, counts) })],
        [.. egress.Blocked.Select(one => new EgressBlockedAnswer(one.Pod, one.Node, one.Reason))])
    {
        Refused = egress.Refused.Count == 0 ? null : [.. egress.Refused],
        FlowLog = egress.FlowLog is { } log ? new(log.Logged, log.Lost, log.Problem) : null,
        Replication = egress.Replication is { } shared ? new(shared.IsBehind, shared.Problem, [.. shared.Peers.Select(Peer)]) : null,
    };

    private static EgressReplicationPeerAnswer Peer(EgressReplicationPeerView peer) => new(
        peer.Node, Words(peer.Addresses), new(Words(peer.Taken.Held), peer.Taken.IsWhole, peer.Taken.Since, peer.Taken.Listed,
            peer.Taken.Told, peer.Taken.Problem),
        peer.Given is { } given ? new(given.Since, given.Listed, given.Told, given.Waiting) : null);

    private static string[] Words(ListOf<Address> addresses) => [.. addresses.Select(address => $"{address}")];

    private static EgressFlowsAnswer? Flows(ResourceKey gateway, EgressFlowCounts? counts)
    {
        if (counts == null || !counts.Here.Contains(gateway)) return null;
        var own = counts.Counts.Where(one => one.Gateway == gateway).ToArray();
        return new(own.Sum(one => (long)one.Flows), counts.IsWhole,
            [.. own.Take(MostPods).Select(one => new EgressPodFlowsAnswer(one.Pod is { } pod ? $"{pod}" : null, one.Flows))]);
    }

    private static EgressGatewayAnswer Gateway(EgressGatewayView gateway) => new(
        $"{gateway.Key}", [.. gateway.Replicas.Select(Replica)], [.. gateway.Problems], [.. gateway.Pods]);

    private static EgressReplicaAnswer Replica(EgressReplicaView replica) => new(
        replica.Node, [.. replica.Addresses.Select(address => $"{address}")], replica.ByHost, replica.IsUsable, replica.Standing);

    /// <summary>Query: pod=NAMESPACE/NAME, to=ADDRESS.</summary>
    public static async Task ExplainAsync(HttpContext http, IDataplane? dataplane)
    {
        var (pod, to) = ((string?)http.Request.Query["pod"] ?? "", (string?)http.Request.Query["to"] ?? "");
        if (pod.Split('/') is not [{ Length: > 0 } within, { Length: > 0 } name])
            await Answer.ErrorAsync(http, AnswerCode.BadQuery, $"expected NAMESPACE/NAME for pod, got \"{pod}\"").ConfigureAwait(false);
        else if (!Address.TryParse(to, out var address))
            await Answer.ErrorAsync(http, AnswerCode.BadQuery, $"expected an address for to, got \"{to}\"").ConfigureAwait(false);
        else if (dataplane != null && await dataplane.ExplainEgressAsync(new ResourceKey(within, name), address, http.RequestAborted)
            .ConfigureAwait(false) is { } explanation)
            await (explanation.Verdict == EgressExplanation.NoPod
                ? Answer.ErrorAsync(http, new ErrorAnswer(
                    AnswerCode.BadQuery, $"expected the NAMESPACE/NAME of a pod that has an address, got {pod}: none is known", "pod"))
                : Answer.JsonAsync(http, new EgressExplanationAnswer(explanation.Verdict, [.. explanation.Reasons]),
                    Answer.Json.EgressExplanationAnswer)).ConfigureAwait(false);
        else
            await Answer.ErrorAsync(http, dataplane?.Egress.IsBeginning == true ? AnswerCode.Starting : AnswerCode.EgressOff,
                WhyNot(dataplane) is { } why ? $"egress is not in force: {why}"
                : "egress is off: bgpd.yaml has no section egress, or egress.enabled is false").ConfigureAwait(false);
    }
}
