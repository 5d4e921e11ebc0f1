// make run: the main job on any machine. A ToR, two nodes with a pod each, and a host behind the ToR, in network namespaces; our daemon on
// the nodes; pods that ping across. With a terminal it shows the lab live until Ctrl-C; without one, or with --once, it checks and ends.
// --no-bird makes the ToR our daemon too, as on a machine without BIRD.
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Calico.Bgp.Lab;
using Spectre.Console;

[assembly: SupportedOSPlatform("linux")]

var once = args.Contains("--once") || Console.IsOutputRedirected;
var bgpd = Path.GetFullPath(args.SkipWhile(word => word != "--bgpd").Skip(1).FirstOrDefault() ?? "out/bgpd");

if (Requirements.Missing(bgpd) is { } missing)
{
    Console.Error.WriteLine(missing);
    return 1;
}

using var stop = new CancellationTokenSource();
using var interrupted = Catch(PosixSignal.SIGINT);
using var terminated = Catch(PosixSignal.SIGTERM);
using var hungUp = Catch(PosixSignal.SIGHUP);

await Leftovers.RemoveAsync();
var lab = new Topology(bgpd, withBird: !args.Contains("--no-bird"));
try
{
    await lab.BuildAsync(stop.Token);
    if (once) return await Checks.RunAsync(lab, stop.Token) ? 0 : 1;
    await Screen.ShowAsync(lab, stop.Token);
    return 0;
}
catch (OperationCanceledException)
{
    return once ? 1 : 0;
}
catch (LabException problem)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}
finally
{
    await lab.RemoveAsync();
    if (!once) AnsiConsole.MarkupLine("[grey]The lab is gone: no namespace, process or file of it is left.[/]");
}

PosixSignalRegistration Catch(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
{
    context.Cancel = true;
    stop.Cancel();
});
