namespace Calico.Bgp.Lab;

/// <summary>
/// All that a lab makes carries its process id in its name. A lab that was killed could not tidy up; the next one finds what belongs to
/// no living process, ends what runs inside, and removes it.
/// </summary>
internal static class Leftovers
{
    public const string Prefix = "cbgp-";

    public static string FolderOf(int pid) => $"/tmp/{Prefix}{pid}";

    public static async Task RemoveAsync()
    {
        if (Directory.Exists("/run/netns"))
            foreach (var name in Directory.GetFiles("/run/netns", Prefix + "*").Select(file => Path.GetFileName(file)!).Where(IsOrphan))
                await RemoveSpaceAsync(name);
        foreach (var folder in Directory.GetDirectories("/tmp", Prefix + "*").Where(folder => IsOrphan(Path.GetFileName(folder))))
            Directory.Delete(folder, true);
    }

    public static async Task RemoveSpaceAsync(string name)
    {
        foreach (var pid in (await Run.TryAsync("ip", "netns", "pids", name)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            await Run.TryAsync("kill", "-KILL", pid);
        await Run.TryAsync("ip", "netns", "del", name);
    }

    private static bool IsOrphan(string name) => int.TryParse(name.Split('-')[1], out var pid) && !Directory.Exists($"/proc/{pid}");
}
