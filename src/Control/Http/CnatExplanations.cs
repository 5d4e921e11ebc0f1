// /v1/cnat/explain: which backend a connection will get, and as whom.

using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Packets;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class CnatExplanations
{
    /// <summary>GET, with what is said of the packet in the query.</summary>
    public static Task TellAsync(HttpContext http, IDataplane? dataplane, SavedTranslations? saved, KernelSnapshot kernel) =>
        PacketQuery.Of(http, kernel, out var packet) is { } wrong
            ? Answer.ErrorAsync(http, wrong)
            : CnatSessions.AskAsync(http, dataplane, async known =>
            {
                if (await known.ExplainTranslationAsync(packet!, http.RequestAborted).ConfigureAwait(false) is not { } told) return false;
                await Answer.JsonAsync(http, Of(told, saved), Answer.Json.CnatExplanationAnswer).ConfigureAwait(false);
                return true;
            });

    private static CnatExplanationAnswer Of(TranslationExplanation told, SavedTranslations? saved)
    {
        var only = told.Ends is [{ Verdict: not PacketVerdict.Open } one] ? Of(one) : null;
        return new(
            told.Translation is { } row ? CnatAnswers.Of(row, saved) : null, only?.Verdict ?? "depends", only?.Backend, only?.As,
            only?.SourceTranslated ?? false, told.Interface, only?.Rule, only == null ? [.. told.Ends.Select(Of)] : [],
            told.Session is { } session ? CnatSessions.Of(session) : null, [.. told.Trail], only?.Rejected ?? false,
            told.TakenIn, told.NoRoute?.ToString());
    }

    private static CnatWayAnswer Of(TranslationEnd end)
    {
        var passes = end.Verdict == PacketVerdict.Accept;
        var verdict = passes ? "passes" : end.Verdict == PacketVerdict.Drop ? "dropped" : "depends";
        return new(
            [.. end.DependsOn], verdict, end.IsTranslated ? end.To.ToString() : null, passes ? end.From?.ToString() : null, end.IsFromElse,
            end.Rule, end.IsRejected);
    }
}
