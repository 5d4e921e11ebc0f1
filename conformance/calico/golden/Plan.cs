// bgpctl plan, asked as an operator asks it.
using Calico.Bgp.Conformance.Machine;

namespace Calico.Bgp.Conformance.Golden;

internal static class Plan
{
    private static string Program => Path.Combine(Project.Root, "out", "bgpctl");

    public static string? Missing => File.Exists(Program) ? null : "needs out/bgpctl: make build";
}
