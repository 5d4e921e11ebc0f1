// Objects of policy that are put into force for a while: tried, confirmed, taken back.

using System.Collections.Immutable;
using System.Globalization;
using Calico.Bgp.Answers;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Calico.Bgp.Control.Http;

internal sealed class TrialOrders(IDaemon daemon)
{
    private static readonly TimeSpan Within = TimeSpan.FromMinutes(1), Longest = TrialAnswer.LongestTime;

    /// <summary>POST /v1/policy/try?file=NAME[&amp;within=SECONDS], with the file's text.</summary>
    public async Task TryAsync(HttpContext http)
    {
        if (Read(http.Request.Query, out var file, out var within) is { } wrong)
        {
            await Answer.ErrorAsync(http, wrong).ConfigureAwait(false);
            return;
        }
        var text = new MemoryStream();
        try
        {
            if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
                limit.MaxRequestBodySize = TrialAnswer.LongestFile;
            await http.Request.Body.CopyToAsync(text, http.RequestAborted).ConfigureAwait(false);
        }
        catch (BadHttpRequestException bad)
        {
            // Longer than the server lets in, or too slow.
            await Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.BadBody, $"expected a file of objects: {bad.Message}", ""))
                .ConfigureAwait(false);
            return;
        }
        await AnswerAsync(http, trials => trials.TryAsync(file, text.GetBuffer().AsMemory(0, (int)text.Length), within))
            .ConfigureAwait(false);
    }

    /// <summary>POST /v1/policy/confirm.</summary>
    public Task ConfirmAsync(HttpContext http) => AnswerAsync(http, trials => trials.ConfirmAsync());

    /// <summary>POST /v1/policy/revert.</summary>
    public Task RevertAsync(HttpContext http) => AnswerAsync(http, trials => trials.RevertAsync());

    private async Task AnswerAsync(HttpContext http, Func<ITrials, Task<TrialResult>> order)
    {
        if (daemon.Trials is not { } trials)
        {
            const string None = "expected sources in bgpd.yaml, over whose objects others are tried; there are none";
            await Answer.ErrorAsync(http, AnswerCode.NoSources, None).ConfigureAwait(false);
            return;
        }
        var result = await order(trials).ConfigureAwait(false);
        await (result.Outcome switch
        {
            TrialOutcome.Done => Answer.JsonAsync(http, Of(result.Objects, result.State), Answer.Json.TrialAnswer),
            TrialOutcome.Refused => Answer.ErrorAsync(http, new ErrorAnswer(AnswerCode.TrialRefused, result.Words, "file")),
            TrialOutcome.Busy => Answer.ErrorAsync(http, AnswerCode.TrialPending, result.Words),
            _ => Answer.ErrorAsync(http, AnswerCode.NoTrial, result.Words),
        }).ConfigureAwait(false);
    }

    private static ErrorAnswer? Read(IQueryCollection query, out string file, out TimeSpan within)
    {
        (file, within) = (query["file"].ToString(), Within);
        if (OrderQuery.Unknown(query, "file", "within") is { } unknown) return unknown;
        if (file.Length == 0) return new(AnswerCode.BadQuery, "expected a file's name for ?file=, got none", "file");
        if (query["within"].FirstOrDefault() is not { } said) return null;
        if (double.TryParse(said, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            && seconds > 0 && seconds <= Longest.TotalSeconds)
        {
            within = TimeSpan.FromSeconds(seconds);
            return null;
        }
        return new(AnswerCode.BadQuery, $"expected seconds, up to {Longest.TotalSeconds:0}, for ?within=, got \"{said}\"", "within");
    }

    public static TrialAnswer Of(ImmutableArray<TrialObject> objects, TrialState state) => new(
        [.. objects.Select(one => new TrialObjectAnswer(one.Id.ToString(), one.File, one.IsConfirmed, one.IsMasking))], state.Until);
}
