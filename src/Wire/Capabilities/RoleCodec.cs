namespace Calico.Bgp.Wire.Capabilities;

/// <summary>BGP role (RFC 9234 section 4.1). The same one twice is one; different ones refuse the OPEN (section 4.2), which the session
/// does.</summary>
internal sealed class RoleCodec() : CapabilityCodec(CapabilityCode.Role)
{
    // +----------+
    // | Role (8) |
    // +----------+
    public override bool Decode(ref WireReader value, CapabilityBuilder into)
    {
        var role = (Role)value.U8();
        if (!value.Exact) return false;
        into.Set = into.Set with
        {
            Role = into.Set.Role ?? role,
            RolesDiffer = into.Set.RolesDiffer || (into.Set.Role is { } before && before != role),
        };
        return true;
    }

    public override void Encode(CapabilitySet set, ref WireWriter into)
    {
        if (set.Role is not { } role) return;
        var mark = Begin(ref into);
        into.U8((byte)role);
        End(ref into, mark);
    }
}
