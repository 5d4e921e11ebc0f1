using System.Globalization;
using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl bfd</c>: one line a neighbour that BFD watches.</summary>
internal static class BfdView
{
    private static readonly Column[] Columns =
    [
        new("Neighbor"), new("Interface"), new("State"), new("Since"), new("Interval", true), new("Detection", true),
        new("In/out/discarded", true), new("Losses", true), new("Peers"), new("Last loss"),
    ];

    public static Page Of(IReadOnlyList<BfdAnswer> sessions, DateTimeOffset now) => sessions.Count == 0
        ? new(new Section(null, null, "BFD watches nobody (bfd: of a peer in bgpd.yaml)"))
        : new(new Section(null, new Grid(Columns, [.. sessions.Select(session => Row(session, now))])));

    public static Cell State(string state) => state switch
    {
        "up" => new("up", Tone.Good),
        "adminDown" => new("admin down", Tone.Faint),
        _ => new(state, Tone.Bad),
    };

    public static string Milliseconds(double seconds) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Round(seconds * 1000, 3)} ms");

    public static string? Loss(BfdLossAnswer? loss, DateTimeOffset now) =>
        loss == null ? null : $"{loss.Text} ({Words.Span(now - loss.At)} ago)";

    private static Cell[] Row(BfdAnswer session, DateTimeOffset now) =>
    [
        new(session.Address, Tone.Strong), session.Multihop ? new Cell("multihop", Tone.Faint) : session.Interface, State(session.State),
        Words.Span(now - session.Since), Milliseconds(session.Interval),
        session.DetectionTime == 0 ? new Cell("-", Tone.Faint) : Milliseconds(session.DetectionTime),
        $"{session.PacketsReceived}/{session.PacketsSent}/{session.PacketsDiscarded}", Words.Number(session.Losses),
        string.Join(' ', session.Peers), new(session.Problem ?? Loss(session.LastLoss, now) ?? Theirs(session) ?? "", Tone.Bad),
    ];

    /// <summary>A neighbour that an administrator holds down has lost nothing.</summary>
    private static string? Theirs(BfdAnswer session) => session switch
    {
        { State: "up" } => null,
        { RemoteState: "adminDown" } => "the neighbour is administratively down",
        { PacketsReceived: 0 } => "nothing was heard yet",
        _ => null,
    };
}
