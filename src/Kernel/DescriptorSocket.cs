using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel;

/// <summary>
/// A Unix socket to another process, over which descriptors go as well as octets (unix(7), SCM_RIGHTS): System.Net.Sockets knows no such
/// messages. A process that we start inherits its end by number, as it does systemd's sockets (sd_listen_fds(3)).
/// </summary>
public sealed class DescriptorSocket : IDisposable
{
    /// <summary>SCM_MAX_FD is 253 (net/scm.h).</summary>
    private const int AtATime = 200;
    /// <summary>struct cmsghdr on 64 bits: length (64), level (32), type (32).</summary>
    private const int HeaderOctets = 16, DescriptorOctets = 4;

    public DescriptorSocket(int descriptor)
    {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC);
        Socket = new(new SafeSocketHandle(descriptor, ownsHandle: true));
    }

    /// <summary>For octets.</summary>
    public Socket Socket { get; }

    /// <summary>Our end, and the number of the other one, which a process that is started now inherits: to be closed here then.</summary>
    /// <exception cref="Win32Exception">The kernel gives no sockets.</exception>
    public static unsafe (DescriptorSocket Ours, SafeHandle Theirs) Pair()
    {
        var both = stackalloc int[2];
        Check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), "socketpair");
        Check(fcntl(both[1], F_SETFD, 0), "fcntl(F_SETFD)");
        return (new(both[0]), new SafeSocketHandle(both[1], ownsHandle: true));
    }

    /// <summary>Memory that has no name in any file system, and can be handed on.</summary>
    /// <exception cref="Win32Exception">The kernel gives none.</exception>
    public static unsafe FileStream Memory(string name)
    {
        fixed (byte* first = Encoding.UTF8.GetBytes(name + '\0'))
            return new(new SafeFileHandle(Check(memfd_create(first, MFD_CLOEXEC), "memfd_create"), true), FileAccess.ReadWrite, 0);
    }

    /// <exception cref="IOException">The other end is closed.</exception>
    public async Task SendAsync(IReadOnlyList<SafeHandle> all, CancellationToken stop)
    {
        for (var at = 0; at < all.Count; at += AtATime)
        {
            var some = all.Skip(at).Take(AtATime).Select(handle => (int)handle.DangerousGetHandle()).ToArray();
            while (!TrySend(some)) await Task.Delay(1, stop);
        }
    }

    /// <exception cref="IOException">The other end is closed, or sends something else.</exception>
    public async Task<int[]> ReceiveAsync(int count, CancellationToken stop)
    {
        var all = new List<int>();
        while (all.Count < count)
        {
            // A descriptor comes with an octet: none is read before it is there.
            await Socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, stop);
            if (!TryReceive(all)) await Task.Delay(1, stop);
        }
        return [.. all];
    }

    private unsafe bool TrySend(int[] some)
    {
        var control = new byte[Aligned(HeaderOctets + DescriptorOctets * some.Length)];
        MemoryMarshal.Write(control, (long)(HeaderOctets + DescriptorOctets * some.Length));
        MemoryMarshal.Write(control.AsSpan(8), SOL_SOCKET);
        MemoryMarshal.Write(control.AsSpan(12), SCM_RIGHTS);
        MemoryMarshal.AsBytes(some.AsSpan()).CopyTo(control.AsSpan(HeaderOctets));
        byte octet = 0;
        fixed (byte* rights = control)
        {
            var part = new iovec { iov_base = &octet, iov_len = 1 };
            var message = new msghdr { msg_iov = &part, msg_iovlen = 1, msg_control = rights, msg_controllen = control.Length };
            return sendmsg((int)Socket.Handle, &message, MSG_NOSIGNAL) == 1 || IsOnlyLate("sendmsg");
        }
    }

    private unsafe bool TryReceive(List<int> into)
    {
        var room = Aligned(HeaderOctets + DescriptorOctets * AtATime);
        var control = stackalloc byte[room];
        byte octet;
        var part = new iovec { iov_base = &octet, iov_len = 1 };
        var message = new msghdr { msg_iov = &part, msg_iovlen = 1, msg_control = control, msg_controllen = room };
        var got = (long)recvmsg((int)Socket.Handle, &message, MSG_CMSG_CLOEXEC);
        if (got < 0) return IsOnlyLate("recvmsg");
        if (got == 0) throw new IOException("expected descriptors, got the end");
        if ((uint)message.msg_controllen < HeaderOctets || *(int*)(control + 8) != SOL_SOCKET || *(int*)(control + 12) != SCM_RIGHTS)
            throw new IOException("expected descriptors, got octets");
        into.AddRange(new ReadOnlySpan<int>(control + HeaderOctets, (int)(*(long*)control - HeaderOctets) / DescriptorOctets));
        return true;
    }

    /// <summary>Always false.</summary>
    private static bool IsOnlyLate(string call)
    {
        var errno = Marshal.GetLastPInvokeError();
        return errno == EAGAIN || errno == EINTR ? false : throw new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(errno)}");
    }

    private static int Aligned(int length) => (length + 7) & ~7;

    private static int Check(int result, string call) =>
        result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call}: {Marshal.GetLastPInvokeErrorMessage()}");

    public void Dispose() => Socket.Dispose();
}
