using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl policy lint</c>.</summary>
internal static class PolicyLintView
{
    private const string NotAsked = "whether an SSH session would be locked out was not asked: ";

    /// <param name="misunderstood">What the session is said to be, and is not understood.</param>
    public static Page Of(PolicyLintAnswer lint, string? misunderstood) => new(new Section(
        null,
        new Grid(
            [new("Trap"), new("Object"), new("Why")],
            [.. lint.Findings.Select(one => (Cell[])[new(one.Trap, Tone.Bad), one.Object, one.Reason])]),
        [
            .. lint.Findings.Count == 0 ? [new Cell("no traps were found", Tone.Good)] : Array.Empty<Cell>(),
            .. lint.Ssh == null
                ? [misunderstood == null ? new(NotAsked + "none is known (SSH_CONNECTION)", Tone.Faint)
                    : new(NotAsked + misunderstood, Tone.Bad)]
                : misunderstood == null ? Array.Empty<Cell>()
                : [new Cell($"{misunderstood}; asked about was {lint.Ssh}, of a program before", Tone.Bad)],
        ]));
}
