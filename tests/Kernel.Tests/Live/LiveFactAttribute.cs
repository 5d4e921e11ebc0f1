namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>A test against the real kernel, in a network namespace of its own; visibly skipped where that cannot be made.</summary>
public sealed class LiveFactAttribute : FactAttribute
{
    internal static readonly string? Missing = Obstacle();

    public LiveFactAttribute() => Skip = Missing;

    private static string? Obstacle()
    {
        if (!OperatingSystem.IsLinux()) return "needs Linux";
        if (!Environment.IsPrivilegedProcess) return "needs root, for network namespaces";
        if (!Shell.Try("ip", "-V")) return "needs iproute2's ip";
        return Shell.Try("ip", $"netns add kt-probe-{Environment.ProcessId}") && Shell.Try("ip", $"netns del kt-probe-{Environment.ProcessId}")
            ? null : "ip netns add does not work here";
    }
}
