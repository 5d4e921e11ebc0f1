// --watch: bgpd tells when something has changed; on a terminal the page is drawn over the one before, elsewhere it is printed
// anew, and with --json each change is one line.

using Calico.Bgp.Bgpctl.Views;
using Spectre.Console;

namespace Calico.Bgp.Bgpctl;

internal sealed class Watcher(Daemon daemon, Screen screen, bool json)
{
    /// <param name="path">Asked anew after each event; null: the event's own data is the answer.</param>
    public Task PagesAsync(string topic, string? path, Func<string, Page> view, CancellationToken stop) => FollowAsync(
        topic, data => path == null ? Task.FromResult(data) : daemon.GetTextAsync(path, stop), view, stop);

    /// <summary>Counters of peers tell that routes may have changed; the same routes are not shown twice.</summary>
    public Task RoutesAsync(RouteQuery query, int limit, CancellationToken stop) => json
        ? FollowAsync("peers", async _ => string.Concat((await daemon.GetTextAsync(query.Path(lines: false), stop).ConfigureAwait(false)).Split('\n')), null, stop)
        : FollowAsync("peers", _ => daemon.GetTextAsync(query.Path(lines: true), stop), body => Routes(body, limit), stop);

    private async Task FollowAsync(string topic, Func<string, Task<string>> ask, Func<string, Page>? view, CancellationToken stop)
    {
        var changes = ChangesAsync(topic, ask, stop);
        if (json || view == null) await foreach (var body in changes.ConfigureAwait(false)) PrintLine(body);
        else if (screen.Console is { } console) await DrawAsync(console, changes, view).ConfigureAwait(false);
        else await foreach (var body in changes.ConfigureAwait(false)) PrintPage(view(body));
    }

    private async IAsyncEnumerable<string> ChangesAsync(
        string topic, Func<string, Task<string>> ask, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        var before = "";
        await foreach (var data in daemon.EventsAsync(topic, stop).ConfigureAwait(false))
        {
            var body = await ask(data).ConfigureAwait(false);
            if (body == before) continue;
            yield return before = body;
        }
    }

    private static async Task DrawAsync(IAnsiConsole console, IAsyncEnumerable<string> changes, Func<string, Page> view) =>
        await console.Live(new Text("…")).StartAsync(async live =>
        {
            await foreach (var body in changes.ConfigureAwait(false)) live.UpdateTarget(Screen.Drawn(view(body)));
        }).ConfigureAwait(false);

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
        var shown = lines.Take(limit).Select(line => daemon.Read(line, BgpctlJson.Default.RouteAnswer)).ToArray();
        Cell[] notes = lines.Length > limit ? [$"and {lines.Length - limit} more"] : [];
        return new Page(new Section($"{lines.Length} routes", RoutesView.Of(shown), notes));
    }
}
