using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>The way out of one group: door, filter, door. Run once for all members.</summary>
internal sealed class ExportFilter(
    IpFamily family, ExportTreatment treatment, PrefixTable table, AttributeInterner attributes, PeerTable peers, NextHops nextHops)
{
    private readonly AttributeEditor editor = new();
    private readonly FilterInputs inputs = new(attributes, nextHops);

    public bool LooksAtPrefix { get; } = treatment.Filter.LooksAtPrefix;

    /// <param name="octets">Canonical octets as they leave; valid until the next call.</param>
    /// <returns>
    /// A prefix for which a filter that looks at it changed the route (<see cref="FilterVerdict.AcceptChanged"/>) leaves as no other does.
    /// </returns>
    public Verdict Run(uint node, Best best, out ReadOnlySpan<byte> octets)
    {
        octets = default;
        var source = peers[best.Peer];
        ref var row = ref attributes[best.Attributes];
        if (ExportDoor.Refuses(treatment, source, row.Summary) is { } barred) return Verdict.Against(barred);

        var result = treatment.Filter is AcceptAll
            ? new(FilterVerdict.Accept, row.Marks.Hints, AcceptAll.Label)
            : treatment.Filter.Run(inputs.Of(best.Attributes, source, family, LooksAtPrefix ? table[node] : default,
                treatment.Self(family)), editor);
        if (result.Verdict == FilterVerdict.Reject) return Verdict.Of(result);
        var summary = row.Summary;
        if (result.Verdict == FilterVerdict.AcceptChanged) editor.Finish(out summary);
        else editor.Load(attributes.OctetsOf(best.Attributes));
        ExportDoor.Dress(editor, treatment, source, family, summary, result);
        if (ExportDoor.Refuses(treatment, family, editor.NextHop) is { } untold) return Verdict.Against(untold);
        octets = editor.Finish();
        return Verdict.Of(result);
    }
}
