using System.ComponentModel;
using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Bfd;

/// <summary>libc is Tmds.LibC's; what it lacks of sched.h, sys/resource.h and asm-generic/socket.h is here.</summary>
internal static unsafe partial class Libc
{
    /// <summary>SO_BINDTOIFINDEX.</summary>
    public const int BindToInterface = 62;

    /// <summary>IPTOS_PREC_INTERNETCONTROL, which is CS6 too: routers let it pass where other packets wait.</summary>
    public const int NetworkControl = 0xc0;

    /// <summary>TC_PRIO_CONTROL (linux/pkt_sched.h): the first band of our own queues.</summary>
    public const int FirstBand = 7;

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static partial int SetScheduler(int thread, int policy, int* priority);

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int nice);

    /// <summary>
    /// The calling thread goes before all others of the machine that are not real-time threads themselves; threads that it begins do not.
    /// </summary>
    /// <returns>What could be had: that needs CAP_SYS_NICE, or a limit on real-time priorities (RLIMIT_RTPRIO) that allows it.</returns>
    public static string Hurry()
    {
        var least = 1;
        if (SetScheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &least) == 0) return "SCHED_FIFO";
        return SetPriority(0, 0, -20) == 0 ? "nice -20" : "no priority";
    }

    public static int Check(int result, string call) =>
        result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call}: {Marshal.GetLastPInvokeErrorMessage()}");

    public static bool TrySet(int descriptor, int level, int option, int value) =>
        setsockopt(descriptor, level, option, &value, sizeof(int)) == 0;

    /// <summary>struct sockaddr_in or sockaddr_in6; how many octets it has.</summary>
    public static int Write(byte* into, Address address, int port, int scope)
    {
        if (address.IsIPv4)
        {
            *(sockaddr_in*)into = new() { sin_family = AF_INET, sin_port = htons((ushort)port) };
            address.Write(new((byte*)&((sockaddr_in*)into)->sin_addr, 4));
            return sizeof(sockaddr_in);
        }
        *(sockaddr_in6*)into = new() { sin6_family = AF_INET6, sin6_port = htons((ushort)port), sin6_scope_id = (uint)scope };
        address.Write(new((byte*)&((sockaddr_in6*)into)->sin6_addr, 16));
        return sizeof(sockaddr_in6);
    }
}
