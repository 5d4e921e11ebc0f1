using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl nat</c>: for each pool what applies to its packets on their way out, and why.</summary>
internal static class NatView
{
    /// <summary>Behind a full table there may be thousands: the HTTP answer has them all.</summary>
    private const int ShownRanges = 4;

    public static Page Of(NatAnswer nat, DateTimeOffset now) => new([
        new Section(null, Grid.Facts(
            ("nat", State(nat)),
            ("table", $"{Words.Count(nat.Table.Transactions, "change")} written; put right {Words.Times(nat.Table.Repairs)} after others"),
            ("cut", nat.ConnectionsCut == 0 ? "" : $"{Words.Count(nat.ConnectionsCut, "connection")}, because pools changed"),
            ("kernel lacks", new Cell(string.Join(", ", nat.Missing), Tone.Bad)))),
        new Section(new Cell("Pools"), new Grid(
            [new("Pool"), new("CIDR"), new("Applies"), new("Why"), new("By the network to")], [.. nat.Pools.Select(Pool)])),
        .. Peers(nat.Peers.Where(peer => peer.Translates).ToArray()),
        Problems(nat.Problems, now),
    ]);

    private static Cell State(NatAnswer nat) => nat.Ready ? new Cell("on", Tone.Good)
        : new Cell("waits for the resources; rules of an earlier run are left as they are", Tone.Bad);

    private static Cell[] Pool(NatPoolAnswer pool) =>
    [
        pool.Name, pool.Cidr, new(pool.Applies, pool.Applies == "no NAT" ? Tone.Faint : Tone.Plain), pool.Why,
        Ranges(pool.ExceptTo),
    ];

    private static string Ranges(IReadOnlyList<string> ranges) =>
        string.Join(", ", ranges.Take(ShownRanges))
        + (ranges.Count > ShownRanges ? $" and {Words.Count(ranges.Count - ShownRanges, "more range")}" : "");

    private static Section[] Peers(NatPeerAnswer[] peers) => peers.Length == 0 ? [] :
    [
        new(new Cell("Peers whose network translates"), new Grid(
            [new("Peer"), new("State")],
            [.. peers.Select(peer => (Cell[])[peer.Name, State(peer)])])),
    ];

    private static Cell State(NatPeerAnswer peer) => peer.Established ? new("established", Tone.Good) : new("down", Tone.Bad);

    private static Section Problems(IReadOnlyList<NatProblemAnswer> problems, DateTimeOffset now) => problems.Count == 0
        ? new(null, null, new Cell("nothing was refused", Tone.Good))
        : new(new Cell("Refused (tried again)"), new Grid(
            [new("Part"), new("The kernel says"), new("Since"), new("Attempts", true)],
            [.. problems.Select(problem => (Cell[])
                [problem.Part, new(problem.Words, Tone.Bad), $"{Words.Span(now - problem.Since)} ago", Words.Number(problem.Attempts)])]));

    public static Page Of(NatExplanationAnswer explanation) => new(new Section(
        new Cell(Verdict(explanation), Tone.Strong), null,
        [
            .. explanation.Steps.Select(step => new Cell("- " + step)),
            .. explanation.Rule is { } rule ? [new Cell("rule: " + rule, Tone.Faint)] : Array.Empty<Cell>(),
        ]));

    private static string Verdict(NatExplanationAnswer explanation)
    {
        if (explanation.Dropped) return "dropped";
        var sent = explanation.Destination is { } to ? $"sent to {to}, its source " : "";
        var what = explanation.Translated switch
        {
            true => $"{sent}translated to {explanation.To}",
            false when explanation.To is { } there => $"{sent}not translated by this node, but to {there}",
            false => $"{sent}not translated by this node",
            null => "it depends on " + string.Join(", ", explanation.DependsOn),
        };
        return explanation is { Translated: not null, Interface: { } link } ? $"{what} (it leaves by {link})" : what;
    }
}
