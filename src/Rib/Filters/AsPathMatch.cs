using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

/// <summary>What a match asks of the AS path. All that is said must hold; of each list one element is enough.</summary>
public sealed record AsPathMatch
{
    /// <summary>The last AS of the path; an own route's empty path has none.</summary>
    public ListOf<NumberRange> Origin { get; init; }
    /// <summary>The neighbouring AS.</summary>
    public ListOf<NumberRange> First { get; init; }
    /// <summary>Anywhere, in sets too.</summary>
    public ListOf<NumberRange> Contains { get; init; }
    /// <summary>As the decision counts it (RFC 4271 9.1.2.2 a).</summary>
    public NumberRange? Length { get; init; }
    public ListOf<AsPathRegex> Regex { get; init; }

    internal bool Matches(ref FilterRun run)
    {
        ref readonly var summary = ref run.Summary;
        if (Length is { } length && !length.Has(summary.AsPathLength)) return false;
        if (Origin.Count > 0 && (summary.OriginAs == 0 || !NumberRange.AnyHas(Origin.Items, summary.OriginAs))) return false;
        if (First.Count > 0 && (summary.NeighborAs == 0 || !NumberRange.AnyHas(First.Items, summary.NeighborAs))) return false;
        if (Contains.Count == 0 && Regex.Count == 0) return true;
        var path = new AttributeView(run.Attributes).AsPath;
        return (Contains.Count == 0 || HasAny(path)) && (Regex.Count == 0 || FitsAny(path));
    }

    private bool HasAny(AsPathView path)
    {
        foreach (var segment in path)
            for (var i = 0; i < segment.Count; i++)
                if (NumberRange.AnyHas(Contains.Items, segment[i].Value)) return true;
        return false;
    }

    private bool FitsAny(AsPathView path)
    {
        foreach (var regex in Regex.Items)
            if (regex.Matches(path)) return true;
        return false;
    }
}
