using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl peers</c>: one line a neighbour.</summary>
internal static class PeersView
{
    private static readonly Column[] Columns =
    [
        new("Neighbor"), new("Address"), new("AS", true), new("State"), new("Since"),
        new("IPv4 rcv/acc/adv", true), new("IPv6 rcv/acc/adv", true), new("Last error"),
    ];

    /// <param name="why">The resources ask for none.</param>
    public static Page Of(IReadOnlyList<PeerAnswer> peers, DateTimeOffset now, params IReadOnlyList<string> why)
    {
        if (peers.Count == 0)
            return new Page(new Section(
                null, null,
                [
                    "no peers (peers: in bgpd.yaml, or BGPPeer objects of its sources; one of a peerRange is here once it has called)",
                    .. why.Select(words => new Cell(words, Tone.Bad)),
                ]));
        var grid = new Grid(Columns, [.. peers.Select(peer => Row(peer, now))]);
        Cell[] defaults = [.. peers.SelectMany(Defaults)];
        var errors = peers.Where(peer => LastError(peer, now) != null).ToArray();
        return new Page(new Section(null, grid, defaults)
        {
            Narrow =
            [
                new(null, new(NarrowColumns, [.. peers.Select(peer => Row(Row(peer, now)))])),
                new(null, new(ErrorColumns, [.. errors.Select(peer => Row(peer, now)).Select(row => (Cell[])[row[0], row[^1]])]), defaults),
            ],
        });
    }

    /// <summary>What a peer is called and where it is, and what it does and since when, in a cell each; its last error is
    /// elsewhere.</summary>
    private static Cell[] Row(Cell[] wide) =>
        [Join(wide[0], wide[1]), wide[2], Join(wide[3], wide[4]), .. wide[5..7]];

    private static Cell Join(Cell one, Cell other) => new($"{one.Text} {other.Text}", one.Tone);

    private static readonly Column[] NarrowColumns = [new("Neighbor Address"), Columns[2], new("State Since"), .. Columns[5..7]];

    private static readonly Column[] ErrorColumns = [new("Neighbor"), new("Last error")];

    public static Cell State(PeerAnswer peer) => peer switch
    {
        { Drain: { Stage: "down" } } => new("drained", Tone.Faint),
        { Drain: not null } => new("draining", Tone.Faint),
        { Enabled: false } => new("disabled", Tone.Faint),
        { State: "established" } => new("established", Tone.Good),
        { Kept: not null } => new($"{Words.State(peer.State)}, routes stay", Tone.Bad),
        _ => new(Words.State(peer.State), Tone.Bad),
    };

    public static string Since(PeerAnswer peer, DateTimeOffset now) => $"{(peer.Up ? "up" : "down")} {Words.Span(now - peer.Since)}";

    public static string Address(PeerAnswer peer) => peer switch
    {
        { Interface: null } => peer.Address,
        { Address: "::" } => peer.Interface,
        _ => $"{peer.Address}%{peer.Interface}",
    };

    public static string As(PeerAnswer peer) => peer.As == 0 ? peer.Type : Words.Number(peer.As);

    public static string? LastError(PeerAnswer peer, DateTimeOffset now) =>
        peer.Drain != null ? peer.Message : Fault(peer.LastError, now) ?? (peer.Up ? null : peer.Message);

    public static string? Fault(FaultAnswer? fault, DateTimeOffset now) => fault == null ? null
        : $"{fault.Kind}: {fault.Text}{(fault.Detail == null ? "" : $": {fault.Detail}")} ({Words.Span(now - fault.At)} ago)";

    /// <summary>As the configuration has it, or what RFC 8212 makes of nothing.</summary>
    public static string Import(ChannelAnswer channel) => channel.ImportDefault ? "reject (none configured, RFC 8212)" : channel.Import;

    public static string Export(ChannelAnswer channel) => channel.ExportDefault ? "reject (none configured, RFC 8212)" : channel.Export;

    private static Cell[] Row(PeerAnswer peer, DateTimeOffset now) =>
    [
        new(peer.Name, Tone.Strong), Address(peer), As(peer), State(peer), Since(peer, now),
        Counts(peer, "ipv4"), Counts(peer, "ipv6"), new(LastError(peer, now) ?? "", peer.Up ? Tone.Faint : Tone.Bad),
    ];

    private static Cell Counts(PeerAnswer peer, string family)
    {
        if (peer.Channels.FirstOrDefault(channel => channel.Family == family) is not { } channel) return new("-", Tone.Faint);
        return new($"{channel.Received}/{channel.Accepted}/{channel.Advertised}", channel.Up ? Tone.Plain : Tone.Faint);
    }

    private static IEnumerable<Cell> Defaults(PeerAnswer peer)
    {
        var import = peer.Channels.FirstOrDefault(channel => channel.ImportDefault);
        if (import != null) yield return $"{peer.Name}: import: {Import(import)}";
        var export = peer.Channels.FirstOrDefault(channel => channel.ExportDefault);
        if (export != null) yield return $"{peer.Name}: export: {Export(export)}";
    }
}
