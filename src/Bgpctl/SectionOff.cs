namespace Calico.Bgp.Bgpctl;

/// <summary>A section of bgpd.yaml that is missing, off, or not in force: whoever asks for what it does gets one sentence, and exit code 1,
/// whichever section that is.</summary>
internal static class SectionOff
{
    /// <param name="what">As sentences begin with it: <c>NAT is</c>.</param>
    /// <param name="notInForce">Why it cannot be done that bgpd.yaml asks for; null: it does not ask.</param>
    public static Refusal Of(string what, string section, string? notInForce) => new(notInForce is { } why
        ? $"{what} not in force: {why}" : $"{what} off: bgpd.yaml has no section {section}, or {section}.enabled is false");
}
