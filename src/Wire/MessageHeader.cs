using System.Buffers.Binary;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Wire;

/// <summary>RFC 4271 section 4.1, RFC 2918.</summary>
public enum MessageType : byte { Open = 1, Update = 2, Notification = 3, Keepalive = 4, RouteRefresh = 5 }

/// <summary>
/// The 19 octets before every message (RFC 4271 section 4.1) and what is checked in them before anything else is read
/// (section 6.1; RFC 8654 for messages beyond 4,096 octets).
/// </summary>
//  +----------------------------------+
//  | Marker (16 octets of ones)       |
//  +----------------+-----------------+
//  | Length (16)    | Type (8)        |
//  +----------------+-----------------+
public static class MessageHeader
{
    public const int Octets = 19;
    public const int MaxLength = 4096;
    public const int MaxExtendedLength = 65535;

    private const byte NotSynchronized = 1, BadLength = 2, BadType = 3;

    /// <summary>Judges a header; null: good. <paramref name="length"/> is the whole message's.</summary>
    /// <param name="header">At least 19 octets; what follows them is not looked at.</param>
    public static Notification? Check(ReadOnlySpan<byte> header, bool extendedMessages, out MessageType type, out int length)
    {
        length = BinaryPrimitives.ReadUInt16BigEndian(header[16..]);
        type = (MessageType)header[18];
        if (header[..16].ContainsAnyExcept((byte)0xff)) return new(ErrorCode.MessageHeader, NotSynchronized);
        if (length < Octets || length > (extendedMessages ? MaxExtendedLength : MaxLength)) return Length(header);
        if (type is < MessageType.Open or > MessageType.RouteRefresh) return new(ErrorCode.MessageHeader, BadType, new[] { header[18] });
        return Fits(type, length) ? null : Length(header);
    }

    // RFC 8654 section 4: OPEN and KEEPALIVE never grow. A KEEPALIVE is the header alone (RFC 4271 section 4.4).
    private static bool Fits(MessageType type, int length) => type switch
    {
        MessageType.Open => length is >= 29 and <= MaxLength,
        MessageType.Update => length >= 23,
        MessageType.Notification => length >= 21,
        MessageType.Keepalive => length == Octets,
        _ => length >= 23,
    };

    private static Notification Length(ReadOnlySpan<byte> header) =>
        new(ErrorCode.MessageHeader, BadLength, header.Slice(16, 2).ToArray());

    internal static void Write(ref WireWriter into, MessageType type, int length)
    {
        into.U64(ulong.MaxValue);
        into.U64(ulong.MaxValue);
        into.U16((ushort)length);
        into.U8((byte)type);
    }

    /// <summary>A message whose body is known.</summary>
    internal static byte[] Wrap(MessageType type, ReadOnlySpan<byte> body)
    {
        var message = new byte[Octets + body.Length];
        var writer = new WireWriter(message);
        Write(ref writer, type, message.Length);
        writer.Octets(body);
        return message;
    }
}
