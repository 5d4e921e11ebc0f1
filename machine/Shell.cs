// Programs of the machine, run to their end: ip, birdc, vtysh, and the other daemons' own command lines.
using System.ComponentModel;
using System.Diagnostics;

namespace Calico.Bgp.Machine;

/// <summary>How a program ended, and what it said.</summary>
public readonly record struct Answer(int Code, string Output, string Errors)
{
    public bool Good => Code == 0;
}

public static class Shell
{
    /// <exception cref="MachineException">The program cannot be started at all.</exception>
    public static Task<Answer> RunAsync(string program, params string[] words) => RunAsync(null, null, program, words);

    /// <summary>For what must work: a failure is a mistake of ours or of the machine, not of the daemon under test.</summary>
    /// <exception cref="MachineException">It did not.</exception>
    public static Task<string> DoAsync(string program, params string[] words) => DoAsync(null, null, program, words);

    /// <param name="space">Where it runs; null is where we are.</param>
    /// <param name="input">What it reads from its standard input; null: our own.</param>
    /// <param name="program"></param>
    /// <param name="words"></param>
    internal static async Task<Answer> RunAsync(Netns? space, string? input, string program, string[] words)
    {
        using var process = Start(space, new(program, words) { RedirectStandardInput = input != null });
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (input != null)
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        await process.WaitForExitAsync();
        return new(process.ExitCode, await output, await errors);
    }

    internal static async Task<string> DoAsync(Netns? space, string? input, string program, string[] words)
    {
        var answer = await RunAsync(space, input, program, words);
        if (answer.Good) return answer.Output;
        var where = space == null ? "" : $" in {space.Name}";
        throw new MachineException($"'{program} {string.Join(' ', words)}'{where} should have worked, and ended with {answer.Code}: "
            + (answer.Errors + answer.Output).Trim());
    }

    /// <summary>A child is born where the thread is that forks it: no <c>ip netns exec</c>, which wants to mount a /sys, too.</summary>
    internal static Process Start(Netns? space, ProcessStartInfo what)
    {
        (what.RedirectStandardOutput, what.RedirectStandardError) = (true, true);
        try
        {
            return space == null ? Process.Start(what)! : space.Inside(() => Process.Start(what)!);
        }
        catch (Win32Exception problem)
        {
            throw new MachineException($"The program '{what.FileName}' cannot be started: {problem.Message}");
        }
    }

    /// <summary>Names the one folder that has all programs there are. tests/run has one without peers, to see what needs them
    /// skipped.</summary>
    public const string Variable = "CALICO_BGP_PROGRAMS";

    /// <summary>Where a program lies, if it is installed; also where root's folders are not on the path.</summary>
    public static string? Find(string program) => Folders.Split(':').Select(folder => Path.Combine(folder, program))
        .FirstOrDefault(File.Exists);

    private static string Folders => Environment.GetEnvironmentVariable(Variable) ?? "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:"
        + $"/usr/local/bin:/usr/lib/frr:{Environment.GetEnvironmentVariable("PATH")}";
}
