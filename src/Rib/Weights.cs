using System.Collections.Immutable;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>
/// How packets are shared out among routes that are used together, where each of them says its bandwidth (draft-ietf-idr-link-bandwidth):
/// in proportion. Where one says nothing, all get the same, which is what FRR does unless it is told otherwise
/// (<c>bgp bestpath bandwidth</c>).
/// </summary>
internal static class Weights
{
    /// <summary>rtnh_hops has 8 bits, and means one more.</summary>
    private const int Greatest = 256;

    /// <summary>A share may be so far from what was asked for: small numbers are what people read.</summary>
    private const double Near = 0.01;

    public static bool AreAsked(AttributeInterner attributes, List<(uint Attributes, ushort Peer)> paths)
    {
        if (paths.Count < 2) return false;
        foreach (var path in paths)
            if (!attributes[path.Attributes].Summary.Has(AttributeMarks.HasLinkBandwidth)) return false;
        return true;
    }

    public static double Of(AttributeInterner attributes, uint handle) => new AttributeView(attributes.OctetsOf(handle)).LinkBandwidth;

    /// <summary>The smallest whole numbers that are to each other as the shares, nearly; from 1 to 256.</summary>
    public static ImmutableArray<int> Between(List<double> shares)
    {
        var (least, most) = (shares.Min(), shares.Max());
        for (var scale = 1; scale * most / least <= Greatest; scale++)
            if (shares.TrueForAll(share => IsNear(share / least * scale)))
                return [.. shares.Select(share => (int)Math.Round(share / least * scale))];
        return [.. shares.Select(share => Math.Max(1, (int)Math.Round(share / most * Greatest)))];
    }

    private static bool IsNear(double wanted) => Math.Abs(Math.Round(wanted) - wanted) <= Near * wanted;
}
