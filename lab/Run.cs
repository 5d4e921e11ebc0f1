// Programs of the machine, run to their end, in the machine's own network namespace or in one of the lab's.
using System.ComponentModel;
using System.Diagnostics;

namespace Calico.Bgp.Lab;

internal static class Run
{
    /// <param name="space">A child is born where the thread is that forks it: no <c>ip netns exec</c>, which wants to mount a /sys,
    /// too.</param>
    /// <exception cref="LabException">The program cannot be started at all.</exception>
    public static Process Start(string? space, string program, params string[] words)
    {
        var start = new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            return space == null ? Process.Start(start)! : Space.Inside(space, () => Process.Start(start)!);
        }
        catch (Win32Exception problem)
        {
            throw new LabException($"The program '{program}' cannot be started: {problem.Message}");
        }
    }

    public static async Task<(int Code, string Output)> TryAsync(string? space, string program, params string[] words)
    {
        using var process = Start(space, program, words);
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await errors);
    }

    /// <summary>iproute2's <c>ip</c>, for what must work.</summary>
    /// <exception cref="LabException">It did not.</exception>
    public static async Task IpAsync(string? space, string words)
    {
        var (code, output) = await TryAsync(space, "ip", words.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        if (code == 0) return;
        var said = output.Trim().ReplaceLineEndings(" ");
        throw new LabException($"'ip {words}' in {space ?? "the machine's namespace"} should have worked, and said: {said}");
    }
}
