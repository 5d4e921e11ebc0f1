// Why: a prefix's way through the daemon, a peer's chains, and what this node announces of a service.

using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;
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
        of.Prefix.ToString(), [.. of.Candidates.Select(Of)],
        [.. of.Exports.Select(export => new ExportAnswer(export.Peer, export.Accepted, export.Rule, export.Sent))],
        of.Kernel is { } kernel
            ? new(kernel.Accepted, kernel.Rule, kernel.Row is { } row ? StatusAnswers.OwnRoute(row, speaker.KernelState) : null) : null);

    private CandidateAnswer Of(CandidateExplanation of) => new(of.ImportRule, RouteAnswers.Route(of.Route, speaker.KernelState));

    private static ServiceExplanationAnswer Of(ResourceKey service, ServiceVerdict of) => new(
        service.ToString(), of.Reason, of.ReadyHere,
        [.. of.Addresses.Select(at => new ServiceAddressAnswer(at.Address.ToString(), at.Kind, at.Announced, at.Reason))]);

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
        else await Answer.JsonAsync(http, Of(service, verdict), Answer.Json.ServiceExplanationAnswer).ConfigureAwait(false);
    }
}
