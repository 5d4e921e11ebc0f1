using System.Net.Sockets;
using System.Runtime.InteropServices;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Lab;

/// <summary>What the lab cannot do without, said plainly before anything is touched.</summary>
internal static class Requirements
{
    public static string? Missing(string bgpd)
    {
        if (!OperatingSystem.IsLinux()) return "The lab is made of Linux network namespaces; this is not Linux.";
        if (!Environment.IsPrivilegedProcess) return "The lab needs root, to make network namespaces: sudo make run";
        if (!Directory.Exists("/proc/self")) return "The lab needs /proc, which is not there: mount -t proc proc /proc";
        if (Shell.Find("ip") == null) return "The lab needs the program 'ip' (Debian: apt-get install iproute2).";
        if (!Directory.Exists("/proc/sys/net/ipv6")) return "The lab speaks IPv6, which this kernel has switched off (ipv6.disable=1?).";
        if (!File.Exists(bgpd)) return $"There is no daemon at {bgpd}: make build";
        return Refused();
    }

    /// <summary>A root may be without capabilities, as in a container: a namespace that nobody sees, which goes with its thread, tells. Raw
    /// sockets ask for CAP_NET_RAW, /proc/sys must be writable, and <c>ip netns</c> mounts.</summary>
    private static string? Refused()
    {
        string? refused = null;
        var thread = new Thread(() =>
        {
            if (unshare(CLONE_NEWNET) != 0)
                refused = $"The lab may not make network namespaces here, although it is root ({Marshal.GetLastPInvokeErrorMessage()}). "
                    + "In a container it needs --privileged, or CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW.";
            else refused = RefusedInside();
        });
        thread.Start();
        thread.Join();
        return refused;
    }

    private static string? RefusedInside()
    {
        try
        {
            using var raw = new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp);
            File.WriteAllText("/proc/sys/net/ipv4/ip_forward", "1");
            return null;
        }
        catch (SocketException problem)
        {
            return $"The lab's pings need raw sockets (CAP_NET_RAW), which are refused here: {problem.Message}";
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return "The lab sets its namespaces' /proc/sys/net, which cannot be written here "
                + "(read-only, as in an unprivileged container?): "
                + problem.Message;
        }
    }
}
