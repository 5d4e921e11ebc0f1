using System.ComponentModel;
using System.Diagnostics;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>Runs the programs that the kernel's state is checked with.</summary>
internal static class Shell
{
    public static string Run(string program, string arguments, string? input = null)
    {
        var (code, output, errors) = Start(program, arguments, input);
        return code == 0 ? output : throw new InvalidOperationException($"{program} {arguments}: {code}: {errors}{output}");
    }

    public static bool Try(string program, string arguments)
    {
        try
        {
            return Start(program, arguments, null).Code == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static (int Code, string Output, string Errors) Start(string program, string arguments, string? input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        if (input != null) process.StandardInput.Write(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
