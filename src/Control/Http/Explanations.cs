// Why: a prefix's way through the daemon, a peer's chains, and what this node announces of a service.

using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Services;
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
        var found = await PrefixAsync(text, http.RequestAborted).ConfigureAwait(false);
        var wrong = found is { } said ? PrefixText.HostBits(text, said) : $"expected a prefix or an address for ?prefix=, got \"{text}\"";
        if (wrong != null)
        {
            await Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.BadQuery, wrong, "prefix")).ConfigureAwait(false);
            return;
        }
        var prefix = found!.Value;
        var explanation = await speaker.ExplainAsync(prefix, http.RequestAborted).ConfigureAwait(false);
        var reason = daemon.Planned is { } plan ? await plan.ReasonAsync(prefix).ConfigureAwait(false) : null;
        var block = daemon.Planned is { } planned ? await planned.BlockAsync(prefix).ConfigureAwait(false) : null;
        var answer = Of(explanation, reason) with { Block = block };
        await Answer.JsonAsync(http, answer, Answer.Json.RouteExplanationAnswer).ConfigureAwait(false);
    }

    /// <summary>An address stands for the route that its packets take.</summary>
    private async Task<Prefix?> PrefixAsync(string text, CancellationToken stop)
    {
        if (Prefix.TryParse(text, out var prefix)) return prefix;
        if (!Address.TryParse(text, out var address)) return null;
        var host = new Prefix(address, address.Family.Bits());
        var holding = new RouteQuery(RouteSelection.Primary, Prefix: host, Scope: PrefixScope.For);
        await foreach (var routes in speaker.Routes(holding, stop).ConfigureAwait(false))
            if (routes is [var longest, ..]) return longest.Prefix;
        return host;
    }

    private RouteExplanationAnswer Of(RouteExplanation of, string? reason) => new(
        of.Prefix.ToString(), [.. of.Candidates.Select(candidate => Of(candidate, reason))],
        [.. of.Exports.Select(export => new ExportAnswer(export.Peer, export.Accepted, export.Rule, export.Sent))],
        of.Kernel is { } kernel
            ? new(kernel.Accepted, kernel.Rule, kernel.Row is { } row ? StatusAnswers.OwnRoute(row, speaker.KernelState) : null)
            {
                Waits = kernel.Waits,
            } : null)
    {
        Inactive = of.Inactive,
    };

    /// <param name="reason">Which object has this node originate the route; null: none.</param>
    private CandidateAnswer Of(CandidateExplanation of, string? reason) => new(
        of.Route.Origin == Rib.Filters.RouteOrigin.Static && reason != null ? $"{of.ImportRule}: {reason}" : of.ImportRule,
        RouteAnswers.Route(of.Route, speaker.KernelState), [.. of.Way.Select(Of)]);

    private WayStepAnswer Of(WayStep of) => new(
        of.Depth, of.Address.ToString(), of.Over?.ToString(), of.By, of.Metric,
        [.. of.Hops.Select(hop => StatusAnswers.Hop(hop, speaker.KernelState))], of.Leads, of.Rule);

    private static ServiceExplanationAnswer Of(ResourceKey service, ServiceVerdict of, IReadOnlyCollection<string> problems) => new(
        service.ToString(), of.Reason, of.ReadyHere,
        [.. of.Addresses.Select(at => new ServiceAddressAnswer(at.Address.ToString(), at.Kind, at.Announced, at.Reason))])
    {
        Problems = problems.Count > 0 ? [.. problems] : null,
    };

    public Task PeerAsync(HttpContext http, string name)
    {
        if (PeerNames.Find(speaker, name) is not { Session: { } session } peer || speaker.Explain(peer.Name) is not { } why)
            return Answer.ErrorAsync(http, AnswerCode.UnknownPeer, PeerNames.Unknown(speaker, name) + WhyNot(name));
        var doubts = (daemon.Planned?.Plan.Problems ?? []).Where(doubt => doubt.Object == why.Origin.Object?.ToString());
        var problem = string.Join("; ", doubts.Select(doubt => $"{doubt.Field}: {doubt.Reason}").Prepend(why.Problem).OfType<string>());
        var answer = new PeerExplanationAnswer(
            OriginOf(why.Origin), problem.Length > 0 ? problem : null, why.ImportRules, why.ExportRules,
            StatusAnswers.Peer(peer, session));
        return Answer.JsonAsync(http, answer, Answer.Json.PeerExplanationAnswer);
    }

    /// <summary>Why the resources make no peer of this name: what is known of the object of that name, and of this node.</summary>
    private string WhyNot(string name)
    {
        if (daemon.Planned?.Plan is not { } plan) return "";
        var (node, peer) = ($"{Kinds.Node.Word}/{plan.Node}", $"{Kinds.BgpPeer.Word}/{name}");
        return string.Concat(plan.Problems.Where(one => one.Object == node || one.Object == peer || one.Object == name)
            .Select(one => $"; {one.Object}{(one.Field.Length > 0 ? $" {one.Field}" : "")}: {one.Reason}"));
    }

    /// <summary>What asks for it, and where that is written.</summary>
    private string OriginOf(PeerOrigin origin) =>
        origin.Object is { } asking && daemon.PlaceOf(asking) is { } place ? $"{origin} ({place})" : origin.ToString();

    public async Task ServiceAsync(HttpContext http, IDataplane? dataplane, ResourceKey service)
    {
        if (daemon.Planned is not { } plan)
        {
            const string None = "expected sources in bgpd.yaml, from which services come; there are none";
            await Answer.ErrorAsync(http, AnswerCode.NoSources, None).ConfigureAwait(false);
        }
        else if (await plan.ExplainAsync(service).ConfigureAwait(false) is not { } verdict)
        {
            var unknown = new RefusedObjects(daemon).WithoutEffect(kind => kind == Kinds.Service.Word, service.ToString())
                ?? $"expected the NAMESPACE/NAME of a service, got {service}, which is not there";
            await Answer.ErrorAsync(http, AnswerCode.UnknownService, unknown).ConfigureAwait(false);
        }
        else
        {
            var asked = $"{Kinds.Service.Word}/{service}";
            var view = dataplane == null ? ServicesView.Off : await dataplane.ServicesAsync(http.RequestAborted).ConfigureAwait(false);
            var problems = view.OfObjects.Where(one => one.Object == asked).Select(one => one.Words);
            await Answer.JsonAsync(http, Of(service, verdict, [.. problems]), Answer.Json.ServiceExplanationAnswer).ConfigureAwait(false);
        }
    }
}
