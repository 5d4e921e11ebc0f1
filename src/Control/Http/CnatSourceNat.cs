// /v1/cnat/snat: source NAT as it is in force, and what the command line says of it.

using System.Text.Json;
using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Net;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class CnatSourceNat
{
    /// <summary>GET.</summary>
    public static Task TellAsync(HttpContext http, IDataplane? dataplane) =>
        AnswerAsync(http, dataplane, known => known.SourceNatAsync(http.RequestAborted), () => null, null);

    /// <summary>POST[?save=true]: one thing is otherwise.</summary>
    public static async Task EditAsync(HttpContext http, IDataplane? dataplane, SavedTranslations? saved)
    {
        SourceNatEdit? edit = null;
        var isCut = false;
        var wrong = OrderQuery.Problem(http.Request.Query, "save")
            ?? Read(await BodyAsync(http).ConfigureAwait(false), out edit, out isCut);
        // What a file says is taken back from it, though it may not be so for now.
        var isSaved = http.Request.Query["save"] == "true" && wrong == null && saved?.Says(edit!) == true;
        if (wrong != null) await Answer.ErrorAsync(http, wrong).ConfigureAwait(false);
        else if (!isSaved && dataplane is { IsHandedOver: false }
            && await dataplane.SourceNatAsync(http.RequestAborted).ConfigureAwait(false) is { } view && edit!.IsVain(view.Settings))
            await Answer.ErrorAsync(http, Missing(edit)).ConfigureAwait(false);
        else
            await AnswerAsync(http, dataplane, known => known.EditSourceNatAsync(edit!, http.RequestAborted),
                () => http.Request.Query["save"] != "true" ? null
                    : saved?.Save(edit!) ?? throw new IOException("this daemon saves nothing"),
                isCut && edit is SourceNatEdit.Exclude { IsGone: false } excluded ? excluded.Prefix : null).ConfigureAwait(false);
    }

    private static ErrorAnswer Missing(SourceNatEdit edit)
    {
        var said = BodyOf(edit);
        return new(AnswerCode.UnknownPrefix, said.What == "rewrite"
            ? $"expected a prefix that is rewritten, got {said.Value}, which is not"
            : $"expected a prefix that is excluded, got {said.Value}, which is not", "value");
    }

    /// <summary>DELETE: it is as bgpd.yaml says, and saved no more.</summary>
    public static Task ResetAsync(HttpContext http, IDataplane? dataplane, SavedTranslations? saved) =>
        AnswerAsync(http, dataplane, known => known.ResetSourceNatAsync(http.RequestAborted), () => saved?.ForgetSourceNat(), null);

    /// <param name="save">The file that was written; null: none was.</param>
    /// <param name="cut">Connections to there end; null: none do.</param>
    private static Task AnswerAsync(
        HttpContext http, IDataplane? dataplane, Func<IDataplane, Task<SourceNatView?>> ask, Func<string?> save, Prefix? cut) =>
        CnatSessions.AskAsync(http, dataplane, async known =>
        {
            if (await ask(known).ConfigureAwait(false) is not { } view) return false;
            try
            {
                var ended = cut is { } to ? await known.EndMaskedAsync(to, http.RequestAborted).ConfigureAwait(false) : null;
                var answer = Of(view) with { SavedIn = save(), Ended = ended, NatOutgoing = Pools(known.View) };
                await Answer.JsonAsync(http, answer, Answer.Json.CnatSourceNatAnswer).ConfigureAwait(false);
            }
            catch (IOException refused)
            {
                await Answer.ErrorAsync(
                    http, AnswerCode.NotSaved, $"it is in force until bgpd ends, and what is saved is as it was: {refused.Message}")
                    .ConfigureAwait(false);
            }
            return true;
        });

    private static async Task<string> BodyAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        try
        {
            return await reader.ReadToEndAsync(http.RequestAborted).ConfigureAwait(false);
        }
        catch (BadHttpRequestException)
        {
            return ""; // longer than the server lets in, or too slow: none of ours
        }
    }

    private static ErrorAnswer? Read(string body, out SourceNatEdit? edit, out bool isCut)
    {
        (edit, isCut) = (null, false);
        try
        {
            if (JsonSerializer.Deserialize(body, AnswersJson.Strict.SourceNatEditBody) is not { } said)
                return new(AnswerCode.BadBody, "expected an object, got null", "");
            isCut = said.Cut;
            return Read(said, out edit);
        }
        catch (JsonException wrong)
        {
            const string example = """{"what": "exclude", "value": "20::/100"}""";
            return new(AnswerCode.BadBody, $"expected JSON such as {example}, got something else: {Failures.WordsOf(wrong)}", "");
        }
    }

    /// <returns>What is wrong; null: nothing.</returns>
    public static ErrorAnswer? Read(SourceNatEditBody said, out SourceNatEdit? edit)
    {
        edit = null;
        if (said is { What: "address", Remove: false }
            && SourceNatWords.Place(said.Value) is { } given && SourceNatWords.Unfit(given) is { } why)
            return new(AnswerCode.BadBody, $"expected another address for address, got {said.Value}: {why}", "value");
        edit = said.What switch
        {
            "policy" when SourceNatWords.Policies.FirstOrDefault(one => one.Word == said.Value) is (not null, var policy) =>
                new SourceNatEdit.Policy(policy),
            "address" when SourceNatWords.Place(said.Value) is { } place =>
                new SourceNatEdit.Source(place.Family, said.Remove ? null : place),
            "exclude" when Whole(said.Value) is { } prefix => new SourceNatEdit.Exclude(prefix, said.Remove),
            "include" or "pod" or "host" when SourceNatWords.IsLink(said.Value) => new SourceNatEdit.Link(said.What switch
            {
                "include" => SourceNatLinks.Include,
                "pod" => SourceNatLinks.Pod,
                _ => SourceNatLinks.Host,
            }, said.Value, said.Remove),
            "rewrite" when Whole(said.Value) is { } from => said.Remove ? new SourceNatEdit.Rewrite(from, null)
                : Whole(said.To ?? "") is { } to && to.Family == from.Family && to.Length == from.Length
                    ? new SourceNatEdit.Rewrite(from, to) : null,
            _ => null,
        };
        if (edit != null) return null;
        var expected = said.What switch
        {
            "policy" => "none, if-pfx, k8s or dnat",
            "address" => SourceNatWords.PlaceWords,
            "exclude" => "a prefix without host bits",
            "include" or "pod" or "host" => "an interface's name, or how it begins with * behind it",
            "rewrite" => "two prefixes of one family and length as value and to",
            _ => null,
        };
        return expected == null
            ? new(AnswerCode.BadBody,
                $"expected policy, address, exclude, include, pod, host or rewrite for what, got \"{said.What}\"", "what")
            : new(AnswerCode.BadBody, $"expected {expected} for {said.What}, got \"{said.Value}\"", "value");
    }

    private static Prefix? Whole(string text) => Prefix.TryParse(text, out var prefix) && !Prefix.HasHostBits(text) ? prefix : null;

    private static CnatPoolAnswer[]? Pools(NatView nat) => !nat.Enabled ? null
        : [.. nat.Plan.Pools.Where(pool => pool.Treatment != PoolTreatment.None)
            .Select(pool => new CnatPoolAnswer(pool.Name, pool.Cidr.ToString(), pool.Treatment.Word()))];

    private static CnatSourceNatAnswer Of(SourceNatView view)
    {
        var settings = view.Settings ?? new();
        return new(
            SourceNatWords.Of(settings.Policy), [.. settings.Addresses.Select(one => one.ToString())],
            [.. settings.Exclude.Select(one => one.ToString())], [.. settings.Include], [.. settings.Pods], [.. settings.Hosts],
            [.. settings.Rewrite.Select(one => $"{one.From} to {one.To}")], [.. view.Edits.All.Select(BodyOf)])
        {
            Idle = view.Idle.ToArray() is { Length: > 0 } idle ? idle : null,
        };
    }

    public static SourceNatEditBody BodyOf(SourceNatEdit edit) => edit switch
    {
        SourceNatEdit.Policy(var to) => new("policy", SourceNatWords.Of(to)),
        SourceNatEdit.Source(var family, var to) =>
            new("address", to?.ToString() ?? (family == IpFamily.IPv4 ? "0.0.0.0" : "::"), Remove: to == null),
        SourceNatEdit.Exclude(var prefix, var isGone) => new("exclude", prefix.ToString(), Remove: isGone),
        SourceNatEdit.Link(var among, var name, var isGone) => new(among.ToString().ToLowerInvariant(), name, Remove: isGone),
        SourceNatEdit.Rewrite(var from, var to) => new("rewrite", from.ToString(), to?.ToString(), Remove: to == null),
        _ => throw new InvalidOperationException($"expected an edit of source NAT that is known here, got {edit}"),
    };
}
