using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel;

/// <summary>How many files and sockets the process may have open.</summary>
public static class Descriptors
{
    /// <summary>
    /// Raises the limit that holds to the one that may be had without asking (getrlimit(2)): the lower one is for programs that use
    /// select(2), and a thousand sessions take more. What cannot be raised stays as it is.
    /// </summary>
    public static unsafe void RaiseLimit()
    {
        Libc.Limit limit;
        if (Libc.GetLimit(Libc.DescriptorLimit, &limit) != 0) return;
        limit.Current = limit.Most;
        _ = Libc.SetLimit(Libc.DescriptorLimit, &limit);
    }
}
