using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl status</c>: is it well, and if not, what is missing.</summary>
internal static class StatusView
{
    public static Page Of(StatusAnswer status)
    {
        var facts = Grid.Facts(
            ("state", State(status)),
            ("version", status.Version),
            ("router", $"{status.RouterId}, AS {status.As}"),
            ("started", $"{status.Started:yyyy-MM-dd HH:mm:ss} UTC, {Words.Span(status.Now - status.Started)} ago"),
            ("configured", $"{status.ConfigFile}, {Words.Span(status.Now - status.Reconfigured)} ago"),
            ("last reload", LastReload(status)),
            ("filters", string.Join(", ", status.Filters)),
            ("sessions", Sessions(status.Sessions)),
            ("over limit", status.OverLimit is { } over ? new Cell(string.Join("; ", over.Select(OverLimit)), Tone.Bad) : ""),
            ("listen", status.ListenWaits is { } waits
                ? new Cell($"waits for {string.Join(", ", waits)}: this host does not have it", Tone.Bad) : ""),
            ("drained", status.Drained is { } drained ? $"{string.Join(", ", drained)} (until `bgpctl undrain`)" : null),
            ("ranges", string.Join(", ", (status.Ranges ?? []).Select(range => $"{range.Range}: {range.Sessions} of {range.Limit}"))),
            ("kernel", KernelView.Counts(status.Kernel)),
            ("not in force", status.NotInForce is { } missing ? new Cell(missing, Tone.Bad) : ""),
            ("not saved", status.NotSaved is { } unsaved ? new Cell(unsaved, Tone.Bad) : ""),
            ("policy", status.Policy is { } policy ? Policy(policy) : ""),
            ("services", status.Services is { } services ? Services(services) : ""),
            ("egress", status.Egress is { } egress ? Egress(egress) : ""),
            ("on trial", status.Trial is { } trial ? Trial(trial, status.Now) : ""),
            ("memory", Memory(status.Memory)),
            ("loops", Loops(status.Loops)));
        return new Page([new Section(new Cell(status.HostName), facts), Sources(status), .. Resources(status)]);
    }

    private static string OverLimit(OverLimitAnswer over) =>
        $"{over.Peer} sent more than its prefixLimit of {over.Limit} ({over.Family}), and stays down until "
        + $"`bgpctl peers {over.Peer} enable`, or a higher limit";

    private static Cell Policy(PolicyStatusAnswer policy)
    {
        if (policy.Waits is { } why) return new Cell($"waits: {why}", Tone.Bad);
        var astray = policy.WithoutInterface == 0 ? null
            : $"{Words.Count(policy.WithoutInterface, "workload")} without an interface of the expected name (bgpctl policy lint)";
        if (policy.Problems.Count > 0)
            return new Cell(
                Words.Joined("; ", [.. policy.Problems.Select(problem => $"{problem.Policy}: {problem.Reason}"), astray]), Tone.Bad);
        return new Cell(
            Words.Joined("; ", $"{policy.Policies} enforced on {Words.Count(policy.Workloads, "workload")} and "
                + Words.Count(policy.Hosts, "host endpoint"), astray), astray == null ? Tone.Plain : Tone.Bad);
    }

    private static Cell Services(ServicesStatusAnswer services)
    {
        const string where = "(bgpctl cnat show translation)";
        if (services.Waits is { } why) return new($"waits: {why}", Tone.Bad);
        var count = Words.Count(services.Translations, "translation");
        if (services.Waiting > 0) count += $", of which {services.Waiting} {(services.Waiting == 1 ? "waits" : "wait")}";
        if (services.Problems.Count == 0) return new(services.Waiting > 0 ? $"{count} {where}" : count);
        // What shuts people out is never behind "more".
        var shown = Math.Max(1, services.NodeTaken?.Count ?? 0);
        var more = services.Problems.Count > shown ? $"; and {services.Problems.Count - shown} more {where}" : "";
        return new($"{count}; {string.Join("; ", services.Problems.Take(shown))}{more}", Tone.Bad);
    }

    private static Cell Egress(EgressStatusAnswer egress)
    {
        if (egress.Waits is { } why) return new($"waits: {why}", Tone.Bad);
        var gateways = Words.Count(egress.Gateways, "gateway");
        if (egress.Refused is [var refused, ..])
            gateways += $"; the kernel refuses {refused}"
                + (egress.Refused.Count > 1 ? $" and {egress.Refused.Count - 1} more (bgpctl egress)" : "");
        if (egress.Blocked.Count == 0) return new(gateways, egress.Refused == null ? Tone.Plain : Tone.Bad);
        var more = egress.Blocked.Count > 1 ? $" and {Words.Count(egress.Blocked.Count - 1, "more pod")} (bgpctl egress)" : "";
        return new($"{gateways}; blocked: {egress.Blocked[0].Pod}: {egress.Blocked[0].Reason}{more}", Tone.Bad);
    }

    /// <summary>What lies over the sources, and how long.</summary>
    private static Cell Trial(TrialAnswer trial, DateTimeOffset now)
    {
        string Names(bool confirmed) => string.Join(", ", trial.Objects.Where(one => one.IsConfirmed == confirmed)
            .Select(one => one.Object + (one.IsMasking ? " (its source says something else since)" : "")));
        return new(
            Words.Joined("; ", trial.Until is { } until
                ? $"{Names(confirmed: false)}: taken back in {Words.Span(until - now)} unless it is confirmed" : null,
                Names(confirmed: true) is { Length: > 0 } confirmed ? $"{confirmed}: confirmed, until the next start" : null), Tone.Strong);
    }

    private static IEnumerable<Section> Resources(StatusAnswer status)
    {
        if (status.Sources != null) yield return new(null, ResourceSources(status.Sources, status.Now));
        if (status.Resources is not { } resources) yield break;
        yield return new(
            new Cell($"resources of {resources.Node}, as Calico {resources.Compat}"),
            resources.Problems.Count == 0 ? null : Problems(resources),
            resources.Problems.Count == 0 ? "no problems" : new Cell(Words.Count(resources.Problems.Count, "problem"), Tone.Bad));
    }

    /// <summary>An error that is over is one of a source that is in sync.</summary>
    private static Grid ResourceSources(IReadOnlyList<SourceAnswer> sources, DateTimeOffset now) => new(
        [new("Resources from"), new("Kind"), new("State"), new("Objects"), new("Heard", true), new("Last error")],
        [.. sources.Select(source => (Cell[])
        [
            source.Name, source.Kind, InSync(source, now), string.Join(", ", source.Objects.Select(kind => $"{kind.Value} {kind.Key}")),
            source.Lag is { } lag ? $"{Words.Span(TimeSpan.FromSeconds(lag))} ago" : "",
            source.LastError is { } error
                ? new Cell($"{error.Message} ({Words.Span(now - error.At)} ago)", source.InSyncSince == null ? Tone.Bad : Tone.Plain) : "",
        ])]);

    private static Cell InSync(SourceAnswer source, DateTimeOffset now) => source.Withheld is { } withheld
        ? new($"{Words.Count(withheld.Files, "file")} not believed yet: gone, with less in them, or half written; believed in "
            + $"{Words.Span(Positive(withheld.Until - now))}, unless they change again", Tone.Bad)
        : source.InSyncSince is { } since
        ? new($"in sync {Words.Span(now - since)}", Tone.Good)
        : new(source.Lag == null ? "not read yet" : "not in sync", Tone.Bad);

    private static TimeSpan Positive(TimeSpan left) => left > TimeSpan.Zero ? left : TimeSpan.Zero;

    private static Grid Problems(ResourcesAnswer resources) => new(
        [new("Object"), new("Field"), new("Reason"), new("Where")],
        [.. resources.Problems.Select(problem => (Cell[])
        [
            problem.Object, problem.Field, new(ReasonOf(problem), problem.Refused ? Tone.Bad : Tone.Plain),
            problem.Line is > 0 ? $"{problem.File}:{problem.Line}" : problem.File ?? "",
        ])]);

    private static string ReasonOf(ProblemAnswer problem) => problem.WithoutEffect
        ? $"{problem.Reason} (no good version of it is known: it has no effect)" : problem.Reason;

    private static Cell State(StatusAnswer status) => status switch
    {
        { ShuttingDown: true } => new("shutting down", Tone.Bad),
        { Ready: true } when status is { NotInForce: not null } or { Policy.Waits: not null } or { Services.Waits: not null }
            or { Egress.Waits: not null } => new("ready for routes; not all that bgpd.yaml asks for is in force (below)", Tone.Bad),
        { Ready: true, Services.NodeTaken: not null } =>
            new("ready for routes; translations take what this node is reached or kept by (services, below)", Tone.Bad),
        { Ready: true, Kernel.Refused: > 0 } => new("ready, but the kernel refuses routes (bgpctl kernel says why)", Tone.Bad),
        { Ready: true } => new("ready", Tone.Good),
        _ => new($"not ready: {status.NotReadyBecause}", Tone.Bad),
    };

    /// <summary>Its error names the file and the place, as a compiler would.</summary>
    private static Cell LastReload(StatusAnswer status) => status.LastReload switch
    {
        null => "",
        { Error: { } error } last => new Cell(
            $"refused {Words.Span(status.Now - last.At)} ago, what was in force stays: {error.Message}", Tone.Bad),
        var last => new Cell($"taken {Words.Span(status.Now - last.At)} ago"),
    };

    /// <summary>Each of them is in --json; here the one that was at work longest on one thing, which is who keeps others waiting.</summary>
    private static Cell Loops(IReadOnlyList<LoopAnswer> loops)
    {
        if (loops.FirstOrDefault(loop => loop.Failed) is { } failed)
            return new($"{failed.Name} {failed.Of}".Trim() + " has ended on a defect", Tone.Bad);
        if (loops.MaxBy(loop => loop.LongestTurn) is not { } slowest) return "";
        var defects = loops.Sum(loop => loop.Defects);
        var count = Words.Count(loops.Count, "loop");
        return new(
            $"{count}, longest turn {slowest.LongestTurn * 1000:0} ms ({$"{slowest.Name} {slowest.Of}".Trim()}), "
            + Words.Count(defects, "defect"),
            defects > 0 ? Tone.Bad : Tone.Plain);
    }

    private static string Sessions(SessionsAnswer sessions) =>
        $"{sessions.Established} of {sessions.Enabled} established ({sessions.Configured} configured)";

    private static string Memory(MemoryAnswer memory) =>
        $"{Words.Octets(memory.Resident)} resident; tables {Words.Octets(memory.RoutingTables)}, "
        + $"attributes {Words.Octets(memory.RouteAttributes)}";

    private static Section Sources(StatusAnswer status) => new(null, new Grid(
        [new("Source"), new("Kind"), new("State"), new("Family"), new("Imported", true), new("Exported", true)],
        [.. status.Protocols.SelectMany(Rows)]));

    private static IEnumerable<IReadOnlyList<Cell>> Rows(ProtocolAnswer source)
    {
        var state = source.Up ? new Cell("up", Tone.Good) : new Cell("down", Tone.Bad);
        if (source.Channels.Count == 0) return [[source.Name, source.Kind, state, "", "", ""]];
        return source.Channels.Select(channel => (Cell[])
            [source.Name, source.Kind, state, channel.Family, Words.Number(channel.Accepted), Words.Number(channel.Advertised)]);
    }
}
