// Programs of the machine, run to their end.
using System.Diagnostics;

namespace Calico.Bgp.Lab;

internal static class Run
{
    public static async Task<(int Code, string Output)> TryAsync(string program, params string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await errors);
    }

    public static async Task<string> DoAsync(string program, string words)
    {
        var (code, output) = await TryAsync(program, words.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return code == 0 ? output : throw new LabException($"{program} {words} failed: {output.Trim()}");
    }
}
