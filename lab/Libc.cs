using System.Runtime.InteropServices;

namespace Calico.Bgp.Lab;

/// <summary>The calls that .NET does not make for us.</summary>
internal static class Libc
{
    /// <summary>CLONE_NEWNET</summary>
    public const int NewNet = 0x40000000;
    public const int Terminate = 15, Kill = 9;

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    public static extern int SetNamespace(int descriptor, int kind);

    [DllImport("libc", EntryPoint = "unshare", SetLastError = true)]
    public static extern int Unshare(int kinds);

    /// <summary>kill(2), whose answer nobody needs: it fails where the process is gone already, which is what is wanted.</summary>
    [DllImport("libc", EntryPoint = "kill")]
    public static extern void Signal(int process, int signal);
}
