using System.Globalization;
using Calico.Bgp.Answers;
using Calico.Bgp.Bgpctl.Cnat;
using Calico.Bgp.Dataplane.Packets;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl cnat explain</c>: which backend a connection gets, as whom it gets there, and why.</summary>
internal static class CnatExplainView
{
    private const string Several = "one of several addresses, which the kernel chooses";

    public static Page Of(CnatExplanationAnswer told, SaidPacket asked) => new(new Section(
        new Cell(Verdict(told, asked), Tone.Strong), null,
        [
            .. byte.TryParse(asked.Protocol, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? [new("- " + ProtocolNumber.Taken(number))] : Array.Empty<Cell>(),
            .. told.Session is { } session ? [Session(session)] : Array.Empty<Cell>(),
            new("- " + (told.Translation == null && told.Ways.Any(way => way.Backend != null)
                ? "which translation takes it depends on that, too" : Translation(told.Translation, Backend(told)))),
            .. told.TakenIn is { } by
                ? [new($"- it is taken to come in by {by}, by which its source is reached (in INTERFACE: by another)")]
                : Array.Empty<Cell>(),
            .. told.Verdict == "passes" ? [new("- " + Source(told.As, told.SourceTranslated, asked))] : Array.Empty<Cell>(),
            .. told.NoRoute is { } lost
                ? [new($"- no route leads to {lost}: it goes no further than this node", Tone.Bad)] : Array.Empty<Cell>(),
            .. told.Interface is { } link && told.Verdict == "passes" ? [new($"- it leaves by {link}")] : Array.Empty<Cell>(),
            .. told.Ways.Select(way => new Cell("- " + Way(way, asked))),
            .. told.Rule is { } rule ? [new Cell("rule: " + rule, Tone.Faint)] : Array.Empty<Cell>(),
        ]));

    private static string Verdict(CnatExplanationAnswer told, SaidPacket asked) => told.Verdict switch
    {
        "passes" when told.NoRoute != null => $"it would go {(told.Backend is { } lost ? $"to {lost}" : $"on to {asked.Destination}")}, "
            + "and no route leads there",
        "passes" when told.Backend is { } backend => $"it goes to {backend}",
        "passes" when told.SourceTranslated => $"it goes on to {asked.Destination}, as {told.As ?? Several}",
        "passes" => $"it goes on to {asked.Destination} as it is",
        "dropped" => Dropped(told.Rejected) + (told.Backend is { } backend ? $" on its way to {backend}" : ""),
        _ when told.Ways.All(way => way.Verdict == "passes") && told.Ways.Select(way => way.Backend).Distinct().ToArray() is [{ } only] =>
            $"it goes to {only}, and as whom depends on {Facts(told)}",
        _ => $"it depends on {Facts(told)}",
    };

    /// <summary>What nobody has said, each once, without what rules ask of it.</summary>
    private static string Facts(CnatExplanationAnswer told) =>
        string.Join(", ", told.Ways.SelectMany(way => way.DependsOn).Select(one => one.Split(" (")[0]).Distinct());

    private static Cell Session(CnatSessionAnswer one) => new(
        $"session {one.Id} is there ({one.State}): until it ends it goes to {one.Backend}, as {one.As}", Tone.Good);

    private static string Dropped(bool isTold) => isTold ? "it is refused, and its source is told so" : "it is dropped";

    /// <summary>Where it goes, be it by several ways; null: by none.</summary>
    private static string? Backend(CnatExplanationAnswer told) =>
        told.Backend ?? told.Ways.Select(way => way.Backend).OfType<string>().FirstOrDefault();

    private static string Translation(TranslationAnswer? one, string? gets)
    {
        if (one == null) return "no translation takes it";
        var said = one.Translation;
        var how = said.Backends.Count switch
        {
            // What pods of this node and it itself get is no part of the translation as the command line has it.
            0 when gets != null => "has backends for this node and its pods alone",
            0 => "has no backend",
            1 => $"has one backend, {CnatView.Backend(said.Backends[0])}",
            _ when said.Affinity != null => $"has {said.Backends.Count} backends, of which a client keeps its own",
            _ => $"has {said.Backends.Count} backends, of which {(said.Balance == "maglev" ? "Maglev's table" : "the hash")} chooses by "
                + string.Join(", ", said.FlowHash ?? []),
        };
        var but = string.Join("; ", [.. one.Problem is { } problem ? [problem] : Array.Empty<string>(), .. one.Warnings ?? []]);
        return $"translation {one.Id} ({CnatView.Owner(one)}) takes it, and {how}{(but.Length > 0 ? $": {but}" : "")}";
    }

    private static string Source(string? seen, bool isTranslated, SaidPacket asked) => (isTranslated, seen) switch
    {
        (false, _) => $"its source stays {seen ?? asked.Source}",
        (true, null) => $"its source becomes {Several}",
        (true, { } address) => $"its source becomes {address}"
            + (LacksPort(address, asked) ? ", and a port that the kernel chooses" : ""),
    };

    private static bool LacksPort(string address, SaidPacket asked) =>
        asked.Protocol is "tcp" or "udp" or "sctp" or "udplite" && Net.Address.TryParse(address, out _);

    private static string As(CnatWayAnswer way) =>
        way.SourceTranslated ? $", as {way.As ?? Several}" : "";

    private static string Way(CnatWayAnswer way, SaidPacket asked)
    {
        var becomes = way.Verdict switch
        {
            "passes" when way.Backend is { } backend => $"it goes to {backend}{As(way)}",
            "passes" => $"it goes on to {asked.Destination}{(way.SourceTranslated ? As(way) : " as it is")}",
            "dropped" => Dropped(way.Rejected),
            _ => "it cannot be told which way it goes",
        };
        return way.DependsOn.Count == 0 ? becomes : $"{string.Join(", ", way.DependsOn)}: {becomes}";
    }
}
