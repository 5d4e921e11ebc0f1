// bgpctl cnat: a line is read, the daemon is asked, and its answer is shown.

using System.Globalization;
using System.Text.Json;
using Calico.Bgp.Answers;
using Calico.Bgp.Bgpctl.Views;
using Calico.Bgp.Dataplane.Services;

namespace Calico.Bgp.Bgpctl.Cnat;

internal sealed class CnatCommands(DaemonClient daemon, Screen screen, TimeProvider time, bool json)
{
    private const string Translations = "/v1/cnat/translations", Sessions = "/v1/cnat/sessions", SourceNat = "/v1/cnat/snat";

    /// <exception cref="CnatMistake">It is no line of cnat's.</exception>
    public Task RunAsync(string line, CancellationToken stop) => CnatGrammar.Parse(new(line)) switch
    {
        CnatCommand.Add add => AddAsync(add, stop),
        CnatCommand.Remove(var id) => RemoveAsync($"?id={id}", stop),
        CnatCommand.ShowTranslations(var id) => ShowTranslationsAsync(id, stop),
        CnatCommand.ShowSessions(var which, var look) => ShowSessionsAsync(which, look, stop),
        CnatCommand.Explain(var packet) => ExplainAsync(packet, stop),
        CnatCommand.EditSourceNat(var edits, var save) => EditAsync(edits, save, stop),
        CnatCommand.ShowSourceNat => ShowSourceNatAsync(stop),
        CnatCommand.ShowClients(var id) => ShowClientsAsync(id, stop),
        CnatCommand.TestMaglev(var tests, var backends, var length) => TestMaglevAsync(tests, backends, length),
        CnatCommand.EndSessions(var which) => EndAsync(which, stop),
        CnatCommand.Purge => PurgeAsync(stop),
        CnatCommand.NotHere(var words) => throw new Refusal(words),
        var other => throw new InvalidOperationException($"expected a command that is known here, got {other}"),
    };

    private async Task AddAsync(CnatCommand.Add add, CancellationToken stop)
    {
        var text = JsonSerializer.Serialize(add.Translation, AnswersJson.Default.TranslationBody);
        var query = Query(("save", null, add.Save ? "true" : null), ("force", null, add.Force ? "true" : null));
        var body = await daemon.PostAsync(Translations + query, text, stop).ConfigureAwait(false);
        var added = daemon.Read(body, AnswersJson.Default.TranslationAddedAnswer);
        var (file, waits) = (added.SavedIn, CnatView.Waits(added.InForce, added.Problem));
        Say(body, waits == null
            ? $"translation {added.Id} is in force, " + (file == null ? "until bgpd ends" : $"and saved in {file}, which is bgpd's own")
            : $"translation {added.Id} {waits}; it is kept "
                + (file == null ? "until bgpd ends" : $"in {file}, which is bgpd's own"));
        if (!json)
            foreach (var warning in added.Warnings ?? []) Say(body, $"  {warning}");
    }

    private async Task RemoveAsync(string query, CancellationToken stop)
    {
        var body = await daemon.DeleteAsync(Translations + query, stop).ConfigureAwait(false);
        Say(body, Gone(daemon.Read(body, AnswersJson.Default.TranslationsRemovedAnswer)));
    }

    private static string Gone(TranslationsRemovedAnswer removed)
    {
        var (ids, savedIn) = removed;
        var gone = ids.Count switch
        {
            0 => "the command line had added no translation",
            1 => $"translation {ids[0]} is gone",
            _ => $"translations {string.Join(", ", ids)} are gone",
        };
        return savedIn == null ? gone : $"{gone}, from {savedIn}, too";
    }

    private async Task EndAsync(SessionQuery which, CancellationToken stop)
    {
        var body = await daemon.DeleteAsync(Sessions + Query(which, null), stop).ConfigureAwait(false);
        Say(body, Ended(daemon.Read(body, AnswersJson.Default.CnatEndedAnswer)));
    }

    private static string Ended(CnatEndedAnswer ended) => $"{Words.Count(ended.Count, "session")} ended";

    /// <summary>Sessions first: whose they are is known as long as their translations are there.</summary>
    private async Task PurgeAsync(CancellationToken stop)
    {
        var ended = daemon.Read(await daemon.DeleteAsync(Sessions, stop).ConfigureAwait(false), AnswersJson.Default.CnatEndedAnswer);
        SayAlone(Ended(ended));
        var removed = daemon.Read(
            await daemon.DeleteAsync(Translations, stop).ConfigureAwait(false), AnswersJson.Default.TranslationsRemovedAnswer);
        SayAlone(Gone(removed));
        var sources = daemon.Read(
            await daemon.DeleteAsync(SourceNat, stop).ConfigureAwait(false), AnswersJson.Default.CnatSourceNatAnswer);
        var all = new CnatPurgedAnswer(ended, removed, sources);
        Say(JsonSerializer.Serialize(all, AnswersJson.Default.CnatPurgedAnswer),
            "source NAT is as bgpd.yaml says" + Saved(sources.SavedIn));
    }

    /// <summary>With what of all that does nothing as long as nothing else is said.</summary>
    private async Task EditAsync(IReadOnlyList<SourceNatEditBody> edits, bool save, CancellationToken stop)
    {
        IReadOnlyList<string> idle = [];
        var last = "";
        foreach (var edit in await PlainAsync(edits, stop).ConfigureAwait(false))
        {
            var text = JsonSerializer.Serialize(edit, AnswersJson.Default.SourceNatEditBody);
            var body = await daemon.PostAsync(SourceNat + (save ? "?save=true" : ""), text, stop).ConfigureAwait(false);
            var done = daemon.Read(body, AnswersJson.Default.CnatSourceNatAnswer);
            var kept = done.SavedIn is { } file ? $"saved in {file}, which is bgpd's own" : "until bgpd ends";
            var ended = done.Ended is { } count ? $"; {Words.Count(count, "connection")} ended" : "";
            SayAlone($"snat {CnatView.Of(edit)}, {kept}{ended}");
            (idle, last) = (done.Idle ?? [], body);
        }
        // The last answer has all of it.
        if (json) Say(last, "");
        else
            foreach (var words in idle) Say("", $"  {words}");
    }

    /// <summary>A line that takes a prefix away does not say what it was there for: what it is there for goes, be it both.</summary>
    private async Task<IReadOnlyList<SourceNatEditBody>> PlainAsync(IReadOnlyList<SourceNatEditBody> edits, CancellationToken stop)
    {
        if (edits is not [{ What: CnatSourceNat.EitherWay } edit]) return edits;
        var now = daemon.Read(
            await daemon.GetTextAsync(SourceNat, stop).ConfigureAwait(false), AnswersJson.Default.CnatSourceNatAnswer);
        var isRewritten = now.Rewrite.Any(one => one.StartsWith($"{edit.Value} ", StringComparison.Ordinal));
        // Of neither the daemon says so.
        var isExcluded = !isRewritten || now.Exclude.Contains(edit.Value);
        return
        [
            .. isRewritten ? [edit with { What = "rewrite" }] : Array.Empty<SourceNatEditBody>(),
            .. isExcluded ? [edit with { What = "exclude" }] : Array.Empty<SourceNatEditBody>(),
        ];
    }

    private static string Saved(string? file) => file == null ? "" : $", in {file}, too";

    private async Task ShowSourceNatAsync(CancellationToken stop)
    {
        var body = await daemon.GetTextAsync(SourceNat, stop).ConfigureAwait(false);
        Show(body, () => CnatView.Of(daemon.Read(body, AnswersJson.Default.CnatSourceNatAnswer)));
    }

    private async Task ShowTranslationsAsync(int? id, CancellationToken stop)
    {
        var body = await daemon.GetTextAsync(Translations, stop).ConfigureAwait(false);
        var all = daemon.Read(body, AnswersJson.Default.TranslationsAnswer);
        if (!all.Enabled)
        {
            if (json) Say(body, "");
            throw SectionOff.Of("services are", "services", all.NotInForce);
        }
        if (id is not { } only)
        {
            Show(body, () => CnatView.Of(all));
            return;
        }
        var one = all with { Translations = [.. all.Translations.Where(one => one.Id == only)] };
        if (one.Translations.Count == 0) throw new Refusal($"no translation {only}");
        Show(JsonSerializer.Serialize(one, AnswersJson.Default.TranslationsAnswer), () => CnatView.Of(one));
    }

    private async Task ShowClientsAsync(int? id, CancellationToken stop)
    {
        var body = await daemon.GetTextAsync("/v1/cnat/clients", stop).ConfigureAwait(false);
        var all = daemon.Read(body, AnswersJson.Default.IReadOnlyListCnatClientAnswer);
        if (id is not { } only)
        {
            Show(body, () => CnatView.Of(all));
            return;
        }
        IReadOnlyList<CnatClientAnswer> one = [.. all.Where(one => one.Id == only)];
        if (one.Count == 0) throw new Refusal($"no client {only}");
        Show(JsonSerializer.Serialize(one, AnswersJson.Default.IReadOnlyListCnatClientAnswer), () => CnatView.Of(one));
    }

    /// <summary>The table is the same everywhere, so that no daemon need be asked.</summary>
    private Task TestMaglevAsync(int tests, int backends, int length)
    {
        var (least, most, moved, mostMoved, digest) = MaglevTrial.Run(tests, backends, length);
        var answer = new CnatMaglevAnswer(tests, backends, length, least, most, moved, mostMoved, digest);
        Show(JsonSerializer.Serialize(answer, AnswersJson.Default.CnatMaglevAnswer), () => CnatView.Of(answer));
        return Task.CompletedTask;
    }

    private async Task ShowSessionsAsync(SessionQuery which, SessionLook look, CancellationToken stop)
    {
        var body = await daemon.GetTextAsync(Sessions + Query(which, look.Most), stop).ConfigureAwait(false);
        Show(body, () => CnatView.Of(
            daemon.Read(body, AnswersJson.Default.CnatSessionsAnswer), look.Verbose, look.Return, time.GetUtcNow()));
    }

    private async Task ExplainAsync(SaidPacket packet, CancellationToken stop)
    {
        // ICMP of IPv6 is another protocol.
        var protocol = packet.Protocol is "icmp" && packet.Destination.Contains(':', StringComparison.Ordinal) ? "icmp6" : packet.Protocol;
        var body = await daemon.GetTextAsync("/v1/cnat/explain" + Query(
            ("src", null, packet.Source), ("sport", packet.SourcePort, null), ("dst", null, packet.Destination),
            ("protocol", null, protocol), ("dport", packet.Port, null), ("in", null, packet.In), ("out", null, packet.Out)), stop)
            .ConfigureAwait(false);
        Show(body, () => CnatExplainView.Of(daemon.Read(body, AnswersJson.Default.CnatExplanationAnswer), packet));
    }

    private static string Query(SessionQuery which, int? most) => Query(
        ("id", which.Id, null), ("translation", which.Translation, null),
        ("protocol", null, which.Protocol == "any" ? null : which.Protocol),
        ("ip", null, which.Ip), ("port", which.Port, null), ("max", most, null));

    private static string Query(params IEnumerable<(string Key, IFormattable? Number, string? Text)> words)
    {
        var said = words.Select(one => (one.Key, Value: one.Text ?? one.Number?.ToString(null, CultureInfo.InvariantCulture)))
            .Where(one => one.Value != null).Select(one => $"{one.Key}={Uri.EscapeDataString(one.Value!)}").ToArray();
        return said.Length == 0 ? "" : $"?{string.Join('&', said)}";
    }

    private void Show(string body, Func<Page> view)
    {
        if (json) Say(body, "");
        else screen.Write(view());
    }

    /// <summary>One step of several: of JSON all are one document.</summary>
    private void SayAlone(string words)
    {
        if (!json) Say("", words);
    }

    private void Say(string body, string words)
    {
        screen.Output.WriteLine(json ? body : words);
        screen.Output.Flush();
    }
}
