namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// Tunnel encapsulation (RFC 9012 section 2). Not used, handed on as it came. Its section 13: a TLV must end where its last
/// sub-TLV ends, there must be one, or the routes are withdrawn; tunnel types that we do not know are no damage.
/// </summary>
internal sealed class TunnelEncapsulationCodec()
    : AttributeCodec(AttributeType.TunnelEncapsulation, OptionalTransitive, Penalty.TreatAsWithdraw,
        "the tunnel encapsulation attribute is one or more whole TLVs of whole sub-TLVs (RFC 9012 section 13)")
{
    // +------------------+-------------+---------------------+
    // | Tunnel type (16) | Length (16) | Sub-TLVs (variable) |  as often as there is room
    // +------------------+-------------+---------------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        var any = value.Left > 0;
        while (value.Left > 0)
        {
            value.U16();
            if (!AreWhole(value.Take(value.U16()))) return false;
        }
        return any;
    }

    // +--------------+---------------------------------------+------------------+
    // | Sub-type (8) | Length (8; 16 for sub-types from 128) | Value (variable) |  as often as there is room
    // +--------------+---------------------------------------+------------------+
    private static bool AreWhole(ReadOnlySpan<byte> subTlvs)
    {
        var reader = new WireReader(subTlvs);
        while (reader.Left > 0) reader.Take(reader.U8() < 128 ? reader.U8() : reader.U16());
        return !reader.Overrun;
    }
}
