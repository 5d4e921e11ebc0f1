namespace Calico.Bgp.TestMachine;

/// <summary>Where the project's own things lie.</summary>
public static class Project
{
    public static readonly string Root = Find(AppContext.BaseDirectory);
    public static string Daemon => PathOf("out", "bgpd");
    public static string Bgpctl => PathOf("out", "bgpctl");

    /// <summary>systemd's resolver, and the folder of its library: the machine's, or as make peers has unpacked it; null: there is
    /// none.</summary>
    public static (string Program, string Library)? Resolved
    {
        get
        {
            foreach (var folder in (string[])["/usr/lib/systemd", "/lib/systemd", PathOf(".unpacked")])
                if (Path.Combine(folder, "systemd-resolved") is var program && File.Exists(program)) return (program, folder);
            return null;
        }
    }

    /// <summary>Another daemon in the slot of the one under test proves that a test tests what it says: CONFORMANCE_SUBJECT=bird.</summary>
    public static string Subject => Environment.GetEnvironmentVariable("CONFORMANCE_SUBJECT") is { Length: > 0 } name ? name : "bgpd";

    public static string PathOf(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    private static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "Calico.Bgp.sln")) ? folder : Find(Directory.GetParent(folder)!.FullName);
}
