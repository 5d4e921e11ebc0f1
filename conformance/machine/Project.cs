namespace Calico.Bgp.Conformance.Machine;

/// <summary>Where the project's own things lie.</summary>
internal static class Project
{
    public static readonly string Root = Find(AppContext.BaseDirectory);
    public static string Daemon => Path.Combine(Root, "out", "bgpd");

    /// <summary>Another daemon in the slot of the one under test proves that a test tests what it says: CONFORMANCE_SUBJECT=bird.</summary>
    public static string Subject => Environment.GetEnvironmentVariable("CONFORMANCE_SUBJECT") is { Length: > 0 } name ? name : "bgpd";

    public static bool IsRoot { get; } = Environment.UserName == "root";

    /// <summary>What <see cref="Netns"/> and whoever runs daemons in it work with.</summary>
    private static readonly string[] Basic = ["ip", "sysctl", "kill"];

    /// <summary>Why a test that needs these programs cannot run here; null when it can.</summary>
    public static string? Missing(params string[] programs)
    {
        if (!IsRoot) return "needs root, for network namespaces";
        if (programs.Concat(Basic).FirstOrDefault(program => Shell.Find(program) == null) is { } absent)
            return $"needs {absent}, which is not installed (make peers)";
        return Subject == "bgpd" && !File.Exists(Daemon) ? "needs out/bgpd: make build" : null;
    }

    private static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "Calico.Bgp.sln")) ? folder : Find(Directory.GetParent(folder)!.FullName);
}
