// Translations that the command line adds and removes: they live until the daemon ends, or longer where they are saved.

using System.Globalization;
using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Services;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class CnatOrders
{
    /// <summary>Why nothing of what bgpd.yaml asks for is in force; null: it asks for nothing, or it is.</summary>
    public static string? NotInForce(IDataplane? dataplane) =>
        dataplane?.View.Problem ?? (dataplane?.Services.IsBeginning == true ? PolicyAnswers.Beginning : null);

    /// <summary>Why nothing of services is told or changed.</summary>
    public static Task RefuseAsync(HttpContext http, IDataplane? dataplane) => dataplane is { IsHandedOver: true }
        ? Answer.ErrorAsync(http, AnswerCode.Busy,
            "an upgrade is under way, and the new process has what the command line said: say it again in a moment")
        : dataplane?.Services.IsBeginning == true
        ? Answer.ErrorAsync(http, AnswerCode.Starting, $"services are not in force: {PolicyAnswers.Beginning}")
        : Answer.ErrorAsync(http, AnswerCode.ServicesOff, dataplane?.View.Problem is { } why ? $"services are not in force: {why}"
            : "services are off: bgpd.yaml has no section services, or services.enabled is false");

    /// <summary>POST /v1/cnat/translations[?save=true&amp;force=true]: adds one, or changes the one with its address, protocol and
    /// port.</summary>
    public static async Task AddAsync(HttpContext http, IDataplane? dataplane, SavedTranslations? saved)
    {
        if (OrderQuery.Problem(http.Request.Query, "save", "force") is { } problem)
        {
            await Answer.ErrorAsync(http, problem).ConfigureAwait(false);
            return;
        }
        var body = new MemoryStream();
        try
        {
            await http.Request.Body.CopyToAsync(body, http.RequestAborted).ConfigureAwait(false);
        }
        catch (BadHttpRequestException bad)
        {
            // Longer than the server lets in, or too slow.
            await Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.BadBody, $"expected one translation as JSON: {bad.Message}", ""))
                .ConfigureAwait(false);
            return;
        }
        if (TranslationRequest.Read(body.GetBuffer().AsSpan(0, (int)body.Length), out var translation) is { } wrong)
        {
            await Answer.ErrorAsync(http, wrong).ConfigureAwait(false);
            return;
        }
        if (http.Request.Query["force"] != "true" && dataplane != null
            && await dataplane.NodeTakenAsync(translation!, http.RequestAborted).ConfigureAwait(false) is { } taken)
        {
            await Answer.ErrorAsync(http, AnswerCode.TakesNode,
                $"the translation is not added: {taken} (--force, or ?force=true, adds it all the same)").ConfigureAwait(false);
            return;
        }
        var added = dataplane == null ? null
            : await dataplane.AddTranslationAsync(translation!, http.RequestAborted).ConfigureAwait(false);
        if (added == null) await RefuseAsync(http, dataplane).ConfigureAwait(false);
        else if (http.Request.Query["save"] == "true") await SaveAsync(http, added, saved).ConfigureAwait(false);
        else await AnswerAsync(http, added, null).ConfigureAwait(false);
    }

    private static Task AnswerAsync(HttpContext http, TranslationRow added, string? file) => Answer.JsonAsync(
        http, new(added.Id, file, added.InForce, added.Problem, CnatAnswers.WarningsOf(added)), Answer.Json.TranslationAddedAnswer);

    private static async Task SaveAsync(HttpContext http, TranslationRow added, SavedTranslations? saved)
    {
        try
        {
            var file = saved?.Save(added.Translation) ?? throw new IOException("this daemon saves nothing");
            await AnswerAsync(http, added, file).ConfigureAwait(false);
        }
        catch (IOException refused)
        {
            await Answer.ErrorAsync(
                http, AnswerCode.NotSaved, $"translation {added.Id} lives until bgpd ends, and is not saved: {refused.Message}")
                .ConfigureAwait(false);
        }
    }

    /// <summary>DELETE /v1/cnat/translations[?id=ID]: one, or all that the command line has added; none of them is saved any
    /// more.</summary>
    public static async Task RemoveAsync(HttpContext http, IDataplane? dataplane, SavedTranslations? saved)
    {
        var text = http.Request.Query["id"].FirstOrDefault();
        var isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id);
        if (OrderQuery.Unknown(http.Request.Query, "id") is { } unknown)
            await Answer.ErrorAsync(http, unknown).ConfigureAwait(false);
        else if (text != null && !isNumber)
            await Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.BadQuery, $"expected a number for ?id=, got \"{text}\"", "id"))
                .ConfigureAwait(false);
        else if (dataplane is null or { IsHandedOver: true }) await RefuseAsync(http, dataplane).ConfigureAwait(false);
        else await RemoveAsync(http, dataplane, saved, text == null ? null : id).ConfigureAwait(false);
    }

    private static async Task RemoveAsync(HttpContext http, IDataplane dataplane, SavedTranslations? saved, int? one)
    {
        var rows = (await dataplane.ServicesAsync(http.RequestAborted).ConfigureAwait(false)).Translations;
        var removed = new List<TranslationRow>();
        foreach (var row in rows)
            if (row.Source == TranslationSource.Cli && (one == null || one == row.Id)
                && await dataplane.RemoveTranslationAsync(row.Id, http.RequestAborted).ConfigureAwait(false)) removed.Add(row);
        if (one is not { } id || removed.Count > 0)
        {
            await ForgetAsync(http, removed, saved).ConfigureAwait(false);
            return;
        }
        var other = rows.FirstOrDefault(row => row.Id == id);
        var what = other == null ? "there is none" : other.Source == TranslationSource.File ? "it is bgpd.yaml's" : "it is Kubernetes'";
        var error = new ErrorAnswer(
            AnswerCode.UnknownTranslation, $"expected the id of a translation that the command line has added, got {id}: {what}", "id");
        await Answer.ErrorAsync(http, error).ConfigureAwait(false);
    }

    private static async Task ForgetAsync(HttpContext http, List<TranslationRow> removed, SavedTranslations? saved)
    {
        int[] ids = [.. removed.Select(row => row.Id)];
        try
        {
            var file = saved?.Forget(removed.Select(row => row.Translation.Key));
            await Answer.JsonAsync(http, new(ids, file), Answer.Json.TranslationsRemovedAnswer).ConfigureAwait(false);
        }
        catch (IOException refused)
        {
            await Answer.ErrorAsync(http, AnswerCode.NotSaved,
                $"what was saved of {string.Join(", ", ids)} is gone, and comes back when bgpd starts again: {refused.Message}")
                .ConfigureAwait(false);
        }
    }
}
