using Calico.Bgp.Wire.Capabilities;

namespace Calico.Bgp.Wire.Messages;

/// <summary>
/// The end of an OPEN: optional parameters (RFC 4271 section 4.2), of which capabilities (RFC 5492) are the only kind left, in
/// the short form or in RFC 9072's, whose lengths have two octets.
/// </summary>
//  +------------+----------+------------+------------------+
//  | Length (8) | Type (8) | Length (8) | Value (variable) |   short: Type, Length, Value as often as there is room
//  +------------+----------+------------+------------------+
//  | 255        | 255      | Length (16) | Type (8) | Length (16) | Value | ...   extended
//  +------------+----------+-------------+----------+-------------+-------+
internal static class OptionalParameters
{
    private const byte Capabilities = 2, Extended = 255;
    private const byte Unspecific = 0, UnsupportedParameter = 4;

    private static readonly Notification Malformed = new(ErrorCode.OpenMessage, Unspecific);
    private static readonly Notification Unsupported = new(ErrorCode.OpenMessage, UnsupportedParameter);

    public static void Encode(CapabilitySet set, ref WireWriter into)
    {
        var block = new WireWriter(new byte[MessageHeader.MaxLength]);
        CapabilityBlock.Encode(set, ref block);
        if (block.Length == 0)
        {
            into.U8(0);
            return;
        }
        // One parameter for all of them; RFC 9072 section 2 keeps its form for what the short one cannot hold.
        if (block.Length + 2 < Extended) EncodeShort(block.Written, ref into);
        else EncodeExtended(block.Written, ref into);
    }

    public static Notification? Decode(ref WireReader open, out CapabilitySet capabilities)
    {
        var builder = new CapabilityBuilder();
        var refusal = DecodeParameters(ref open, builder);
        capabilities = builder.Build();
        return refusal;
    }

    private static void EncodeShort(ReadOnlySpan<byte> block, ref WireWriter into)
    {
        into.U8((byte)(block.Length + 2));
        into.U8(Capabilities);
        into.U8((byte)block.Length);
        into.Octets(block);
    }

    private static void EncodeExtended(ReadOnlySpan<byte> block, ref WireWriter into)
    {
        into.U8(Extended);
        into.U8(Extended);
        into.U16((ushort)(block.Length + 3));
        into.U8(Capabilities);
        into.U16((ushort)block.Length);
        into.Octets(block);
    }

    private static Notification? DecodeParameters(ref WireReader open, CapabilityBuilder into)
    {
        var length = open.U8();
        var parameters = new WireReader(open.Rest());
        // RFC 9072 section 2: the type octet tells the form, whatever the length octet before it says, unless that is zero.
        var extended = length != 0 && parameters.Peek() == Extended;
        if (extended) parameters.U8();
        var expected = extended ? parameters.U16() : length;
        if (open.Overrun || parameters.Overrun || parameters.Left != expected) return Malformed;
        while (parameters.Left > 0)
        {
            var type = parameters.U8();
            var value = parameters.Take(extended ? parameters.U16() : parameters.U8());
            if (parameters.Overrun) return Malformed;
            if (type != Capabilities) return Unsupported;
            if (!CapabilityBlock.Decode(value, into)) return Malformed;
        }
        return null;
    }
}
