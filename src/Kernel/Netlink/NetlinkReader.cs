using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Netlink;

/// <summary>
/// Walks the messages of a datagram (or of several, each padded to four octets). Ends at the first length that cannot be.
/// </summary>
internal ref struct NetlinkReader(ReadOnlySpan<byte> octets)
{
    private ReadOnlySpan<byte> left = octets;

    public bool Next(out NetlinkHeader header, out ReadOnlySpan<byte> body)
    {
        body = default;
        if (!MemoryMarshal.TryRead(left, out header)) return false;
        if (header.Length < NetlinkMessage.HeaderOctets || header.Length > left.Length) return false;
        body = left[NetlinkMessage.HeaderOctets..(int)header.Length];
        left = left[Math.Min(NetlinkMessage.Align((int)header.Length), left.Length)..];
        return true;
    }
}

/// <summary>Walks attributes: length and type of 16 bits each, the value, padding to four octets.</summary>
internal ref struct AttributeReader(ReadOnlySpan<byte> octets)
{
    private const ushort TypeMask = 0x3fff; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
    private ReadOnlySpan<byte> left = octets;

    public bool Next(out ushort type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (left.Length < 4) return false;
        int length = MemoryMarshal.Read<ushort>(left);
        if (length < 4 || length > left.Length) return false;
        type = (ushort)(MemoryMarshal.Read<ushort>(left[2..]) & TypeMask);
        value = left[4..length];
        left = left[Math.Min(NetlinkMessage.Align(length), left.Length)..];
        return true;
    }

    /// <summary>A number of 32 bits; 0 where the attribute is shorter.</summary>
    public static uint U32(ReadOnlySpan<byte> value) => MemoryMarshal.TryRead(value, out uint number) ? number : 0;

    /// <summary>The same in the network's order.</summary>
    public static uint BigEndian(ReadOnlySpan<byte> value) => BinaryPrimitives.TryReadUInt32BigEndian(value, out var number) ? number : 0;

    /// <summary>A name, without the NUL behind it.</summary>
    public static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value.TrimEnd((byte)0));

    /// <summary>The first attribute of the type, or nothing.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> attributes, ushort wanted)
    {
        var reader = new AttributeReader(attributes);
        while (reader.Next(out var type, out var value))
            if (type == wanted) return value;
        return default;
    }
}

/// <summary>struct nlmsgerr with the extended acknowledgement's words: the kernel's answer to one request.</summary>
internal readonly ref struct NetlinkAnswer
{
    private const ushort WordsAttribute = 1, OffsetAttribute = 2;                                 // NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS
    private const NetlinkFlags Capped = (NetlinkFlags)0x100, HasAttributes = (NetlinkFlags)0x200; // NLM_F_CAPPED, NLM_F_ACK_TLVS

    /// <summary>0: done.</summary>
    public int Errno { get; }

    /// <summary>Where in the request the attribute stands that the kernel minds; 0 where it does not say.</summary>
    public int Offset { get; }

    private readonly ReadOnlySpan<byte> words;

    public NetlinkAnswer(in NetlinkHeader header, ReadOnlySpan<byte> body)
    {
        Errno = -(int)AttributeReader.U32(body);
        if ((header.Flags & HasAttributes) == 0 || body.Length < 4 + NetlinkMessage.HeaderOctets) return;
        var request = MemoryMarshal.Read<NetlinkHeader>(body[4..]);
        var repeated = (header.Flags & Capped) != 0
            ? NetlinkMessage.HeaderOctets : NetlinkMessage.Align((int)Math.Min(request.Length, 1 << 20));
        if (4 + repeated > body.Length) return;
        var attributes = new AttributeReader(body[(4 + repeated)..]);
        while (attributes.Next(out var type, out var value))
        {
            if (type == WordsAttribute) words = value.TrimEnd((byte)0);
            if (type == OffsetAttribute) Offset = (int)AttributeReader.U32(value);
        }
    }

    /// <summary>As <c>ip</c> would print it: strerror's words, and the kernel's own remark where it made one.</summary>
    public string Words
    {
        get
        {
            var error = Marshal.GetPInvokeErrorMessage(Errno);
            return words.IsEmpty ? error : $"{error}: {System.Text.Encoding.UTF8.GetString(words)}";
        }
    }

    public const string NeedsAdmin = "root or CAP_NET_ADMIN is needed";

    /// <summary>The same, and what to do about it where that is known.</summary>
    public string AdvisedWords => Errno == EPERM ? $"{Words} ({NeedsAdmin})" : Words;
}
