// /v1/cnat/clients: the addresses that translations are at, and what each of them holds. cnat has an object for each of them, which counts;
// here conntrack knows whose answers are whose, and this is counted when somebody asks.

using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Services;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class CnatClients
{
    /// <summary>GET.</summary>
    public static Task TellAsync(HttpContext http, IDataplane? dataplane) => CnatSessions.AskAsync(http, dataplane, async known =>
    {
        if (await known.SessionsAsync(new(), http.RequestAborted).ConfigureAwait(false) is not { } sessions) return false;
        var view = await known.ServicesAsync(http.RequestAborted).ConfigureAwait(false);
        var counts = sessions.Where(one => one.Translation != null).CountBy(one => one.Translation!.Value).ToDictionary();
        var places = view.Translations.Where(row => row.InForce).GroupBy(row => row.Translation.Key.Place);
        await Answer.JsonAsync(
            http, [.. places.Select(one => Of(one.Key, [.. one], counts)).OrderBy(one => one.Id)],
            Answer.Json.IReadOnlyListCnatClientAnswer).ConfigureAwait(false);
        return true;
    });

    private static CnatClientAnswer Of(TranslationPlace place, TranslationRow[] rows, Dictionary<int, int> counts) => new(
        rows.Min(row => row.Id), place.ToString(), rows.Any(row => row.Translation.Kind == TranslationKind.Vip) ? "vip" : "real",
        [.. rows.Select(row => row.Id)], rows.Sum(row => counts.GetValueOrDefault(row.Id)));
}
