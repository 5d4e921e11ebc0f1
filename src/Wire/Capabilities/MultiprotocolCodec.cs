namespace Calico.Bgp.Wire.Capabilities;

/// <summary>Multiprotocol extensions (RFC 4760 section 8): one capability for each family.</summary>
internal sealed class MultiprotocolCodec() : CapabilityCodec(CapabilityCode.Multiprotocol, Malformed.Refused)
{
    // +----------+--------------+----------+
    // | AFI (16) | Reserved (8) | SAFI (8) |
    // +----------+--------------+----------+
    public override bool Decode(ref WireReader value, CapabilityBuilder into)
    {
        var afi = value.U16();
        value.U8();
        var family = new Family(afi, value.U8());
        if (!into.Multiprotocol.Contains(family)) into.Multiprotocol.Add(family);
        return true;
    }

    public override void Encode(CapabilitySet set, ref WireWriter into)
    {
        foreach (var family in set.Multiprotocol)
        {
            var mark = Begin(ref into);
            into.U16(family.Afi);
            into.U8(0);
            into.U8(family.Safi);
            End(ref into, mark);
        }
    }
}
