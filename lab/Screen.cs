// The lab on a terminal: sessions, routes, pings, and what has changed, refreshed each second until Ctrl-C.
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Calico.Bgp.Lab;

internal static class Screen
{
    private const int ChangesShown = 6;

    public static Task ShowAsync(Topology lab, CancellationToken stop) =>
        AnsiConsole.Live(new Text("…")).AutoClear(false).StartAsync(async context =>
        {
            var changes = new Changes();
            while (!stop.IsCancellationRequested)
            {
                context.UpdateTarget(await FrameAsync(lab, changes));
                context.Refresh();
                await Task.Delay(1000, stop).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        });

    private static async Task<IRenderable> FrameAsync(Topology lab, Changes changes)
    {
        var (sessions, pings) = (Head("router", "session", "since", "state"), Head("from", "to", "address", "ms"));
        var tables = new List<Table>();
        foreach (var router in lab.Routers)
        {
            var lines = await router.SessionsAsync();
            foreach (var line in lines) sessions.AddRow(router.Name, line.Name.EscapeMarkup(), line.Since, State(line));
            var known = await router.RoutesAsync();
            var routes = Head($"{router.Name}: prefix", "way");
            foreach (var (prefix, way) in known) routes.AddRow(prefix, Short(way).EscapeMarkup());
            tables.Add(routes);
            changes.See(router.Name, lines, known);
        }
        foreach (var ping in Ping.All)
            pings.AddRow(ping.From, ping.To, ping.Address, await ping.SendAsync() is { } time ? $"[green]{time:0.00}[/]" : "[red]no answer[/]");
        return new Rows(
            new Markup($"[bold]Calico.Bgp lab[/]  ToR: {(lab.TorIsBird ? "BIRD" : "bgpd")}, nodes: bgpd.  [grey]Ctrl-C ends it and leaves nothing behind.[/]"),
            Beside(sessions, pings), Beside([.. tables]), new Panel(new Rows(changes.Last(ChangesShown).Select(line => new Markup(line)))).Header("what changed").Expand(),
            new Markup($"[grey]Try: birdc -s {lab.Routers[1].Socket} show protocols all tor4   ·   ip -n {lab.Routers[1].Space} route   ·   birdc -s {lab.Routers[0].Socket} disable node1_4[/]"));
    }

    /// <summary>Three tables stand side by side: a gateway says enough without its interface.</summary>
    private static string Short(string way) =>
        way.IndexOf(" on ", StringComparison.Ordinal) is var on and >= 0 && way.IndexOf(" [", StringComparison.Ordinal) is var end && end > on
            ? way.Remove(on, end - on) : way;

    private static Grid Beside(params IRenderable[] parts)
    {
        var grid = new Grid();
        foreach (var _ in parts) grid.AddColumn(new GridColumn().PadRight(0));
        return grid.AddRow(parts);
    }

    private static Table Head(params string[] columns)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns) table.AddColumn(column);
        return table;
    }

    private static string State(SessionLine line) => $"[{(line.Up ? "green" : "yellow")}]{(line.Info.Length > 0 ? line.Info : line.State).EscapeMarkup()}[/]";
}

/// <summary>Compares what a router says with what it said before.</summary>
internal sealed class Changes
{
    private readonly Dictionary<string, SortedDictionary<string, string>> before = [];
    private readonly List<string> seen = [];

    public IEnumerable<string> Last(int count) => seen.Count == 0 ? ["[grey]nothing yet[/]"] : seen.TakeLast(count);

    public void See(string router, IReadOnlyList<SessionLine> sessions, SortedDictionary<string, string> routes)
    {
        var now = new SortedDictionary<string, string>(routes, StringComparer.Ordinal);
        foreach (var session in sessions) now["session " + session.Name] = session.Up ? "Established" : session.Info;
        if (before.TryGetValue(router, out var then)) Compare(router, then, now);
        before[router] = now;
    }

    private void Compare(string router, SortedDictionary<string, string> then, SortedDictionary<string, string> now)
    {
        var time = TimeProvider.System.GetLocalNow().ToString("HH:mm:ss");
        foreach (var (what, how) in now)
            if (!then.TryGetValue(what, out var was)) seen.Add($"{time} {router} [green]+[/] {what} {how.EscapeMarkup()}");
            else if (was != how) seen.Add($"{time} {router} [yellow]~[/] {what} {was.EscapeMarkup()} → {how.EscapeMarkup()}");
        foreach (var what in then.Keys.Where(what => !now.ContainsKey(what))) seen.Add($"{time} {router} [red]-[/] {what}");
    }
}
