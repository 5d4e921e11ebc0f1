// --watch: bgpd tells when something has changed; on a terminal the page is drawn over the one before; elsewhere it is printed once, and
// then what is no more as it was, under the time; with --json each change is one line.

using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Calico.Bgp.Answers;
using Calico.Bgp.Bgpctl.Views;
using Spectre.Console;

namespace Calico.Bgp.Bgpctl;

internal sealed partial class Watcher(DaemonClient daemon, Screen screen, TimeProvider time, bool json)
{
    /// <param name="path">Asked anew after each event; null: the event's own data is the answer.</param>
    public Task PagesAsync(string topic, string? path, Func<string, Page> view, CancellationToken stop) => FollowAsync(
        topic, data => path == null ? Task.FromResult(data) : daemon.GetTextAsync(path, stop), view, stop);

    /// <summary>Counters of peers tell that routes may have changed; the same routes are not shown twice.</summary>
    public Task RoutesAsync(RouteQuery query, int limit, CancellationToken stop)
    {
        var path = query.Path(lines: !json);
        return FollowAsync("peers", _ => daemon.GetTextAsync(path, stop), body => Routes(body, limit), stop);
    }

    /// <summary>Events tell what is new, and of no flow twice: nothing is drawn anew.</summary>
    public async Task DeniedAsync(CancellationToken stop)
    {
        int[]? widths = null;
        await foreach (var data in daemon.EventsAsync("denied", stop).ConfigureAwait(false))
        {
            var flows = daemon.Read(data, AnswersJson.Default.IReadOnlyListDeniedFlowAnswer);
            if (json) foreach (var flow in flows) PrintLine(JsonSerializer.Serialize(flow, AnswersJson.Legible.DeniedFlowAnswer));
            else if (flows.Count > 0) screen.WritePiece(DeniedView.Rows(flows), ref widths);
        }
    }

    /// <summary>As above; where numbers are missing, more came than were kept.</summary>
    public async Task DnsAsync(CancellationToken stop)
    {
        int[]? widths = null;
        long? last = null;
        await foreach (var data in daemon.EventsAsync("dns", stop).ConfigureAwait(false))
        {
            var lookups = daemon.Read(data, AnswersJson.Default.IReadOnlyListDnsLookupAnswer);
            if (lookups.Count == 0) continue;
            if (json) foreach (var lookup in lookups) PrintLine(JsonSerializer.Serialize(lookup, AnswersJson.Legible.DnsLookupAnswer));
            else
            {
                if (last is { } before && lookups[0].Number - before is > 1 and var step)
                    PrintLine($"… {Words.Count(step - 1, "more response")} came");
                screen.WritePiece(DnsWatchView.Rows(lookups), ref widths);
            }
            last = lookups[^1].Number;
        }
    }

    private async Task FollowAsync(string topic, Func<string, Task<string>> ask, Func<string, Page> view, CancellationToken stop)
    {
        var changes = ChangesAsync(topic, ask, stop);
        // The line feeds of an array stand between its elements, never inside.
        if (json) await foreach (var body in changes.ConfigureAwait(false)) PrintLine(string.Concat(body.Split('\n')));
        else if (screen.Console is { } console) await DrawAsync(console, changes, view, time, stop).ConfigureAwait(false);
        else await PrintAsync(changes, view).ConfigureAwait(false);
    }

    private async IAsyncEnumerable<string> ChangesAsync(
        string topic, Func<string, Task<string>> ask, [EnumeratorCancellation] CancellationToken stop)
    {
        var before = "";
        await foreach (var data in daemon.EventsAsync(topic, stop).ConfigureAwait(false))
        {
            var body = await ask(data).ConfigureAwait(false);
            if (body == before) continue;
            yield return before = body;
        }
    }

    // "up 12s" grows while nothing changes, so the last answer is drawn again each second.
    private static async Task DrawAsync(
        IAnsiConsole console, IAsyncEnumerable<string> changes, Func<string, Page> view, TimeProvider time, CancellationToken stop)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await console.Live(new Text("…")).StartAsync(async live =>
        {
            string? last = null;
            void Draw() => live.UpdateTarget(last == null ? new Text("…") : Screen.Drawn(view(last), console.Profile.Width));
            var redrawn = RedrawAsync(Draw, time, ended.Token);
            try
            {
                await foreach (var body in changes.ConfigureAwait(false))
                {
                    last = body;
                    Draw();
                }
            }
            finally
            {
                await ended.CancelAsync().ConfigureAwait(false);
                await redrawn.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }).ConfigureAwait(false);
    }

    private static async Task RedrawAsync(Action draw, TimeProvider time, CancellationToken stop)
    {
        using var ticks = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        while (await ticks.WaitForNextTickAsync(stop).ConfigureAwait(false)) draw();
    }

    private void PrintLine(string body)
    {
        screen.Output.WriteLine(body);
        screen.Output.Flush();
    }

    /// <summary>
    /// Lines that came with <c>+</c>, lines that went with <c>-</c>. How long ago something was, and how columns are aligned, is no change.
    /// </summary>
    private async Task PrintAsync(IAsyncEnumerable<string> changes, Func<string, Page> view)
    {
        string[]? before = null;
        await foreach (var body in changes.ConfigureAwait(false))
        {
            var page = view(body);
            var now = Screen.PlainLines(page);
            if (before == null) screen.Write(page);
            else PrintChanges(before, now);
            before = now;
        }
    }

    private void PrintChanges(string[] before, string[] now)
    {
        var (known, kept) = (before.Select(Lasting).ToHashSet(), now.Select(Lasting).ToHashSet());
        string[] changes =
        [
            .. before.Where(line => !kept.Contains(Lasting(line))).Select(line => $"- {line}"),
            .. now.Where(line => !known.Contains(Lasting(line))).Select(line => $"+ {line}"),
        ];
        if (changes.Length == 0) return;
        screen.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss}Z"));
        foreach (var line in changes) screen.Output.WriteLine(line);
        screen.Output.Flush();
    }

    private static string Lasting(string line) => Spaces().Replace(Spans().Replace(line, "…"), " ");

    /// <summary>As <see cref="Words.Span"/> writes them.</summary>
    [GeneratedRegex(@"\b(\d+s|\d+m\d\ds|\d+h\d\dm|\d+d\d\dh)\b")]
    private static partial Regex Spans();

    [GeneratedRegex(" {2,}")]
    private static partial Regex Spaces();

    private Page Routes(string body, int limit)
    {
        var lines = body.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var shown = lines.Take(limit).Select(line => daemon.Read(line, AnswersJson.Default.RouteAnswer)).ToArray();
        Cell[] notes = lines.Length > limit ? [$"and {lines.Length - limit} more"] : [];
        return new Page(new Section(Words.Count(lines.Length, "route"), RoutesView.Of(shown), notes));
    }
}
