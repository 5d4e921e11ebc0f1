using static Tmds.Linux.LibC;

namespace Calico.Bgp.Lab;

/// <summary>
/// All that a lab makes carries its process id in its name. A lab that was killed could not tidy up; the next one finds what belongs to
/// no living lab, ends what runs inside, and removes it.
/// </summary>
internal static class Leftovers
{
    public const string Prefix = "cbgp-", Spaces = "/run/netns", Folders = "/tmp";
    private const int Attempts = 3;

    public static string FolderOf(int pid) => Path.Combine(Folders, $"{Prefix}{pid}");

    public static async Task RemoveAsync()
    {
        if (Directory.Exists(Spaces))
            foreach (var name in Directory.GetFiles(Spaces, Prefix + "*").Select(file => Path.GetFileName(file)!).Where(IsOrphan))
                await RemoveSpaceAsync(name);
        foreach (var folder in Directory.GetDirectories(Folders, Prefix + "*").Where(folder => IsOrphan(Path.GetFileName(folder))))
            Directory.Delete(folder, true);
    }

    /// <summary>More than once: an impatient second Ctrl-C reaches the <c>ip</c> that is at work, too.</summary>
    /// <exception cref="LabException">It is still there.</exception>
    public static async Task RemoveSpaceAsync(string name)
    {
        var said = "";
        for (var attempt = 0; attempt < Attempts && File.Exists(Space.PathOf(name)); attempt++)
        {
            foreach (var line in (await Run.TryAsync(null, "ip", "netns", "pids", name)).Output.Split('\n'))
                if (int.TryParse(line, out var pid)) Libc.Signal(pid, SIGKILL);
            (_, said) = await Run.TryAsync(null, "ip", "netns", "del", name);
        }
        if (File.Exists(Space.PathOf(name)))
            throw new LabException($"The namespace {name} could not be removed ('ip netns del {name}' does it by hand): {said.Trim()}");
    }

    /// <summary>Process ids come again: only a living lab owns what bears its number.</summary>
    private static bool IsOrphan(string name) => int.TryParse(name.Split('-')[1], out var pid) && !IsLab(pid);

    private static bool IsLab(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Contains(typeof(Leftovers).Assembly.GetName().Name!, StringComparison.Ordinal);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return false; // it went while we looked (ESRCH)
        }
    }
}
