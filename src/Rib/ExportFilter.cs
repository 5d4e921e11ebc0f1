using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>What the way out made of a route.</summary>
internal enum Leaving : byte
{
    /// <summary>A rule of the RFCs keeps it from this group.</summary>
    Barred,
    /// <summary>The operator's filter rejects it.</summary>
    Filtered,
    /// <summary>It leaves; how depends on its attributes and source alone.</summary>
    Passed,
    /// <summary>It leaves changed by a filter that looked at the prefix.</summary>
    PassedForPrefix,
}

/// <summary>The way out of one group: door, filter, door. Run once for all members.</summary>
internal sealed class ExportFilter(
    IpFamily family, ExportTreatment treatment, PrefixTable table, AttributeInterner attributes, PeerTable peers, NextHops nextHops)
{
    private readonly AttributeEditor editor = new();
    private readonly FilterInputs inputs = new(attributes, nextHops);

    public bool LooksAtPrefix { get; } = treatment.Filter.LooksAtPrefix;

    /// <param name="octets">Canonical octets as they leave; valid until the next call.</param>
    public Leaving Run(uint node, Best best, out ReadOnlySpan<byte> octets)
    {
        octets = default;
        var source = peers[best.Peer];
        ref var row = ref attributes[best.Attributes];
        if (!ExportDoor.Passes(treatment, source, row.Summary)) return Leaving.Barred;

        var result = treatment.Filter is AcceptAll
            ? new(FilterVerdict.Accept, row.Marks.Hints, "accept")
            : treatment.Filter.Run(inputs.Of(best.Attributes, source, family, LooksAtPrefix ? table[node] : default, treatment.Self(family)), editor);
        if (result.Verdict == FilterVerdict.Reject) return Leaving.Filtered;
        var summary = row.Summary;
        if (result.Verdict == FilterVerdict.AcceptChanged) editor.Finish(out summary);
        else editor.Load(attributes.OctetsOf(best.Attributes));
        ExportDoor.Dress(editor, treatment, source, family, summary, result);
        if (!CanBeTold(editor.NextHop)) return Leaving.Barred;
        octets = editor.Finish();
        return LooksAtPrefix && result.Verdict == FilterVerdict.AcceptChanged ? Leaving.PassedForPrefix : Leaving.Passed;
    }

    /// <summary>There is a next hop, and these peers understand one of its family (RFC 4760, RFC 8950).</summary>
    private bool CanBeTold(Address? nextHop) =>
        nextHop is { IsUnspecified: false } told && (told.Family == family || (family == IpFamily.IPv4 && treatment.Encode.ExtendedNextHop));
}
