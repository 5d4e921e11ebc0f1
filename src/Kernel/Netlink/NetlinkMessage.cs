using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Calico.Bgp.Kernel.Netlink;

/// <summary>nlmsg_flags (linux/netlink.h). The same bits mean one thing on requests that read and another on those that write.</summary>
[Flags]
internal enum NetlinkFlags : ushort
{
    None = 0,
    Request = 0x1,
    Multi = 0x2,
    Ack = 0x4,
    Echo = 0x8,
    /// <summary>On answers of a dump: the table changed under it, so it may lack entries.</summary>
    DumpInterrupted = 0x10,
    /// <summary>On reads: everything (NLM_F_ROOT | NLM_F_MATCH).</summary>
    Dump = 0x300,
    /// <summary>On writes, and on notifications of them.</summary>
    Replace = 0x100,
    Exclusive = 0x200,
    Create = 0x400,
    Append = 0x800,
}

/// <summary>nlmsg_type of NETLINK_ROUTE (linux/rtnetlink.h), and of netlink itself below 16.</summary>
internal static class MessageType
{
    public const ushort Error = 2, Done = 3, Overrun = 4;
    public const ushort NewLink = 16, DelLink = 17, GetLink = 18;
    public const ushort NewAddress = 20, DelAddress = 21, GetAddress = 22;
    public const ushort NewRoute = 24, DelRoute = 25, GetRoute = 26;
    public const ushort NewNeighbour = 28, DelNeighbour = 29, GetNeighbour = 30;
    public const ushort NewRule = 32, DelRule = 33, GetRule = 34;
    public const ushort NewNextHop = 104, DelNextHop = 105, GetNextHop = 106;
}

/// <summary>
/// Builds one message, or only its attributes: header, attributes, and nests whose lengths are patched when they close.
/// All numbers of NETLINK_ROUTE are in the machine's order, those of NETLINK_NETFILTER in the network's; addresses are octets.
/// </summary>
internal sealed class NetlinkMessage
{
    public const int HeaderOctets = 16;
    private const ushort NestedFlag = 0x8000;

    private byte[] octets = new byte[128];
    private int length;

    /// <summary>Attributes alone: a part that is copied into many messages.</summary>
    public NetlinkMessage() { }

    public NetlinkMessage(ushort type, NetlinkFlags flags)
    {
        Append(new NetlinkHeader(0, type, flags, 0, 0));
    }

    public static int Align(int length) => (length + 3) & ~3;

    /// <summary>The message's own header, which follows netlink's.</summary>
    public NetlinkMessage Header<T>(in T header) where T : unmanaged
    {
        Append(header);
        return this;
    }

    public NetlinkMessage Attribute(ushort type, ReadOnlySpan<byte> value)
    {
        Append((ushort)(4 + value.Length));
        Append(type);
        var room = Room(Align(value.Length));
        value.CopyTo(room);
        room[value.Length..].Clear();
        return this;
    }

    public NetlinkMessage Attribute(ushort type, uint value) => Attribute(type, MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in value)));

    /// <summary>A number as NETLINK_NETFILTER has them.</summary>
    public NetlinkMessage BigEndian(ushort type, uint value) =>
        Attribute(type, BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value);

    public NetlinkMessage BigEndian(ushort type, ulong value)
    {
        var turned = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
        return Attribute(type, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in turned)));
    }

    /// <summary>A name, with the NUL that the kernel wants behind it.</summary>
    public NetlinkMessage Text(ushort type, string value)
    {
        var count = Encoding.UTF8.GetByteCount(value) + 1;
        Append((ushort)(4 + count));
        Append(type);
        var room = Room(Align(count));
        Encoding.UTF8.GetBytes(value, room);
        room[(count - 1)..].Clear();
        return this;
    }

    /// <summary>Goes on in somebody's room, who has it back as soon as the message has been copied: long ones would leave much behind.
    /// </summary>
    public NetlinkMessage In(byte[] room)
    {
        octets.AsSpan(0, length).CopyTo(room);
        octets = room;
        return this;
    }

    /// <summary>A value without an attribute around it, such as the head of each hop inside RTA_MULTIPATH.</summary>
    public NetlinkMessage Raw<T>(in T value) where T : unmanaged => Header(value);

    /// <summary>A nest that says so: NETLINK_NETFILTER's own tools set the flag, and nft's listings show it.</summary>
    public Nest OpenNested(ushort type) => Open((ushort)(type | NestedFlag));

    public Nest Open(ushort type)
    {
        var start = length;
        Append((ushort)0);
        Append(type);
        return new(this, start);
    }

    /// <summary>For structures whose first 16 bits are their length, as rtnexthop's.</summary>
    public Nest OpenRaw<T>(in T head) where T : unmanaged
    {
        var start = length;
        Append(head);
        return new(this, start);
    }

    /// <summary>Where the next attribute will begin.</summary>
    public int Length => length;

    public ReadOnlySpan<byte> Attributes => octets.AsSpan(0, length);

    /// <summary>The whole message with its length and number written in.</summary>
    public ReadOnlyMemory<byte> Numbered(uint sequence)
    {
        ref var header = ref MemoryMarshal.AsRef<NetlinkHeader>(octets.AsSpan());
        header = header with { Length = (uint)length, Sequence = sequence };
        return octets.AsMemory(0, length);
    }

    private void Append<T>(in T value) where T : unmanaged => MemoryMarshal.Write(Room(Unsafe.SizeOf<T>()), value);

    private Span<byte> Room(int count)
    {
        if (length + count > octets.Length) Array.Resize(ref octets, Math.Max(octets.Length * 2, length + count));
        length += count;
        return octets.AsSpan(length - count, count);
    }

    internal readonly ref struct Nest(NetlinkMessage message, int start)
    {
        public void Dispose() => MemoryMarshal.Write(message.octets.AsSpan(start), (ushort)(message.length - start));
    }
}

/// <summary>struct nlmsghdr.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct NetlinkHeader(uint Length, ushort Type, NetlinkFlags Flags, uint Sequence, uint Port);
