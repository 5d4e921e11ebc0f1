using System.Runtime.InteropServices;

namespace Calico.Bgp.Kernel;

public static partial class Signals
{
    private const int Sighup = 1;
    private const nint Default = 0;

    /// <summary>
    /// Undoes what nohup does: a signal that was ignored when we started the runtime leaves ignored, whatever is registered for it, and
    /// a reload would do nothing without a word. To be called before the registration (signal(2), SIG_DFL).
    /// </summary>
    public static void HeedHangUp() => _ = Signal(Sighup, Default);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int number, nint handler);
}
