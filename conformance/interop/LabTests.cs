using System.Diagnostics;
using Calico.Bgp.Conformance.Machine;

namespace Calico.Bgp.Conformance.Interop;

/// <summary>What `make run` shows people, run without them.</summary>
public sealed class LabTests
{
    [NeedsFact("ping", "bird")]
    public Task Pods_reach_each_other_and_the_host_behind_a_BIRD() => RunAsync();

    [NeedsFact("ping")]
    public Task Pods_reach_each_other_and_the_host_behind_our_own_daemon() => RunAsync("--no-bird");

    private static async Task RunAsync(params string[] more)
    {
        using var lab = Process.Start(new ProcessStartInfo("dotnet", [LabProgram, "--bgpd", Project.Daemon, "--once", .. more])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (output, errors) = (lab.StandardOutput.ReadToEndAsync(), lab.StandardError.ReadToEndAsync());
        var (name, said) = ($"cbgp-{lab.Id}", await output + await errors);
        await lab.WaitForExitAsync();
        Assert.True(lab.ExitCode == 0, said);
        Assert.DoesNotContain(name, (await Shell.RunAsync("ip", "netns", "list")).Output);
        Assert.False(Directory.Exists($"/tmp/{name}"), "its folder is left");
    }

    private static string LabProgram => Path.Combine(Project.Root, ".artifacts", "bin", "Lab", "debug", "Calico.Bgp.Lab.dll");
}
