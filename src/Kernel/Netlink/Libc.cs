using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Netlink;

/// <summary>
/// libc is Tmds.LibC's; what it lacks of linux/netlink.h, linux/filter.h and sys/resource.h is here, and nowhere else. System.Net.Sockets
/// does not know AF_NETLINK's addresses, so a netlink socket is made and bound here; once it exists, a <see cref="Socket"/> around its
/// descriptor does everything else, asynchronously too.
/// </summary>
internal static unsafe partial class Libc
{
    /// <summary>RLIMIT_NOFILE (asm-generic/resource.h).</summary>
    public const int DescriptorLimit = 7;

    /// <summary>struct rlimit on 64 bits: the limit that holds, and the one up to which it may be raised.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Limit
    {
        public ulong Current;
        public ulong Most;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    public static partial int GetLimit(int resource, Limit* limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    public static partial int SetLimit(int resource, Limit* limit);

    /// <summary>
    /// NETLINK_ADD_MEMBERSHIP, NETLINK_DROP_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK: of level SOL_NETLINK.
    /// </summary>
    public const int AddMembership = 1, DropMembership = 2, CapAck = 10, ExtAck = 11, StrictCheck = 12;

    /// <summary>struct sockaddr_nl.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct NetlinkAddress
    {
        public ushort Family;
        public ushort Pad;
        public uint Port;
        public uint Groups;
    }

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        public ushort Length;
        public ulong* Instructions;
    }

    /// <summary>A netlink socket in the network namespace of the calling thread, member of <paramref name="groups"/>.</summary>
    /// <exception cref="Win32Exception">The kernel gives no such socket.</exception>
    public static SafeSocketHandle OpenNetlink(NetlinkProtocol protocol, uint groups, out uint port)
    {
        var descriptor = Check(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)protocol), "socket(AF_NETLINK)");
        var made = new SafeSocketHandle(descriptor, true);
        try
        {
            var address = new NetlinkAddress { Family = (ushort)(int)AF_NETLINK, Groups = groups };
            socklen_t length = sizeof(NetlinkAddress);
            Check(bind(descriptor, (sockaddr*)&address, length), "bind(AF_NETLINK)");
            Check(getsockname(descriptor, (sockaddr*)&address, &length), "getsockname(AF_NETLINK)");
            port = address.Port;
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <summary>False where this kernel does not know the option or does not grant it.</summary>
    public static bool TrySetOption(SafeHandle of, int level, int option, int value) =>
        TrySetOption(of, level, option, &value, sizeof(int));

    /// <summary>SO_ATTACH_FILTER: each instruction is a struct sock_filter (code 16, jt 8, jf 8, k 32).</summary>
    public static bool TryAttachFilter(SafeHandle to, ReadOnlySpan<ulong> instructions)
    {
        fixed (ulong* first = instructions)
        {
            var program = new FilterProgram { Length = (ushort)instructions.Length, Instructions = first };
            return TrySetOption(to, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(FilterProgram));
        }
    }

    /// <summary>recv() of what has come already: System.Net.Sockets has no MSG_DONTWAIT. Negative: nothing has, or an error waits, which
    /// is told once.</summary>
    public static int ReceiveWaiting(SafeHandle from, Span<byte> into)
    {
        var held = false;
        try
        {
            from.DangerousAddRef(ref held);
            fixed (byte* octets = into) return (int)recv((int)from.DangerousGetHandle(), octets, into.Length, MSG_DONTWAIT);
        }
        finally
        {
            if (held) from.DangerousRelease();
        }
    }

    private static bool TrySetOption(SafeHandle of, int level, int option, void* value, int length)
    {
        var held = false;
        try
        {
            of.DangerousAddRef(ref held);
            return setsockopt((int)of.DangerousGetHandle(), level, option, value, length) == 0;
        }
        finally
        {
            if (held) of.DangerousRelease();
        }
    }

    private static int Check(int result, string call) =>
        result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call}: {Marshal.GetLastPInvokeErrorMessage()}");
}
