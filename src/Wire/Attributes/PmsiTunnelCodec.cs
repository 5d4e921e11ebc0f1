namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// PMSI_TUNNEL (RFC 6514 section 5). Not used, handed on as it came; a type that nobody defined or an identifier that cannot be
/// its type's makes it malformed, and that section then has the routes withdrawn.
/// </summary>
internal sealed class PmsiTunnelCodec()
    : AttributeCodec(AttributeType.PmsiTunnel, OptionalTransitive, Penalty.TreatAsWithdraw,
        "PMSI_TUNNEL has a defined tunnel type and an identifier of that type's length (RFC 6514 section 5)")
{
    // +-----------+-----------------+------------+------------------------------+
    // | Flags (8) | Tunnel type (8) | Label (24) | Tunnel identifier (variable) |
    // +-----------+-----------------+------------+------------------------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        value.U8();
        var type = value.U8();
        value.Take(3);
        return IsIdentifier(type, value.Rest().Length);
    }

    // IANA "P-Multicast Service Interface Tunnel (PMSI Tunnel) Tunnel Types".
    private static bool IsIdentifier(byte type, int length) => type switch
    {
        0 => true,                           // no tunnel information
        1 => length is 12 or 24,             // RSVP-TE P2MP LSP: extended tunnel id, reserved, tunnel id, P2MP id
        2 or 7 => length > 0,                // mLDP: a FEC element
        3 or 4 or 5 => length is 8 or 32,    // PIM: two addresses
        6 => length is 4 or 16,              // ingress replication: one address
        0x0a or 0x0b or 0x0c => true,        // assisted replication, BIER, SR P2MP
        >= 0x7b and <= 0x7e => true,         // experimental (RFC 7385)
        _ => false,
    };
}
