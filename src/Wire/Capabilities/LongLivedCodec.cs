namespace Calico.Bgp.Wire.Capabilities;

/// <summary>Long-lived graceful restart (RFC 9494 section 3.1). Of several the last counts, as with graceful restart.</summary>
internal sealed class LongLivedCodec() : CapabilityCodec(CapabilityCode.LongLivedGracefulRestart)
{
    private const uint ForwardingBit = 0x80000000, TimeMask = 0x00ffffff;

    // +----------+----------+------------------+-----------------+
    // | AFI (16) | SAFI (8) | F + reserved (8) | Stale time (24) |  as often as there is room
    // +----------+----------+------------------+-----------------+
    public override bool Decode(ref WireReader value, CapabilityBuilder into)
    {
        var families = new List<LongLivedFamily>();
        while (value.Left > 0)
        {
            var family = new Family(value.U16(), value.U8());
            var bits = value.U32();
            families.Add(new(family, (bits & ForwardingBit) != 0, bits & TimeMask));
        }
        if (value.Overrun) return false;
        into.Set = into.Set with { LongLivedHelper = families.Count == 0 };
        into.LongLived.Clear();
        into.LongLived.AddRange(families);
        return true;
    }

    public override void Encode(CapabilitySet set, ref WireWriter into)
    {
        if (set.LongLived.Count == 0 && !set.LongLivedHelper) return;
        var mark = Begin(ref into);
        foreach (var (family, preserved, seconds) in set.LongLived)
        {
            into.U16(family.Afi);
            into.U8(family.Safi);
            into.U32((preserved ? ForwardingBit : 0) | Math.Min(seconds, TimeMask));
        }
        End(ref into, mark);
    }
}
