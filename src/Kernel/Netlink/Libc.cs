using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Calico.Bgp.Kernel.Netlink;

/// <summary>
/// The only P/Invoke in the tree. System.Net.Sockets does not know AF_NETLINK's addresses, so a netlink socket is made and bound
/// here; once it exists, a <see cref="Socket"/> around its descriptor does everything else, asynchronously too.
/// </summary>
internal static partial class Libc
{
    private const int AfNetlink = 16, SockRaw = 3, SockCloseOnExec = 0x80000;

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
        public nint Instructions;
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(SafeHandle socket, in NetlinkAddress address, int length);

    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    private static partial int GetSocketName(SafeHandle socket, ref NetlinkAddress address, ref int length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(SafeHandle socket, int level, int option, in FilterProgram value, int length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(SafeHandle socket, int level, int option, in int value, int length);

    /// <summary>A netlink socket in the network namespace of the calling thread, member of <paramref name="groups"/>.</summary>
    /// <exception cref="Win32Exception">The kernel gives no such socket.</exception>
    public static SafeSocketHandle OpenNetlink(NetlinkProtocol protocol, uint groups, out uint port)
    {
        var socket = new SafeSocketHandle(Check(OpenSocket(AfNetlink, SockRaw | SockCloseOnExec, (int)protocol), "socket(AF_NETLINK)"), true);
        try
        {
            var address = new NetlinkAddress { Family = AfNetlink, Groups = groups };
            var length = Marshal.SizeOf<NetlinkAddress>();
            Check(Bind(socket, address, length), "bind(AF_NETLINK)");
            Check(GetSocketName(socket, ref address, ref length), "getsockname(AF_NETLINK)");
            port = address.Port;
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>False where this kernel does not know the option or does not grant it.</summary>
    public static bool TrySetOption(SafeHandle socket, int level, int option, int value) => SetOption(socket, level, option, value, sizeof(int)) == 0;

    /// <summary>SO_ATTACH_FILTER: each instruction is a struct sock_filter (code 16, jt 8, jf 8, k 32).</summary>
    public static unsafe bool TryAttachFilter(SafeHandle socket, ReadOnlySpan<ulong> instructions)
    {
        const int solSocket = 1, soAttachFilter = 26;
        fixed (ulong* first = instructions)
        {
            var program = new FilterProgram { Length = (ushort)instructions.Length, Instructions = (nint)first };
            return SetOption(socket, solSocket, soAttachFilter, program, Marshal.SizeOf<FilterProgram>()) == 0;
        }
    }

    private static int Check(int result, string call) =>
        result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call}: {Marshal.GetLastPInvokeErrorMessage()}");
}
