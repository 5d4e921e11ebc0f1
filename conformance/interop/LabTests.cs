using Calico.Bgp.Conformance.Machine;

namespace Calico.Bgp.Conformance.Interop;

/// <summary>What `make run` shows people, run without them.</summary>
public sealed class LabTests
{
    [NeedsFact("ping", "bird")]
    public async Task Pods_reach_each_other_and_the_host_behind_the_ToR_and_nothing_is_left()
    {
        var answer = await Shell.RunAsync("dotnet", LabProgram, "--bgpd", Project.Daemon, "--once");
        Assert.True(answer.Good, answer.Output + answer.Errors);
    }

    private static string LabProgram => Path.Combine(Project.Root, ".artifacts", "bin", "Lab", "debug", "Calico.Bgp.Lab.dll");
}
