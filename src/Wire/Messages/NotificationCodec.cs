namespace Calico.Bgp.Wire.Messages;

/// <summary>NOTIFICATION octets (RFC 4271 section 4.5). Anything that has a code and a subcode is one; nothing in it is answered.</summary>
//  +----------+-------------+------------------+
//  | Code (8) | Subcode (8) | Data (the rest)  |
//  +----------+-------------+------------------+
public static class NotificationCodec
{
    /// <summary>A NOTIFICATION may go to a peer that never agreed to long messages.</summary>
    public const int MaxData = MessageHeader.MaxLength - MessageHeader.Octets - 2;

    public static byte[] Encode(Notification notification)
    {
        var data = notification.Data.Span;
        if (data.Length > MaxData) data = data[..MaxData];
        return MessageHeader.Wrap(MessageType.Notification, [(byte)notification.Code, notification.Subcode, .. data]);
    }

    /// <param name="body">The message after its header; what is missing counts as zero.</param>
    public static Notification Decode(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var code = (ErrorCode)reader.U8();
        var subcode = reader.U8();
        return new(code, subcode, reader.Rest().ToArray());
    }
}
