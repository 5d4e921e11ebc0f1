using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>The way in: door, then the operator's filter. Answers with the attribute set that the Loc-RIB may choose.</summary>
internal sealed class ImportFilter(AttributeInterner attributes, NextHops nextHops)
{
    private readonly AttributeEditor editor = new();
    private readonly FilterInputs inputs = new(attributes, nextHops);

    /// <returns>A handle with one reference for the caller; 0: refused.</returns>
    public uint Run(RibPeer peer, uint received, Prefix prefix, IpFamily family)
    {
        ref var row = ref attributes[received];
        var octets = attributes.OctetsOf(received);
        if (ImportDoor.Refuses(peer, octets, row.Summary) != null) return 0;

        var lowers = ImportDoor.LowersPreference(peer, row.Summary);
        var result = peer.Import is AcceptAll ? new(FilterVerdict.Accept, row.Marks.Hints, "accept") : peer.Import.Run(inputs.Of(received, peer, family, prefix, peer.Self(family)), editor);
        if (result.Verdict == FilterVerdict.Reject) return 0;
        if (result.Verdict == FilterVerdict.Accept && result.Hints == row.Marks.Hints && !lowers)
        {
            attributes.Hold(received);
            return received;
        }
        if (result.Verdict == FilterVerdict.Accept) editor.Load(octets);
        if (lowers) editor.SetLocalPref(0);
        var accepted = editor.Finish(out var summary);
        return attributes.Intern(accepted, summary, row.Marks with { Hints = result.Hints });
    }
}
