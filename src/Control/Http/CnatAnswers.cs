// From translations to what /v1/cnat says.

using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Services;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class CnatAnswers
{
    public static async Task TranslationsAsync(HttpContext http, IDataplane? dataplane, SavedTranslations? saved)
    {
        var view = dataplane == null ? ServicesView.Off : await dataplane.ServicesAsync(http.RequestAborted).ConfigureAwait(false);
        var answer = new TranslationsAnswer(
            view.Enabled, [.. view.Translations.Select(row => Of(row, saved))], [.. view.Problems],
            view.Enabled ? null : CnatOrders.NotInForce(dataplane));
        await Answer.JsonAsync(http, answer, Answer.Json.TranslationsAnswer).ConfigureAwait(false);
    }

    public static TranslationAnswer Of(TranslationRow row, SavedTranslations? saved) => new(
        row.Id, row.Source.Word(), row.Translation.Name is { Length: > 0 } name ? name : null, row.InForce, row.Problem,
        BodyOf(row.Translation), row.Source == TranslationSource.Cli && saved?.Has(row.Translation.Key) == true,
        row.Left?.TotalSeconds, row.Digest, row.Others.Count > 0 ? [.. row.Others] : null,
        WarningsOf(row))
    {
        Inside = row.Translation.Inside is { } inside && inside != row.Translation.Backends ? [.. inside.Select(Of)] : null,
    };

    public static string[]? WarningsOf(TranslationRow row) => row.Warnings.Count > 0 ? [.. row.Warnings] : null;

    public static TranslationBody BodyOf(Translation one)
    {
        var (place, isReal) = (one.Key.Place.ToString(), one.Kind == TranslationKind.Real);
        return new(
            TranslationWords.Of(one.Key.Protocol), one.Key.Port, [.. one.Backends.Select(Of)], isReal ? null : place, isReal ? place : null,
            one.Balance == TranslationBalance.Maglev ? "maglev" : "hash",
            one.Affinity == null ? [.. TranslationWords.Of(one.FlowHash)] : null, one.Affinity?.TotalSeconds,
            one.Timeouts is { } times ? new(times.Tcp?.TotalSeconds, times.Other?.TotalSeconds) : null);
    }

    private static BackendBody Of(Backend one) =>
        new(one.To.ToString(), one.From == Backend.Unchanged ? null : one.From.ToString(), one.Weight);
}
