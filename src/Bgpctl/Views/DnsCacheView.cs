using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl dns cache</c>: a line for each thing that a name leads to.</summary>
internal static class DnsCacheView
{
    private static readonly Column[] Columns =
        [new("Endpoint"), new("Name"), new("Leads to"), new("TTL", true), new("Seconds left", true), new("Told by"), new("Rules")];

    public static Page Of(DnsCacheAnswer answer) => new(new Section(
        null, answer.Names.Count == 0 ? null : new Grid(Columns, [.. answer.Names.SelectMany(Rows)]),
        [
            .. WhyNone(answer) is { } why ? [new Cell(why, answer.Problem == null ? Tone.Plain : Tone.Bad)] : Array.Empty<Cell>(),
            .. answer.Unheld is { } lack ? [new Cell($"the first packets to a name may be lost: {lack}", Tone.Bad)] : Array.Empty<Cell>(),
        ]));

    private static string? WhyNone(DnsCacheAnswer answer) =>
        WhyUnheard(answer) ?? (answer.Names.Count == 0 ? "nothing is known of it" : null);

    /// <summary>Null: what is asked of the DNS is heard.</summary>
    public static string? WhyUnheard(DnsCacheAnswer answer) =>
        answer.Problem is { } problem ? $"bgpd does not hear what is asked of the DNS: {problem}"
        : !answer.InUse ? "no rule goes by names" : null;

    private static IEnumerable<Cell[]> Rows(DnsNameAnswer name) => name.Aliases.Concat(name.Addresses).Select(target => (Cell[])
    [
        name.Endpoint.Length == 0 ? "-" : name.Endpoint, new(name.Name, Tone.Strong), target.To, Words.Number(target.Ttl),
        Words.Number(target.SecondsLeft), target.Server, name.Allowed ? "some" : "none",
    ]);
}
