namespace Calico.Bgp.Wire.Capabilities;

/// <summary>ADD-PATH (RFC 7911 section 4). A direction that nobody defined drops its tuple, as that section asks, not the
/// capability.</summary>
internal sealed class AddPathCodec() : CapabilityCodec(CapabilityCode.AddPath, Malformed.Refused)
{
    // +----------+----------+------------------+
    // | AFI (16) | SAFI (8) | Send/Receive (8) |  as often as there is room
    // +----------+----------+------------------+
    public override bool Decode(ref WireReader value, CapabilityBuilder into)
    {
        while (value.Left > 0)
        {
            var family = new Family(value.U16(), value.U8());
            var direction = (AddPathDirection)value.U8();
            if (direction is AddPathDirection.Receive or AddPathDirection.Send or AddPathDirection.Both)
                into.AddPath.Add(new(family, direction));
        }
        return true;
    }

    public override void Encode(CapabilitySet set, ref WireWriter into)
    {
        if (set.AddPath.Count == 0) return;
        var mark = Begin(ref into);
        foreach (var (family, direction) in set.AddPath)
        {
            into.U16(family.Afi);
            into.U8(family.Safi);
            into.U8((byte)direction);
        }
        End(ref into, mark);
    }
}
