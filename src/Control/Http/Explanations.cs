// Why: a prefix's way through the daemon, a peer's chains, and what this node announces of a service.

using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal sealed class Explanations(ISpeaker speaker, IDaemon daemon)
{
    public async Task RouteAsync(HttpContext http)
    {
        var text = http.Request.Query["prefix"].ToString();
        if (!Prefix.TryParse(text, out var prefix))
        {
            await Answer.ErrorAsync(http, 400, $"expected ?prefix=10.0.0.0/26, got \"{text}\"").ConfigureAwait(false);
            return;
        }
        var explanation = await speaker.ExplainAsync(prefix, http.RequestAborted).ConfigureAwait(false);
        await Answer.JsonAsync(http, Of(explanation), Answer.Json.RouteExplanationAnswer).ConfigureAwait(false);
    }

    private RouteExplanationAnswer Of(RouteExplanation of) => new(
        of.Prefix.ToString(), [.. of.Candidates.Select(candidate => new CandidateAnswer(candidate.ImportRule, RouteAnswers.Route(candidate.Route, speaker.KernelState)))],
        [.. of.Exports.Select(export => new ExportAnswer(export.Peer, export.Accepted, export.Rule, export.Sent))],
        of.Kernel is { } kernel
            ? new(kernel.Accepted, kernel.Rule, kernel.Row is { } row ? StatusAnswers.OwnRoute(row, speaker.KernelState) : null) : null);

    public Task PeerAsync(HttpContext http, string name)
    {
        if (PeerNames.Find(speaker, name) is not { Session: { } session } peer || speaker.Explain(peer.Name) is not { } why)
            return Answer.ErrorAsync(http, 404, PeerNames.Unknown(speaker, name));
        var answer = new PeerExplanationAnswer(why.Origin, why.Problem, why.ImportRules, why.ExportRules, StatusAnswers.Peer(peer, session));
        return Answer.JsonAsync(http, answer, Answer.Json.PeerExplanationAnswer);
    }

    public async Task ServiceAsync(HttpContext http, ResourceKey service)
    {
        if (daemon.Planned is not { } plan)
            await Answer.ErrorAsync(http, 404, "expected sources in bgpd.yaml, from which services come; there are none").ConfigureAwait(false);
        else if (await plan.ExplainAsync(service).ConfigureAwait(false) is not { } verdict)
            await Answer.ErrorAsync(http, 404, $"expected the NAMESPACE/NAME of a service, got {service}, which is not there").ConfigureAwait(false);
        else
        {
            var addresses = verdict.Addresses.Select(address => new ServiceAddressAnswer(address.Address.ToString(), address.Kind, address.Announced, address.Reason));
            await Answer.JsonAsync(http, new(service.ToString(), verdict.Reason, verdict.ReadyHere, [.. addresses]), Answer.Json.ServiceExplanationAnswer).ConfigureAwait(false);
        }
    }
}
