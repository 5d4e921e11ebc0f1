using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Netlink;

/// <summary>AF_INET and AF_INET6, as the kernel's headers carry them.</summary>
internal static class AddressFamilies
{
    private const byte Inet = 2, Inet6 = 10;

    public static byte Number(this IpFamily family) => family == IpFamily.IPv4 ? Inet : Inet6;

    public static bool TryRead(int number, out IpFamily family)
    {
        family = number == Inet6 ? IpFamily.IPv6 : IpFamily.IPv4;
        return number is Inet or Inet6;
    }
}
