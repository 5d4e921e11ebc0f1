// make run: the main job on any machine. A ToR, two nodes with a pod each, and a host behind the ToR, in network namespaces; our daemon on
// the nodes; pods that ping across. With a terminal it shows the lab live until Ctrl-C; without one, or with --once, it checks and ends.
// --no-bird makes the ToR our daemon too, as on a machine without BIRD.
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Calico.Bgp.Lab;
using Spectre.Console;

[assembly: SupportedOSPlatform("linux")]

var once = args.Contains("--once") || Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Ansi;
var bgpd = Path.GetFullPath(args.SkipWhile(word => word != "--bgpd").Skip(1).FirstOrDefault() ?? "out/bgpd");

if (Requirements.Missing(bgpd) is { } missing) return Failed(missing);

using var stop = new CancellationTokenSource();
PosixSignalRegistration[] caught =
    [Catch(PosixSignal.SIGINT), Catch(PosixSignal.SIGTERM), Catch(PosixSignal.SIGHUP), Catch(PosixSignal.SIGQUIT)];
var code = 0;
try
{
    code = await RunAsync(new(bgpd, withBird: !args.Contains("--no-bird")));
}
catch (OperationCanceledException)
{
    if (once) code = Failed("Interrupted.");
}
catch (MachineException) when (stop.IsCancellationRequested) // Ctrl-C reaches the programs that we run, too
{
    if (once) code = Failed("Interrupted.");
}
catch (MachineException problem)
{
    code = Failed(problem.Message);
}
catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
{
    code = Failed($"The lab works in {Leftovers.Folders} and {Leftovers.Spaces}, and could not: {problem.Message}");
}
foreach (var one in caught) one.Dispose();
return code;

async Task<int> RunAsync(Topology lab)
{
    try
    {
        Console.WriteLine("Making six network namespaces and starting three daemons (a few seconds) ...");
        await lab.BuildAsync(stop.Token);
        if (once) return await Checks.RunAsync(lab, stop.Token) ? 0 : 1;
        await Screen.ShowAsync(lab, stop.Token);
        return 0;
    }
    finally
    {
        await lab.DisposeAsync();
        Console.WriteLine("The lab is gone: no namespace, process or file of it is left.");
    }
}

static int Failed(string why)
{
    Console.Error.WriteLine(why);
    return 1;
}

PosixSignalRegistration Catch(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
{
    context.Cancel = true;
    stop.Cancel();
});
