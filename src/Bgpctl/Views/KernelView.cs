using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl kernel</c>: what of our routes the kernel holds, and what it would not take.</summary>
internal static class KernelView
{
    public static Page Of(KernelAnswer kernel, DateTimeOffset now) => new(
    [
        new Section(null, Grid.Facts(
            ("routes", Counts(kernel.Counts)),
            ("writes", $"{kernel.Counts.Writes}, {kernel.Counts.Failures} failed; {Words.Count(kernel.Counts.Resyncs, "full reading")}"))),
        Refusals(kernel.Refusals, now),
        .. Refused(kernel.RefusedObjects ?? [], now),
        .. Beside(kernel.Beside ?? []),
        new Section(new Cell("Interfaces"), new Grid(
            [new("#", true), new("Name"), new("State"), new("MTU", true), new("MAC"), new("Addresses")],
            [.. kernel.Interfaces.Select(Interface)])),
    ]);

    public static Grid Routes(IReadOnlyList<OwnRouteAnswer> routes) => new(
        [new("Prefix"), new("Wanted"), new("Installed"), new("Problem")], [.. routes.Select(Route)]);

    public static string Counts(KernelCountsAnswer counts) =>
        $"{Installed(counts)}, {counts.Pending} pending, {counts.Refused} refused";

    /// <summary>What is wanted no more stands in the kernel until it has been removed.</summary>
    private static string Installed(KernelCountsAnswer counts) => counts.Installed <= counts.Wanted
        ? $"{counts.Installed} of {counts.Wanted} installed" : $"{counts.Installed} installed, {counts.Wanted} wanted";

    private static Section Refusals(IReadOnlyList<RefusalAnswer> refusals, DateTimeOffset now)
    {
        if (refusals.Count == 0) return new(null, null, new Cell("no route was refused", Tone.Good));
        return new(new Cell("Refused (tried again)"), new Grid(
            [new("Prefix"), new("Via"), new("The kernel says"), new("Since"), new("Attempts", true)],
            [.. refusals.Select(refusal => (Cell[])
                [
                    refusal.Prefix, Target(refusal.Target), new(refusal.Words, Tone.Bad), $"{Words.Span(now - refusal.Since)} ago",
                    Words.Number(refusal.Attempts),
                ])]));
    }

    private static IEnumerable<Section> Refused(IReadOnlyList<ObjectRefusalAnswer> objects, DateTimeOffset now)
    {
        if (objects.Count == 0) yield break;
        yield return new(new Cell("Rules, next hops and links refused (tried again)"), new Grid(
            [new("Object"), new("Of"), new("The kernel says"), new("Since"), new("Attempts", true)],
            [.. objects.Select(refusal => (Cell[])
                [
                    refusal.Object, refusal.Owner, new(refusal.Words, Tone.Bad), $"{Words.Span(now - refusal.Since)} ago",
                    Words.Number(refusal.Attempts),
                ])]));
    }

    private static IEnumerable<Section> Beside(IReadOnlyList<BesideAnswer> routes)
    {
        if (routes.Count == 0) yield break;
        yield return new(new Cell("Others' hops in our routes (they stay)", Tone.Bad), new Grid(
            [new("Prefix"), new("Via"), new("Protocol")],
            [.. routes.Select(route => (Cell[])[route.Prefix, Target(route.Target), route.Protocol ?? "?"])]));
    }

    private static Cell[] Interface(InterfaceAnswer link) =>
    [
        Words.Number(link.Index), link.Name, (link.Up, link.Carrier) switch
        {
            (true, true) => new("up", Tone.Good),
            (true, false) => new("no carrier", Tone.Bad),
            _ => new("down", Tone.Faint),
        },
        Words.Number(link.Mtu), link.Mac, string.Join(' ', link.Addresses),
    ];

    private static Cell[] Route(OwnRouteAnswer route) =>
        [route.Prefix, Target(route.Wanted), Target(route.Installed), new(route.Problem ?? "", Tone.Bad)];

    public static string Target(TargetAnswer? target)
    {
        if (target == null) return "-";
        var metric = target.Metric == 0 ? "" : $" metric {target.Metric}";
        return Words.Via(target.Type, target.NextHops) + metric + (target.Table == 254 ? "" : $" table {target.Table}");
    }
}
