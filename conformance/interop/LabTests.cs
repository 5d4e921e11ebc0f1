using System.Diagnostics;

namespace Calico.Bgp.Conformance.Interop;

/// <summary>What `make run` shows people, run without them.</summary>
public sealed class LabTests
{
    [NeedsFact(Needs.Daemon, "bird")]
    public Task Pods_reach_each_other_and_the_host_behind_a_BIRD() => WorksAsync(Start());

    [NeedsFact(Needs.Daemon)]
    public Task Pods_reach_each_other_and_the_host_behind_our_own_daemon() => WorksAsync(Start("--no-bird"));

    [NeedsFact(Needs.Daemon)]
    public async Task The_lab_needs_no_program_of_the_machine_but_ip()
    {
        using var folder = new Scratch("bare");
        File.CreateSymbolicLink(folder.PathOf("ip"), Shell.Find("ip")!);
        var lab = Prepare(Project.Daemon, "--no-bird");
        lab.Environment["PATH"] = folder.Path;
        await WorksAsync(Process.Start(lab)!);
    }

    [NeedsFact(Needs.Daemon)]
    public async Task A_daemon_that_ends_at_once_is_told_in_words_and_leaves_nothing()
    {
        var (lab, code, said) = await EndedAsync(Process.Start(Prepare(Shell.Find("false")!, "--no-bird"))!);
        Assert.Equal(1, code);
        Assert.Contains("tor's bgpd does not answer.", said);
        Assert.DoesNotContain("   at ", said);
        await NothingIsLeftOfAsync(lab);
    }

    [NeedsFact(Needs.Daemon)]
    public async Task A_lab_that_is_told_to_end_half_way_leaves_nothing()
    {
        var lab = Start("--no-bird");
        await BegunAsync(lab);
        Signals.Send(lab.Id, "TERM");
        var (id, code, said) = await EndedAsync(lab);
        Assert.Equal((1, true), (code, said.Contains("Interrupted.", StringComparison.Ordinal)));
        await NothingIsLeftOfAsync(id);
    }

    [NeedsFact(Needs.Daemon)]
    public async Task What_a_killed_lab_leaves_the_next_one_removes()
    {
        var lab = Start("--no-bird");
        await BegunAsync(lab);
        lab.Kill();
        var (killed, _, _) = await EndedAsync(lab);
        Assert.Contains(Leftovers.PrefixOf(killed), await SpacesAsync());
        await WorksAsync(Start("--no-bird"));
        await NothingIsLeftOfAsync(killed);
    }

    private static Process Start(params string[] more) => Process.Start(Prepare(Project.Daemon, more))!;

    private static ProcessStartInfo Prepare(string daemon, params string[] more) =>
        new(Shell.Find("dotnet")!, [LabProgram, "--bgpd", daemon, "--once", .. more])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

    /// <summary>Until one of its namespaces is there.</summary>
    private static Task BegunAsync(Process lab) =>
        Until.TrueAsync("the lab makes its namespaces", async () =>
            (await SpacesAsync()).Contains(Leftovers.PrefixOf(lab.Id), StringComparison.Ordinal));

    private static async Task WorksAsync(Process lab)
    {
        var (id, code, said) = await EndedAsync(lab);
        Assert.True(code == 0, said);
        await NothingIsLeftOfAsync(id);
    }

    private static async Task<(int Id, int Code, string Said)> EndedAsync(Process lab)
    {
        using var ours = lab;
        var (output, errors) = (lab.StandardOutput.ReadToEndAsync(), lab.StandardError.ReadToEndAsync());
        await lab.WaitForExitAsync();
        return (lab.Id, lab.ExitCode, await output + await errors);
    }

    private static async Task NothingIsLeftOfAsync(int lab)
    {
        Assert.DoesNotContain(Leftovers.PrefixOf(lab), await SpacesAsync());
        Assert.Equal([], Directory.GetDirectories(Leftovers.Folders, Leftovers.PrefixOf(lab) + "*"));
    }

    private static async Task<string> SpacesAsync() => (await Shell.RunAsync("ip", "netns", "list")).Output;

    private static string LabProgram => Project.PathOf(".artifacts", "bin", "Lab", "debug", "Calico.Bgp.Lab.dll");
}
