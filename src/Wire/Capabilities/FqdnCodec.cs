using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Wire.Capabilities;

/// <summary>The speaker's host and domain name (draft-walton-bgp-hostname-capability). For people only, so its damage costs
/// nothing.</summary>
internal sealed class FqdnCodec() : CapabilityCodec(CapabilityCode.Fqdn)
{
    private const int MaxOctets = 64;

    // +------------+-----------+------------+-------------+
    // | Length (8) | Host name | Length (8) | Domain name |
    // +------------+-----------+------------+-------------+
    public override bool Decode(ref WireReader value, CapabilityBuilder into)
    {
        var host = value.Take(value.U8());
        var domain = value.Take(value.U8());
        if (!value.Exact) return false;
        into.Set = into.Set with { Fqdn = new(PeerText.Decode(host), PeerText.Decode(domain)) };
        return true;
    }

    public override void Encode(CapabilitySet set, ref WireWriter into)
    {
        if (set.Fqdn is not { } name) return;
        var mark = Begin(ref into);
        Write(name.HostName, ref into);
        Write(name.DomainName, ref into);
        End(ref into, mark);
    }

    private static void Write(string name, ref WireWriter into)
    {
        var octets = PeerText.Encode(name, MaxOctets);
        into.U8((byte)octets.Length);
        into.Octets(octets);
    }
}
