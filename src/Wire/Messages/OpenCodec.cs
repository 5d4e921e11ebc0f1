using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Messages;

/// <summary>
/// OPEN octets (RFC 4271 section 4.2) and what is wrong with an OPEN whoever sent it (section 6.2, RFC 6286 for the
/// identifier, RFC 7607 for AS 0). Whether it is the peer that we expect is the session's question.
/// </summary>
//  +-------------+
//  | Version (8) |
//  +-------------+--------------+
//  | My AS (16)                 |   AS_TRANS where four octets are needed (RFC 6793 section 9)
//  +----------------------------+
//  | Hold time (16)             |
//  +----------------------------+
//  | BGP identifier (32)        |
//  +-------------+--------------+
//  | Length (8)  | Optional parameters
//  +-------------+--------------+
public static class OpenCodec
{
    private const byte Version = 4;
    private const byte UnsupportedVersion = 1, BadPeerAs = 2, BadIdentifier = 3, UnacceptableHoldTime = 6;

    /// <summary>The whole message, header included.</summary>
    public static byte[] Encode(OpenMessage open)
    {
        var body = new WireWriter(new byte[MessageHeader.MaxLength - MessageHeader.Octets]);
        body.U8(Version);
        body.U16((ushort)(open.MyAs.FitsTwoOctets ? open.MyAs : Asn.Trans).Value);
        body.U16(open.HoldTime);
        body.U32(open.Identifier.Value);
        OptionalParameters.Encode(open.Capabilities, ref body);
        return MessageHeader.Wrap(MessageType.Open, body.Written);
    }

    /// <param name="body">The message after its header.</param>
    /// <returns>Null and a message, or what the peer is to be told. The AS is the capability's where there is one.</returns>
    public static Notification? Decode(ReadOnlySpan<byte> body, out OpenMessage? open)
    {
        open = null;
        var reader = new WireReader(body);
        if (reader.U8() != Version) return new(ErrorCode.OpenMessage, UnsupportedVersion, new byte[] { 0, Version });
        var shortAs = new Asn(reader.U16());
        var holdTime = reader.U16();
        var identifier = new RouterId(reader.U32());
        if (holdTime is 1 or 2) return new(ErrorCode.OpenMessage, UnacceptableHoldTime);
        if (identifier.Value == 0) return new(ErrorCode.OpenMessage, BadIdentifier);
        if (OptionalParameters.Decode(ref reader, out var capabilities) is { } refusal) return refusal;
        var asn = capabilities.FourOctetAs ?? shortAs;
        if (asn.Value == 0 || shortAs.Value == 0) return new(ErrorCode.OpenMessage, BadPeerAs);
        open = new(asn, holdTime, identifier, capabilities);
        return null;
    }
}
