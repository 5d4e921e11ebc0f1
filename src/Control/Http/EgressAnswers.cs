// From the dataplane's view to what /v1/egress says.

using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class EgressAnswers
{
    public static EgressAnswer Of(EgressView egress) => new(
        egress.Enabled, [.. egress.Gateways.Select(Gateway)],
        [.. egress.Blocked.Select(one => new EgressBlockedAnswer(one.Pod, one.Node, one.Reason))]);

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
            await Answer.JsonAsync(http, new EgressExplanationAnswer(explanation.Verdict, [.. explanation.Reasons]),
                Answer.Json.EgressExplanationAnswer).ConfigureAwait(false);
        else
            await Answer.ErrorAsync(http, AnswerCode.EgressOff,
                "egress is off: bgpd.yaml has no section egress, or egress.enabled is false").ConfigureAwait(false);
    }
}
