using System.Runtime.InteropServices;
using Calico.Bgp.Bgpctl;

// Who watches ends with Ctrl-C: what was drawn is left as it is, with the cursor that drawing hid. The second one ends it at once.
using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
{
    signal.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
});
return await Commands.RunAsync(args, Screen.OfProcess(), TimeProvider.System, stop.Token).ConfigureAwait(false);
