// The lab on a terminal: sessions, pings, routes and what has changed, refreshed each second until Ctrl-C. On 80 columns and 24 lines
// everything but the tables of routes is seen; they come where there is room.
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Calico.Bgp.Lab;

internal static class Screen
{
    /// <summary>Title, the hints, the headings of the changes and of the routes, and the blank line above each.</summary>
    private const int OtherLines = 7;
    private const int LeastChanges = 2, WidthOfRoutes = 120;

    private sealed record Seen(
        RouterView Router, IReadOnlyList<SessionLine> Sessions, SortedDictionary<string, string> Routes, int InKernel);

    public static Task ShowAsync(Topology lab, CancellationToken stop) =>
        AnsiConsole.Live(Text.Empty).Overflow(VerticalOverflow.Crop).Cropping(VerticalOverflowCropping.Bottom).StartAsync(async context =>
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
        var asked = Task.WhenAll(lab.Routers.Select(AskAsync));
        var times = await Task.WhenAll(Reach.All.Select(one => one.AskAsync(lab)));
        var seen = await asked;
        foreach (var one in seen) changes.See(one.Router.Name, one.Sessions, one.Routes);
        return Frame(lab, seen, times, changes, AnsiConsole.Profile.Width, AnsiConsole.Profile.Height);
    }

    private static async Task<Seen> AskAsync(RouterView router) =>
        new(router, await router.SessionsAsync(), await router.RoutesAsync(), (await router.KernelRoutesAsync()).Count);

    /// <summary>What must be seen first; the changes take the lines that are left, and the full tables stand where those are
    /// many.</summary>
    private static Rows Frame(Topology lab, Seen[] seen, double?[] times, Changes changes, int width, int height)
    {
        var sessions = seen.Sum(one => one.Sessions.Count) + 1;
        var tall = seen.Max(one => one.Routes.Count) + 1;
        var left = height - 1 - OtherLines - Math.Max(sessions, times.Length + 1);
        var full = width >= WidthOfRoutes && left >= tall + LeastChanges;
        left -= full ? tall : seen.Length;
        var routes = full ? Beside([.. seen.Select(Routes)]) : (IRenderable)new Rows(seen.Select(Summary));
        return new(
            new Markup("[bold]Calico.Bgp lab[/]  "
                + $"ToR: {(lab.TorIsBird ? "BIRD" : "bgpd")}, nodes: bgpd. [grey]Ctrl-C ends it; nothing is left.[/]"),
            Beside(Sessions(seen), Pings(times)),
            Text.Empty,
            routes,
            new Markup("[bold]what changed[/]"),
            new Rows(changes.Last(Math.Max(left, LeastChanges)).Select(change => OneLine(change, width))),
            Text.Empty,
            new Markup($"[grey]Try: out/bgpctl --socket {lab.Routers[1].Http} peers tor4 disable[/]"),
            new Markup($"[grey]     ip -n {lab.Routers[1].Space.Name} route[/]"));
    }

    private static Table Sessions(Seen[] seen)
    {
        var table = Head("router", "session", "state", "since");
        foreach (var one in seen)
            foreach (var line in one.Sessions)
                table.AddRow(one.Router.Name, line.Name.EscapeMarkup(), State(line), line.Since.Split('.')[0]);
        return table;
    }

    private static Table Pings(double?[] times)
    {
        var table = Head("ping", "to", "ms");
        foreach (var (one, time) in Reach.All.Zip(times))
            table.AddRow($"{one.From}-{one.To}", one.Address, time is { } ms ? $"[green]{ms:0.00}[/]" : "[red]none[/]");
        return table;
    }

    private static Markup Summary(Seen seen) =>
        new($"[bold]{seen.Router.Name}[/] knows {seen.Routes.Count} prefixes; {seen.InKernel} of its routes are in its kernel");

    private static Table Routes(Seen seen)
    {
        var table = Head($"{seen.Router.Name}: prefix", "way");
        foreach (var (prefix, way) in seen.Routes) table.AddRow(prefix, Short(way).EscapeMarkup());
        return table;
    }

    /// <summary>Three tables stand side by side: a gateway says enough without its interface.</summary>
    private static string Short(string way) =>
        way.IndexOf(" on ", StringComparison.Ordinal) is var on and >= 0
            && way.IndexOf(" [", StringComparison.Ordinal) is var end && end > on
            ? way.Remove(on, end - on) : way;

    /// <summary>A line that wraps would push the last ones over the edge.</summary>
    private static Text OneLine(Change change, int width)
    {
        var line = $"{change.When} {change.Sign} {change.Router} {change.What}";
        var color = change.Sign switch { '+' => Color.Green, '-' => Color.Red, _ => Color.Yellow };
        return new(line.Length <= width ? line : line[..(width - 1)] + "…", color);
    }

    private static Grid Beside(params IRenderable[] parts)
    {
        var grid = new Grid();
        foreach (var _ in parts) grid.AddColumn(new GridColumn().PadLeft(0).PadRight(2));
        return grid.AddRow(parts);
    }

    private static Table Head(params string[] columns)
    {
        var table = new Table().Border(TableBorder.None);
        foreach (var column in columns) table.AddColumn(new TableColumn($"[bold]{column}[/]").NoWrap().PadLeft(0).PadRight(1));
        return table;
    }

    private static string State(SessionLine line) =>
        $"[{(line.Up ? "green" : "yellow")}]{(line.Info.Length > 0 ? line.Info.Split(' ')[0] : line.State).EscapeMarkup()}[/]";
}

/// <summary>+ came, - went, ~ is otherwise than before.</summary>
internal sealed record Change(string When, char Sign, string Router, string What);

/// <summary>Compares what a router says with what it said before.</summary>
internal sealed class Changes
{
    private readonly Dictionary<string, SortedDictionary<string, string>> before = [];
    private readonly List<Change> seen = [];

    public IEnumerable<Change> Last(int count) => seen.TakeLast(count);

    public void See(string router, IReadOnlyList<SessionLine> sessions, SortedDictionary<string, string> routes)
    {
        var now = new SortedDictionary<string, string>(routes, StringComparer.Ordinal);
        foreach (var session in sessions) now["session " + session.Name] =
            session.Up ? "Established" : session.Info.Length > 0 ? session.Info : session.State;
        if (before.TryGetValue(router, out var then)) Compare(router, then, now);
        before[router] = now;
    }

    private void Compare(string router, SortedDictionary<string, string> then, SortedDictionary<string, string> now)
    {
        var time = TimeProvider.System.GetLocalNow().ToString("HH:mm:ss");
        foreach (var (what, how) in now)
            if (!then.TryGetValue(what, out var was)) seen.Add(new(time, '+', router, $"{what} {how}"));
            else if (was != how) seen.Add(new(time, '~', router, $"{what}: {was} → {how}"));
        foreach (var what in then.Keys.Where(what => !now.ContainsKey(what))) seen.Add(new(time, '-', router, what));
    }
}
