using Calico.Bgp.Net;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Netlink;

/// <summary>AF_INET and AF_INET6, as the kernel's headers carry them.</summary>
internal static class AddressFamilies
{
    public static byte Number(this IpFamily family) => (byte)(int)(family == IpFamily.IPv4 ? AF_INET : AF_INET6);

    public static bool TryRead(int number, out IpFamily family)
    {
        family = number == AF_INET6 ? IpFamily.IPv6 : IpFamily.IPv4;
        return number == AF_INET || number == AF_INET6;
    }
}
