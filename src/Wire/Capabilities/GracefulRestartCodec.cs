namespace Calico.Bgp.Wire.Capabilities;

/// <summary>Graceful restart (RFC 4724 section 3, with RFC 8538's N bit). Of several the last counts (section 3).</summary>
internal sealed class GracefulRestartCodec() : CapabilityCodec(CapabilityCode.GracefulRestart)
{
    private const ushort RestartingBit = 0x8000, NotificationBit = 0x4000, TimeMask = 0x0fff;
    private const byte ForwardingBit = 0x80;

    // +---+---+---+---+-------------------+
    // | R | N | reserved | Restart time (12)|
    // +---+---+---+---+-------------------+
    // | AFI (16) | SAFI (8) | F + reserved (8) |  as often as there is room
    // +----------+----------+------------------+
    public override bool Decode(ref WireReader value, CapabilityBuilder into)
    {
        var first = value.U16();
        var families = new List<GracefulRestartFamily>();
        while (value.Left > 0)
        {
            var family = new Family(value.U16(), value.U8());
            families.Add(new(family, (value.U8() & ForwardingBit) != 0));
        }
        if (value.Overrun) return false;
        into.Set = into.Set with
        {
            GracefulRestart = new((first & RestartingBit) != 0, (first & NotificationBit) != 0, (ushort)(first & TimeMask), families),
        };
        return true;
    }

    public override void Encode(CapabilitySet set, ref WireWriter into)
    {
        if (set.GracefulRestart is not { } restart) return;
        var mark = Begin(ref into);
        var bits = (restart.Restarting ? RestartingBit : 0) | (restart.Notification ? NotificationBit : 0);
        into.U16((ushort)(bits | Math.Min(restart.Seconds, TimeMask)));
        foreach (var (family, preserved) in restart.Families)
        {
            into.U16(family.Afi);
            into.U8(family.Safi);
            into.U8(preserved ? ForwardingBit : (byte)0);
        }
        End(ref into, mark);
    }
}
