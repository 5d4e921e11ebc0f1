// Routes that programs on this node have announced over the Unix socket, so that they need speak no BGP themselves.

using Calico.Bgp.Answers;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal sealed class Leases(ISpeaker speaker)
{
    /// <summary>POST /v1/routes: announces a route, or renews its lease.</summary>
    public async Task AnnounceAsync(HttpContext http)
    {
        var body = new MemoryStream();
        try
        {
            await http.Request.Body.CopyToAsync(body, http.RequestAborted).ConfigureAwait(false);
        }
        catch (BadHttpRequestException bad)
        {
            // Longer than the server lets in, or too slow.
            await Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.BadBody, $"expected one route as JSON: {bad.Message}", ""))
                .ConfigureAwait(false);
            return;
        }
        if (LeaseRequest.Read(body.GetBuffer().AsMemory(0, (int)body.Length), out var lease) is { } wrong)
        {
            await Answer.ErrorAsync(http, wrong).ConfigureAwait(false);
            return;
        }
        if (await speaker.AnnounceAsync(lease!).ConfigureAwait(false) is { } barred)
        {
            await Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.OverQuota, barred, "producer")).ConfigureAwait(false);
            return;
        }
        var answer = new LeaseAnswer(lease!.Prefix.ToString(), lease.Producer, lease.Ttl?.TotalSeconds)
        {
            NotBest = await NotBestAsync(lease, http.RequestAborted).ConfigureAwait(false),
        };
        await Answer.JsonAsync(http, answer, Answer.Json.LeaseAnswer).ConfigureAwait(false);
    }

    /// <summary>A next hop that nobody reaches is the usual reason; null: it is the best one.</summary>
    private async Task<string?> NotBestAsync(RouteLease lease, CancellationToken stop)
    {
        var query = new RouteQuery(RouteSelection.All, Prefix: lease.Prefix, Protocol: lease.Source);
        await foreach (var routes in speaker.Routes(query, stop).ConfigureAwait(false))
            if (routes is [{ Best: false, Reason: var reason }, ..]) return reason;
        return null;
    }

    /// <summary>DELETE /v1/routes?prefix=PREFIX[&amp;producer=NAME].</summary>
    public async Task WithdrawAsync(HttpContext http)
    {
        var query = http.Request.Query;
        var (text, producer) = (query["prefix"].ToString(), query["producer"].FirstOrDefault() ?? LeaseRequest.DefaultProducer);
        if (OrderQuery.Unknown(query, "prefix", "producer") is { } unknown)
            await Answer.ErrorAsync(http, unknown).ConfigureAwait(false);
        else if (Wrong(text, out var prefix) is { } wrong)
            await Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.BadQuery, wrong, "prefix")).ConfigureAwait(false);
        else if (await speaker.WithdrawAsync(producer, prefix).ConfigureAwait(false) is { } barred)
            await Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.UnknownRoute, barred, "prefix")).ConfigureAwait(false);
        else await Answer.JsonAsync(http, new(prefix.ToString(), producer, null), Answer.Json.LeaseAnswer).ConfigureAwait(false);
    }

    private static string? Wrong(string text, out Prefix prefix) => Prefix.TryParse(text, out prefix)
        ? PrefixText.HostBits(text, prefix) : $"expected a prefix for ?prefix=, got \"{text}\"";
}
