// Programs of the machine, run to their end: ip, birdc, vtysh, and the other daemons' own command lines.
using System.Diagnostics;

namespace Calico.Bgp.Conformance.Machine;

internal readonly record struct Answer(int Code, string Output, string Errors)
{
    public bool Good => Code == 0;
}

internal static class Shell
{
    public static async Task<Answer> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new(process.ExitCode, output, await errors);
    }

    /// <summary>For what must work: a failure is a mistake of ours or of the machine, not of the daemon under test.</summary>
    public static async Task<string> DoAsync(string program, params string[] arguments)
    {
        var answer = await RunAsync(program, arguments);
        return answer.Good ? answer.Output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: exit code {answer.Code}\n{answer.Errors}{answer.Output}");
    }

    public static string? Find(string program) =>
        $"/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/frr:{Environment.GetEnvironmentVariable("PATH")}".Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
