namespace Calico.Bgp.Wire.Capabilities;

/// <summary>Capabilities that say all by being there: no value (RFC 2918 section 2, RFC 7313 section 3.1, RFC 8654 section 3).</summary>
internal abstract class FlagCapabilityCodec(CapabilityCode code) : CapabilityCodec(code)
{
    protected abstract CapabilitySet Note(CapabilitySet set);
    protected abstract bool IsIn(CapabilitySet set);

    public override bool Decode(ref WireReader value, CapabilityBuilder into)
    {
        if (value.Left == 0) into.Set = Note(into.Set);
        return true;
    }

    public override void Encode(CapabilitySet set, ref WireWriter into)
    {
        if (IsIn(set)) End(ref into, Begin(ref into));
    }
}

internal sealed class RouteRefreshCapabilityCodec() : FlagCapabilityCodec(CapabilityCode.RouteRefresh)
{
    protected override CapabilitySet Note(CapabilitySet set) => set with { RouteRefresh = true };
    protected override bool IsIn(CapabilitySet set) => set.RouteRefresh;
}

/// <summary>Understood, never sent: whoever knows only this code predates RFC 2918.</summary>
internal sealed class CiscoRouteRefreshCodec() : FlagCapabilityCodec(CapabilityCode.CiscoRouteRefresh)
{
    protected override CapabilitySet Note(CapabilitySet set) => set with { RouteRefresh = true };
    protected override bool IsIn(CapabilitySet set) => false;
}

internal sealed class EnhancedRouteRefreshCodec() : FlagCapabilityCodec(CapabilityCode.EnhancedRouteRefresh)
{
    protected override CapabilitySet Note(CapabilitySet set) => set with { EnhancedRouteRefresh = true };
    protected override bool IsIn(CapabilitySet set) => set.EnhancedRouteRefresh;
}

internal sealed class ExtendedMessagesCodec() : FlagCapabilityCodec(CapabilityCode.ExtendedMessages)
{
    protected override CapabilitySet Note(CapabilitySet set) => set with { ExtendedMessages = true };
    protected override bool IsIn(CapabilitySet set) => set.ExtendedMessages;
}
