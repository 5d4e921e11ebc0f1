using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl policy lint</c>.</summary>
internal static class PolicyLintView
{
    public static Page Of(PolicyLintAnswer lint) => new(new Section(
        null,
        new Grid(
            [new("Trap"), new("Object"), new("Why")],
            [.. lint.Findings.Select(one => (Cell[])[new(one.Trap, Tone.Bad), one.Object, one.Reason])]),
        [
            .. lint.Findings.Count == 0 ? [new Cell("no traps were found", Tone.Good)] : Array.Empty<Cell>(),
            .. lint.Ssh == null
                ? [new Cell("whether an SSH session would be locked out was not asked: none is known (SSH_CONNECTION)", Tone.Faint)]
                : Array.Empty<Cell>(),
        ]));
}
