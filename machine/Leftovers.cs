namespace Calico.Bgp.Machine;

/// <summary>
/// All that is made here carries our process id in its name. Who was killed could not tidy up; the next one finds what belongs to nobody
/// living, ends what runs inside, and removes it.
/// </summary>
public static class Leftovers
{
    public const string Prefix = "calico-bgp-", Spaces = "/run/netns", Folders = "/tmp";
    private const int Attempts = 3;
    private static readonly Lazy<Task> Swept = new(() => Task.Run(SweepAsync));
    private static int count;

    /// <summary>What everything of a process's begins with.</summary>
    public static string PrefixOf(int process) => $"{Prefix}{process}-";

    /// <summary>A name that nobody had: for a namespace or a folder of ours.</summary>
    public static string NewName(string role) => $"{PrefixOf(Environment.ProcessId)}{Interlocked.Increment(ref count)}{role}";

    /// <summary>Once in a process, and before it makes anything.</summary>
    internal static Task RemoveAsync() => Swept.Value;

    private static async Task SweepAsync()
    {
        if (Directory.Exists(Spaces))
            foreach (var name in Directory.GetFiles(Spaces, Prefix + "*").Select(file => Path.GetFileName(file)!).Where(IsOrphan))
                await RemoveSpaceAsync(name);
        foreach (var folder in Directory.GetDirectories(Folders, Prefix + "*").Where(folder => IsOrphan(Path.GetFileName(folder))))
            RemoveFolder(folder);
    }

    /// <summary>More than once: an impatient second Ctrl-C reaches the <c>ip</c> that is at work, too.</summary>
    /// <exception cref="MachineException">It is still there.</exception>
    internal static async Task RemoveSpaceAsync(string name)
    {
        var said = "";
        for (var attempt = 0; attempt < Attempts && File.Exists(Netns.PathOf(name)); attempt++)
        {
            foreach (var process in await ProcessesAsync(name)) Signals.Send(process, "KILL");
            said = (await Shell.RunAsync("ip", "netns", "del", name)).Errors;
        }
        if (File.Exists(Netns.PathOf(name)))
            throw new MachineException($"The namespace {name} could not be removed ('ip netns del {name}' does it by hand): {said.Trim()}");
    }

    internal static async Task<int[]> ProcessesAsync(string name) =>
        [.. (await Shell.RunAsync("ip", "netns", "pids", name)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(int.Parse)];

    /// <summary>Another one may sweep at the same time.</summary>
    private static void RemoveFolder(string folder)
    {
        try
        {
            Directory.Delete(folder, true);
        }
        catch (DirectoryNotFoundException) { }
    }

    /// <summary>Process ids come again, ours too: only a living one of us owns what bears its number, and we own nothing yet.</summary>
    private static bool IsOrphan(string name) =>
        int.TryParse(name[Prefix.Length..].Split('-')[0], out var owner) && (owner == Environment.ProcessId || !IsOneOfUs(owner));

    /// <summary>Lab, test run or benchmark: all of them name an assembly of the project in their command line.</summary>
    private static bool IsOneOfUs(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Contains("Calico.Bgp.", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // not there, or it went while we looked (ESRCH)
        }
    }
}
