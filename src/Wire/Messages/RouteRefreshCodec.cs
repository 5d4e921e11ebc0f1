namespace Calico.Bgp.Wire.Messages;

/// <summary>ROUTE-REFRESH (RFC 2918). <paramref name="Subtype"/>: 0 asks for the routes; 1 and 2 bracket the answer (RFC 7313).</summary>
public readonly record struct RouteRefresh(Family Family, byte Subtype = RouteRefresh.Request)
{
    public const byte Request = 0, BeginOfRefresh = 1, EndOfRefresh = 2;
}

/// <summary>
/// ROUTE-REFRESH octets (RFC 2918 section 3; the reserved octet is RFC 7313's subtype). What follows the four octets of a
/// plain request are RFC 5291's filters, which we never negotiate: they are not read, and the request counts.
/// </summary>
//  +----------------+-------------+-----------+
//  | AFI (16)       | Subtype (8) | SAFI (8)  |
//  +----------------+-------------+-----------+
public static class RouteRefreshCodec
{
    private const byte InvalidMessageLength = 1;

    public static byte[] Encode(RouteRefresh refresh)
    {
        var body = new WireWriter(stackalloc byte[4]);
        body.U16(refresh.Family.Afi);
        body.U8(refresh.Subtype);
        body.U8(refresh.Family.Safi);
        return MessageHeader.Wrap(MessageType.RouteRefresh, body.Written);
    }

    /// <param name="body">The message after its header.</param>
    /// <returns>Null: good. Subtypes that nobody defined are the caller's to ignore (RFC 7313 section 5).</returns>
    public static Notification? Decode(ReadOnlySpan<byte> body, out RouteRefresh refresh)
    {
        var reader = new WireReader(body);
        var afi = reader.U16();
        var subtype = reader.U8();
        refresh = new(new(afi, reader.U8()), subtype);
        var bracket = subtype is RouteRefresh.BeginOfRefresh or RouteRefresh.EndOfRefresh;
        return reader.Overrun || (bracket && reader.Left > 0) ? InvalidLength(body) : null;
    }

    // RFC 7313 section 5 asks for the whole message as data; it has to fit a message of 4,096 octets itself.
    private static Notification InvalidLength(ReadOnlySpan<byte> body)
    {
        var message = MessageHeader.Wrap(MessageType.RouteRefresh, body);
        return new(ErrorCode.RouteRefresh, InvalidMessageLength, message.AsMemory(0, Math.Min(message.Length, NotificationCodec.MaxData)));
    }
}
