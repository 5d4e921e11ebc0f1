using Calico.Bgp.Control.Bird.Rendering;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Bird.Commands;

/// <summary>
/// <c>show route</c> with its options. A table is one query to the speaker, read in batches and sent as it comes, so that the
/// answer never stands in memory and a slow reader slows its own query only.
/// </summary>
internal sealed class ShowRoute(RouteOptions options) : Command
{
    public static Command? Parse(Tokens tokens) => RouteOptions.Parse(tokens) is { } options ? new ShowRoute(options) : null;

    public override async ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        var tables = options.Tables(with.Speaker);
        if (tables.Count == 0)
        {
            with.Reply.End(ReplyCode.SyntaxError, "No valid tables");
            return;
        }
        var lines = new RouteLines(with, options.All);
        var total = new RouteTally();
        var headings = new Headings(with.Reply, options);
        foreach (var table in tables) total += await ShowAsync(table, lines, headings, with, stop).ConfigureAwait(false);
        End(with.Reply, total, tables.Count, headings);
    }

    private void End(Reply reply, RouteTally total, int tables, Headings headings)
    {
        if (options.OnePrefix && total.Networks == 0) reply.End(ReplyCode.NetworkNotFound, "Network not found");
        else if (!options.CountsShown || tables < 2) reply.End(ReplyCode.Ok);
        else
        {
            if (headings.Any) reply.Line(ReplyCode.Route, "");
            reply.End(ReplyCode.RouteCount, $"Total: {total} in {tables} tables");
        }
    }

    private async ValueTask<RouteTally> ShowAsync(
        IpFamily table, RouteLines lines, Headings headings, Conversation with, CancellationToken stop)
    {
        var tally = new RouteTally();
        var sieve = options.Sieve(with);
        await foreach (var batch in with.Speaker.Routes(options.Query(table), stop).WithCancellation(stop).ConfigureAwait(false))
        {
            foreach (var route in batch)
            {
                tally.Visit(route);
                if (sieve(route) is not { } shown) continue;
                tally.Shown++;
                if (options.CountOnly) continue;
                headings.Open(table);
                lines.Write(shown);
                await with.Reply.FlushIfEnoughAsync(stop).ConfigureAwait(false);
            }
        }
        if (options.AllCounted(table) is { } everything) await VisitAsync(everything, tally, with, stop).ConfigureAwait(false);
        if (!options.CountsShown) return tally;
        headings.Open(table);
        with.Reply.Line(ReplyCode.Route, $"{tally} in table {Tables.Name(table)}");
        return tally;
    }

    /// <summary>What is shown is compared with all that is there, which a narrower query did not visit.</summary>
    private async ValueTask VisitAsync(RouteQuery everything, RouteTally tally, Conversation with, CancellationToken stop)
    {
        if (options.CountsShown) tally.Forget();
        await foreach (var batch in with.Speaker.Routes(everything, stop).WithCancellation(stop).ConfigureAwait(false))
        {
            foreach (var route in batch) tally.Visit(route);
        }
    }

    /// <summary>A table's heading comes with its first line; an empty line parts it from the table before.</summary>
    private sealed class Headings(Reply reply, RouteOptions options)
    {
        private IpFamily? open;

        public bool Any => open != null;

        public void Open(IpFamily table)
        {
            if (open == table || options.CountOnly) return;
            if (open != null) reply.Line(ReplyCode.Route, "");
            reply.Line(ReplyCode.Route, $"Table {options.TableTitle ?? Tables.Name(table)}:");
            open = table;
        }
    }
}

/// <summary>Routes and prefixes seen, and how many of the routes were shown.</summary>
internal sealed class RouteTally
{
    private Prefix? previous;

    public long Shown { get; set; }
    public long Routes { get; private set; }
    public long Networks { get; private set; }

    public void Visit(RouteView route)
    {
        Routes++;
        if (route.Prefix != previous) Networks++;
        previous = route.Prefix;
    }

    /// <summary>Starts the visits again; what was shown stays.</summary>
    public void Forget()
    {
        (Routes, Networks) = (0, 0);
        previous = null;
    }

    public override string ToString() => $"{Shown} of {Routes} routes for {Networks} networks";

    public static RouteTally operator +(RouteTally a, RouteTally b) =>
        new() { Shown = a.Shown + b.Shown, Routes = a.Routes + b.Routes, Networks = a.Networks + b.Networks };
}
