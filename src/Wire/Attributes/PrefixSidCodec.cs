namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// BGP Prefix-SID (RFC 8669; RFC 9252 for the SRv6 services in it). Not used, handed on as it came; whatever is wrong with it,
/// its flags included, costs the attribute and never the routes (RFC 8669 section 6).
/// </summary>
internal sealed class PrefixSidCodec()
    : AttributeCodec(AttributeType.PrefixSid, OptionalTransitive, Penalty.AttributeDiscard,
        "the Prefix-SID attribute is one or more whole TLVs (RFC 8669 section 6)")
{
    private const byte LabelIndex = 1, OriginatorSrgb = 3, Srv6L3Service = 5, Srv6L2Service = 6;

    public override Penalty WrongFlags => Penalty.AttributeDiscard;

    // +----------+-------------+------------------+
    // | Type (8) | Length (16) | Value (variable) |  as often as there is room
    // +----------+-------------+------------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        var any = value.Left > 0;
        while (value.Left > 0)
        {
            var type = value.U8();
            if (!IsSound(type, value.Take(value.U16()))) return false;
        }
        return any;
    }

    private static bool IsSound(byte type, ReadOnlySpan<byte> value) => type switch
    {
        LabelIndex => value.Length == 7,
        OriginatorSrgb => value.Length >= 8 && (value.Length - 2) % 6 == 0,
        Srv6L3Service or Srv6L2Service => value.Length >= 1 && AreWhole(value[1..]),
        _ => true,
    };

    private static bool AreWhole(ReadOnlySpan<byte> subTlvs)
    {
        var reader = new WireReader(subTlvs);
        while (reader.Left > 0)
        {
            reader.U8();
            reader.Take(reader.U16());
        }
        return !reader.Overrun;
    }
}
