using System.Globalization;
using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl cnat show …</c>: each row begins with the id by which it is removed, or ended.</summary>
internal static class CnatView
{
    /// <summary>Of a row among others: one with a hundred would make all as wide.</summary>
    private const int MostBackends = 4;

    public static Page Of(TranslationsAnswer answer)
    {
        Cell[] problems = [.. answer.Problems.Select(one => new Cell(one, Tone.Bad))];
        if (answer.Translations.Count == 0) return new(new Section(null, null, ["no translations", .. problems]));
        return new(new Section(
            null,
            new Grid(
                [
                    new("Id"), new("Proto"), new("Kind"), new("Address"), new("Port", true), new("To"), new("Balance"), new("Of"),
                    new("State"),
                ],
                [.. answer.Translations.Select(one => Row(one, answer.Translations.Count == 1 ? int.MaxValue : MostBackends))]),
            problems));
    }

    private static Cell[] Row(TranslationAnswer one, int backends)
    {
        var said = one.Translation;
        return
        [
            $"{one.Id}", said.Protocol, said.Real == null ? "vip" : "real", said.Real ?? said.Vip, $"{said.Port}",
            To(one, backends), Balance(said, one.Digest),
            Owner(one), State(one),
        ];
    }

    private static string To(TranslationAnswer one, int most)
    {
        var all = one.Translation.Backends.Count == 0 ? "nobody" : Backends(one.Translation.Backends, most);
        return one.Inside is not { } inside ? all
            : $"{all}; of this node and its pods: {(inside.Count == 0 ? "nobody" : Backends(inside, most))}";
    }

    private static string Backends(IReadOnlyList<BackendBody> all, int most) =>
        all.Count <= most ? string.Join(", ", all.Select(Backend))
            : $"{string.Join(", ", all.Take(most - 1).Select(Backend))} and {all.Count - most + 1} more";

    private static string? Balance(TranslationBody said, string? digest) =>
        said.Affinity is { } seconds ? $"kept for {Words.Span(TimeSpan.FromSeconds(seconds))}"
            : digest == null ? said.Balance : $"{said.Balance} {digest}";

    public static string Owner(TranslationAnswer one) =>
        (one.Name == null ? one.Source : $"{one.Source} ({one.Name})") + (one.Saved ? ", saved" : "")
        + (one.Others is { Count: > 0 } others ? $", and not {string.Join(" or ", others)}" : "");

    public static string Backend(BackendBody one) =>
        $"{one.From}->{one.To}{(one.Weight is null or 1 ? "" : $" weight {one.Weight}")}";

    private static Cell State(TranslationAnswer one) => one is { InForce: true, SecondsLeft: { } seconds }
        ? new($"goes in {Words.Span(TimeSpan.FromSeconds(seconds))}: its Service is gone, and its address withdrawn", Tone.Faint)
        : Waits(one.InForce, one.Problem) is { } words
        ? new(words, one.InForce ? Tone.Bad : Tone.Faint)
        : one.Warnings is { Count: > 0 } ? new("in force (see below)", Tone.Bad) : new("in force", Tone.Good);

    /// <summary>Null: it waits for nothing.</summary>
    public static string? Waits(bool inForce, string? problem) => (inForce, problem) switch
    {
        (_, { } lacks) => $"waits: {lacks}",
        (false, null) => "waits: another has its address, protocol and port",
        _ => null,
    };

    public static Page Of(IReadOnlyList<CnatClientAnswer> answer) => answer.Count == 0 ? Said("no clients") : new(new Section(
        null,
        new Grid(
            [new("Id"), new("Address"), new("Kind"), new("Translations"), new("Sessions", true)],
            [.. answer.Select(one => (Cell[])
                [$"{one.Id}", one.Address, one.Kind, string.Join(", ", one.Translations), Words.Number(one.Sessions)])])));

    public static Page Of(CnatSourceNatAnswer one) => new(new Section(
        null,
        Grid.Facts(
            ("policy", one.Policy), ("addresses", List(one.Addresses)), ("exclude", List(one.Exclude)), ("include", List(one.Include)),
            ("pod", List(one.Pod)), ("host", List(one.Host)), ("rewrite", List(one.Rewrite)),
            ("natOutgoing", string.Join(", ", (one.NatOutgoing ?? []).Select(pool => $"{pool.Name} ({pool.Cidr}, {pool.Applies})")))),
        [
            .. (one.Idle ?? []).Select(words => new Cell(words, Tone.Bad)),
            .. one.Said.Count == 0 ? Array.Empty<Cell>()
                : [new("the command line says: " + string.Join(", ", one.Said.Select(Of)), Tone.Faint)],
        ]));

    private static string List(IReadOnlyList<string> some) => string.Join(", ", some);

    public static string Of(SourceNatEditBody edit) => edit switch
    {
        { What: "address", Remove: true } => $"no address of {(edit.Value.Contains(':') ? "IPv6" : "IPv4")}",
        { Remove: true } => $"no {edit.What} {edit.Value}",
        { To: { } to } => $"{edit.What} {edit.Value} to {to}",
        _ => $"{edit.What} {edit.Value}",
    };

    public static Page Of(CnatMaglevAnswer one) => new(new Section(null, Grid.Facts(
        ("table", $"{Words.Count(one.Length, "place")}, {Words.Count(one.Backends, "backend")}"),
        ("digest", one.Digest),
        ("places each", $"{Words.Number(one.Least)} to {Words.Number(one.Most)}"),
        ("moved when one goes", $"{Percent(one.Moved)} of the others' on average, {Percent(one.MostMoved)} at most, in "
            + Words.Count(one.Tests, "test")))));

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.00} %");

    public static Page Of(CnatSessionsAnswer answer, bool verbose, bool isReturn, DateTimeOffset now)
    {
        if (answer.Count == 0) return Said("no sessions");
        string[] headings = isReturn ? ["From", "To", "Becomes from", "to"] : ["Client", "To", "Backend", "As"];
        Column[] more = verbose ? [new("Age", true), new("Asked", true), new("Answered", true)] : [];
        var left = answer.Count - answer.Sessions.Count;
        return new(new Section(
            null,
            new Grid(
                [
                    new("Id"), new("Translation", true), new("Proto"), .. headings.Select(one => new Column(one)), new("State"),
                    new("Left", true), .. more,
                ],
                [.. answer.Sessions.Select(one => Row(one, verbose, isReturn, now))]),
            [
                .. left > 0 ? [new Cell($"and {Words.Number(left)} more: max {answer.Count} shows all")] : Array.Empty<Cell>(),
                .. verbose ? Uncounted(answer.Sessions) : [],
            ]));
    }

    private static Cell[] Row(CnatSessionAnswer one, bool verbose, bool isReturn, DateTimeOffset now)
    {
        Cell[] ends = isReturn ? [one.Backend, one.As, one.Destination, one.Source] : [one.Source, one.Destination, one.Backend, one.As];
        Cell[] more = verbose ? [one.Since is { } since ? Words.Span(now - since) : "", Of(one.Asked), Of(one.Answered)] : [];
        var by = one.Translation is { } id ? $"{id}" : one.Gone ? "gone" : "snat";
        return [$"{one.Id}", by, one.Protocol, .. ends, one.State, Words.Span(TimeSpan.FromSeconds(one.Left)), .. more];
    }

    private static string Of(CnatCountAnswer? count) =>
        count is { } one ? $"{Words.Count((long)one.Packets, "packet")}, {Words.Octets((long)one.Octets)}" : "";

    /// <summary>Whoever misses counters and ages is told how the kernel gives them.</summary>
    private static IEnumerable<Cell> Uncounted(IReadOnlyList<CnatSessionAnswer> sessions)
    {
        if (sessions.All(one => one.Asked == null))
            yield return new("the kernel counts once net.netfilter.nf_conntrack_acct is 1, for sessions from then on", Tone.Faint);
        if (sessions.All(one => one.Since == null))
            yield return new("the kernel notes ages once net.netfilter.nf_conntrack_timestamp is 1, of sessions from then on", Tone.Faint);
    }

    private static Page Said(string words) => new(new Section(null, null, words));
}
