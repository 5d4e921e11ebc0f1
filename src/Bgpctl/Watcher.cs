// --watch: bgpd tells when something has changed; on a terminal the page is drawn over the one before, elsewhere it is printed
// anew, and with --json each change is one line.

using System.Runtime.CompilerServices;
using Calico.Bgp.Answers;
using Calico.Bgp.Bgpctl.Views;
using Spectre.Console;

namespace Calico.Bgp.Bgpctl;

internal sealed class Watcher(DaemonClient daemon, Screen screen, TimeProvider time, bool json)
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

    private async Task FollowAsync(string topic, Func<string, Task<string>> ask, Func<string, Page> view, CancellationToken stop)
    {
        var changes = ChangesAsync(topic, ask, stop);
        // The line feeds of an array stand between its elements, never inside.
        if (json) await foreach (var body in changes.ConfigureAwait(false)) PrintLine(string.Concat(body.Split('\n')));
        else if (screen.Console is { } console) await DrawAsync(console, changes, view, time, stop).ConfigureAwait(false);
        else await foreach (var body in changes.ConfigureAwait(false)) PrintPage(view(body));
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
            void Draw() => live.UpdateTarget(last == null ? new Text("…") : Screen.Drawn(view(last)));
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

    private void PrintPage(Page page)
    {
        screen.Write(page);
        PrintLine("");
    }

    private Page Routes(string body, int limit)
    {
        var lines = body.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var shown = lines.Take(limit).Select(line => daemon.Read(line, AnswersJson.Default.RouteAnswer)).ToArray();
        Cell[] notes = lines.Length > limit ? [$"and {lines.Length - limit} more"] : [];
        return new Page(new Section(Words.Count(lines.Length, "route"), RoutesView.Of(shown), notes));
    }
}
