using Calico.Bgp.Control.Bird.Rendering;

namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>What one place of a path mask takes: a number, any number (null and null), or a set.</summary>
/// <param name="Fewest">0 for <c>*</c>, else 1.</param>
/// <param name="Many">For <c>*</c> and for what <c>+</c> follows.</param>
internal readonly record struct MaskItem(uint? Number, RangeSet? Set, int Fewest, bool Many)
{
    public static readonly MaskItem AnyOne = new(null, null, 1, false);
    public static readonly MaskItem AnyMany = new(null, null, 0, true);

    public bool Takes(uint asn) => Number is { } number ? number == asn : Set?.Has(asn) ?? true;

    public override string ToString() => (Number, Set, Fewest) switch
    {
        (null, null, 0) => "*",
        (null, null, _) => Many ? "? +" : "?",
        ({ } number, _, _) => Many ? $"{number} +" : $"{number}",
        _ => Many ? $"{Set} +" : $"{Set}",
    };
}

/// <summary>
/// <c>[= 65001 * [64512..65534] =]</c>: a pattern over the whole AS path. A set in the path is one place that takes each of its
/// members' masks.
/// </summary>
internal sealed class PathMask(IReadOnlyList<MaskItem> items)
{
    public bool Matches(IReadOnlyList<PathSegment> path)
    {
        // reachable[i]: the places so far can be taken by the first i items.
        var reachable = new bool[items.Count + 1];
        reachable[0] = true;
        Skip(reachable);
        foreach (var segment in path)
        {
            if (segment.IsSet) reachable = Step(reachable, segment.Numbers);
            else for (var i = 0; i < segment.Numbers.Length; i++) reachable = Step(reachable, segment.Numbers.AsSpan(i, 1));
        }
        return reachable[^1];
    }

    private bool[] Step(bool[] reachable, ReadOnlySpan<uint> place)
    {
        var next = new bool[reachable.Length];
        for (var i = 0; i < items.Count; i++)
        {
            var again = items[i].Many && reachable[i + 1];
            if ((reachable[i] || again) && TakesAny(items[i], place)) next[i + 1] = true;
        }
        Skip(next);
        return next;
    }

    private static bool TakesAny(MaskItem item, ReadOnlySpan<uint> place)
    {
        foreach (var asn in place) if (item.Takes(asn)) return true;
        return false;
    }

    private void Skip(bool[] reachable)
    {
        for (var i = 0; i < items.Count; i++) if (reachable[i] && items[i].Fewest == 0) reachable[i + 1] = true;
    }

    public override string ToString() => $"[= {string.Join(' ', items)} =]";
}
