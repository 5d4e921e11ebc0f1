using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl policy explain</c>.</summary>
internal static class PolicyExplainView
{
    public static Page Of(PolicyExplanationAnswer of) => new(
        new Section(
            Verdict(of.Verdict),
            new Grid(
                [new("Program"), new("Endpoint"), new("Verdict"), new("Tier"), new("Policy"), new("Rule", true), new("Reason")],
                [.. of.Programs.Select(one => (Cell[])
                [
                    one.Program, one.Endpoint, Verdict(one.Verdict), one.Tier, one.Policy,
                    one.Rule is { } rule ? Words.Number(rule) : "", one.Reason,
                ])]),
            [.. (of.Notes ?? []).Select(note => new Cell(note)), .. (of.DependsOn ?? []).Select(fact => new Cell("- " + fact))]),
        new Section(
            new Cell("NAT"), Grid.Facts(("destination", of.Nat.Destination), ("source", of.Nat.Source)), new Cell(of.Nat.Why, Tone.Faint)));

    private static Cell Verdict(string word) => new(word, word switch { "allow" => Tone.Good, "deny" => Tone.Bad, _ => Tone.Plain });
}
