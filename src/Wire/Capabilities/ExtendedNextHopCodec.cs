namespace Calico.Bgp.Wire.Capabilities;

/// <summary>Extended next hop encoding (RFC 8950 section 4).</summary>
internal sealed class ExtendedNextHopCodec() : CapabilityCodec(CapabilityCode.ExtendedNextHop, Malformed.Refused)
{
    // +----------+-----------+-------------------+
    // | AFI (16) | SAFI (16) | Next hop AFI (16) |  as often as there is room
    // +----------+-----------+-------------------+
    public override bool Decode(ref WireReader value, CapabilityBuilder into)
    {
        while (value.Left > 0)
        {
            var afi = value.U16();
            var safi = value.U16();
            var nextHopAfi = value.U16();
            if (safi <= byte.MaxValue) into.ExtendedNextHop.Add(new(new(afi, (byte)safi), nextHopAfi));
        }
        return true;
    }

    public override void Encode(CapabilitySet set, ref WireWriter into)
    {
        if (set.ExtendedNextHop.Count == 0) return;
        var mark = Begin(ref into);
        foreach (var (family, nextHopAfi) in set.ExtendedNextHop)
        {
            into.U16(family.Afi);
            into.U16(family.Safi);
            into.U16(nextHopAfi);
        }
        End(ref into, mark);
    }
}
