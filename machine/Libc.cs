using System.Runtime.InteropServices;

namespace Calico.Bgp.Machine;

/// <summary>The one call that neither .NET nor Tmds.LibC makes for us.</summary>
internal static class Libc
{
    /// <summary>kill(2), whose answer nobody needs: it fails where the process is gone already, which is what is wanted.</summary>
    [DllImport("libc", EntryPoint = "kill")]
    public static extern void Signal(int process, int signal);
}
