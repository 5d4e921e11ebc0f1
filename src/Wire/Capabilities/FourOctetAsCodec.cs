using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Capabilities;

/// <summary>Four-octet AS numbers (RFC 6793 section 3): the speaker's own number. Of several the first counts.</summary>
internal sealed class FourOctetAsCodec() : CapabilityCodec(CapabilityCode.FourOctetAs, Malformed.Refused)
{
    // +----------------+
    // | AS number (32) |
    // +----------------+
    public override bool Decode(ref WireReader value, CapabilityBuilder into)
    {
        var asn = new Asn(value.U32());
        into.Set = into.Set with { FourOctetAs = into.Set.FourOctetAs ?? asn };
        return true;
    }

    public override void Encode(CapabilitySet set, ref WireWriter into)
    {
        if (set.FourOctetAs is not { } asn) return;
        var mark = Begin(ref into);
        into.U32(asn.Value);
        End(ref into, mark);
    }
}
