using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel;

public static class Signals
{
    /// <summary>
    /// Undoes what nohup does: a signal that was ignored when we started the runtime leaves ignored, whatever is registered for it, and
    /// a reload would do nothing without a word. To be called before the registration.
    /// </summary>
    public static unsafe void HeedHangUp()
    {
        // All zeros: SIG_DFL, no flags, nothing blocked.
        sigaction byDefault = default;
        _ = LibC.sigaction(SIGHUP, &byDefault, null);
    }
}
