using System.Buffers.Binary;
using System.Net.Sockets;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Netlink;

/// <summary>The kernel's subsystem at the other end of a netlink socket.</summary>
internal enum NetlinkProtocol { Route = 0, Netfilter = 12 }

/// <summary>
/// A netlink socket. The kernel works a request off inside send(), so its answers wait in the queue when that returns: a writer
/// needs no asynchrony, and at most one batch is ever unanswered. Only a watcher waits.
/// </summary>
internal sealed class NetlinkSocket : IDisposable
{
    /// <summary>
    /// 1 &lt;&lt; (RTNLGRP_… - 1): links 1, neighbours 3, IPv4 addresses 5, routes 7 and rules 8, IPv6 addresses 9, routes 11 and rules 19,
    /// next hops 32.
    /// </summary>
    public const uint AllGroups = 1 << 0 | 1 << 2 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 18 | 1u << 31;

    private readonly Socket socket;
    private uint sequence;

    /// <summary>Our nl_pid: notifications of what this socket has written carry it.</summary>
    public uint Port { get; }

    /// <exception cref="System.ComponentModel.Win32Exception">The kernel gives no such socket.</exception>
    public NetlinkSocket(uint groups, int receiveBuffer, NetlinkProtocol protocol = NetlinkProtocol.Route)
    {
        var handle = Libc.OpenNetlink(protocol, groups, out var port);
        Port = port;
        // Beyond rmem_max where we have CAP_NET_ADMIN, else as much as everybody gets.
        if (!Libc.TrySetOption(handle, SOL_SOCKET, SO_RCVBUFFORCE, receiveBuffer))
            Libc.TrySetOption(handle, SOL_SOCKET, SO_RCVBUF, receiveBuffer);
        Libc.TrySetOption(handle, SOL_SOCKET, SO_SNDBUFFORCE, protocol == NetlinkProtocol.Route ? 1 << 20 : 32 << 20);
        Libc.TrySetOption(handle, SOL_NETLINK, Libc.CapAck, 1);
        Libc.TrySetOption(handle, SOL_NETLINK, Libc.ExtAck, 1);
        Libc.TrySetOption(handle, SOL_NETLINK, Libc.StrictCheck, 1);
        socket = new Socket(handle);
    }

    /// <summary>
    /// Makes the kernel drop notifications of route changes that came through <paramref name="port"/> before they are queued: a million
    /// routes of ours would otherwise come back as a million datagrams. Where the filter is refused they are skipped one by one.
    /// </summary>
    public bool IgnoreRoutesOf(uint port)
    {
        return Libc.TryAttachFilter(socket.SafeHandle,
        [
            Instruction(0x20, 0, 0, 12),                              // load nlmsg_pid
            Instruction(0x15, 0, 3, AsLoaded(port)),                             // another's: keep
            Instruction(0x28, 0, 0, 4),                               // load nlmsg_type
            Instruction(0x15, 2, 0, TypeAsLoaded(MessageType.NewRoute)),
            Instruction(0x15, 1, 0, TypeAsLoaded(MessageType.DelRoute)),
            Instruction(0x06, 0, 0, uint.MaxValue),                   // keep
            Instruction(0x06, 0, 0, 0),                               // drop
        ]);

        static uint TypeAsLoaded(ushort type) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(type) : type;
    }

    /// <summary>
    /// Makes the kernel drop notifications of all that came through <paramref name="port"/>: a table with a hundred thousand elements would
    /// come back, and what others do at the same time would be lost in that. nf_tables puts nobody else's into one datagram with them.
    /// </summary>
    public bool IgnoreAllOf(uint port) => Libc.TryAttachFilter(socket.SafeHandle,
    [
        Instruction(0x20, 0, 0, 12),             // load nlmsg_pid
        Instruction(0x15, 0, 1, AsLoaded(port)), // another's: keep
        Instruction(0x06, 0, 0, 0),              // drop
        Instruction(0x06, 0, 0, uint.MaxValue),  // keep
    ]);

    /// <summary>
    /// Makes the kernel drop news of connections whose packets leave with the source that they came with: of those that it tells this
    /// socket of, the rest is few. It looks for CTA_STATUS (linux/netfilter/nfnetlink_conntrack.h) behind both headers.
    /// </summary>
    public bool HearTranslatedSources() => Libc.TryAttachFilter(socket.SafeHandle,
    [
        Instruction(0x00, 0, 0, 20),             // A: where attributes begin
        Instruction(0x01, 0, 0, 3),              // X: CTA_STATUS
        Instruction(0x30, 0, 0, 0xfffff00c),     // A: where that attribute is (SKF_AD_OFF + SKF_AD_NLATTR)
        Instruction(0x07, 0, 0, 0),              // X = A
        Instruction(0x40, 0, 0, 4),              // load what stands in it
        Instruction(0x45, 0, 1, 1 << 4),         // IPS_SRC_NAT
        Instruction(0x06, 0, 0, uint.MaxValue),  // keep
        Instruction(0x06, 0, 0, 0),              // drop
    ]);

    /// <summary>How many of the kernel's messages have not fitted into the buffer (SO_MEMINFO); null: it does not say.</summary>
    public uint? Dropped
    {
        get
        {
            const int memoryInfo = 55, all = 9, drops = 8; // SO_MEMINFO, SK_MEMINFO_VARS, SK_MEMINFO_DROPS
            var numbers = new byte[all * sizeof(uint)];
            try
            {
                return socket.GetRawSocketOption(SOL_SOCKET, memoryInfo, numbers) == numbers.Length
                    ? BitConverter.ToUInt32(numbers, drops * sizeof(uint)) : null;
            }
            catch (SocketException)
            {
                return null;
            }
        }
    }

    /// <summary>BPF loads in network order what netlink wrote in the machine's.</summary>
    private static uint AsLoaded(uint port) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(port) : port;

    /// <summary>Whether it hears of a group's news from now on.</summary>
    /// <param name="group">By its number, not as a bit.</param>
    public void Hear(int group, bool heard) =>
        Libc.TrySetOption(socket.SafeHandle, SOL_NETLINK, heard ? Libc.AddMembership : Libc.DropMembership, group);

    internal static ulong Instruction(ushort code, byte ifTrue, byte ifFalse, uint value) => BitConverter.IsLittleEndian
        ? (ulong)value << 32 | (ulong)ifFalse << 24 | (ulong)ifTrue << 16 | code
        : (ulong)code << 48 | (ulong)ifTrue << 40 | (ulong)ifFalse << 32 | value;

    /// <summary>Numbers for <paramref name="count"/> messages; the first of them.</summary>
    public uint Sequences(int count)
    {
        var first = sequence + 1;
        sequence += (uint)count;
        return first;
    }

    public SocketError Send(ReadOnlySpan<byte> messages)
    {
        socket.Send(messages, SocketFlags.None, out var error);
        return error;
    }

    public int Receive(Span<byte> into, out SocketError error) => socket.Receive(into, SocketFlags.None, out error);

    /// <summary>What has come already; 0: nothing has.</summary>
    public int ReceiveWaiting(Span<byte> into) => Math.Max(0, Libc.ReceiveWaiting(socket.SafeHandle, into));

    public ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken stop) => socket.ReceiveAsync(into, SocketFlags.None, stop);

    /// <summary>From now on <see cref="Receive"/> answers WouldBlock instead of waiting.</summary>
    public void NeverBlock() => socket.Blocking = false;

    public void Dispose() => socket.Dispose();
}
