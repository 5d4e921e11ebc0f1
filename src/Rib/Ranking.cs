namespace Calico.Bgp.Rib;

/// <summary>
/// The best paths of a prefix, in order: the best one, the one that would be it without that one, and so on (what "best N" means to others,
/// too). Asked only for receivers that are told several.
/// </summary>
internal sealed class Ranking(LocRib rib, AttributeInterner attributes)
{
    private readonly List<uint> rest = [];

    /// <summary>The usable paths that are asked for; all of them where there are no more, the best one first.</summary>
    public void Best(uint node, PathsTold which, List<uint> into)
    {
        into.Clear();
        rest.Clear();
        if (which.OnlyShared)
        {
            Shared(node, into);
            return;
        }
        var most = which.Most;
        for (var at = rib.First(node); at != 0; at = rib.Paths[at].Next)
            if (rib.IsEligible(node, rib.Paths[at])) rest.Add(at);
        if (rest.Count <= most)
        {
            into.AddRange(rest);
            return;
        }
        // The first one is the best: that is how the Loc-RIB keeps them.
        for (var best = rest[0]; ; best = BestOfRest(node))
        {
            into.Add(best);
            if (into.Count == most) return;
            rest.Remove(best);
        }
    }

    /// <summary>As many as the kernel would get, where it gets several; else all that it could.</summary>
    private void Shared(uint node, List<uint> into)
    {
        var first = rib.First(node);
        if (first == 0 || !rib.IsEligible(node, rib.Paths[first])) return;
        into.Add(first);
        var most = rib.Settings.MultipathLimit > 1 ? rib.Settings.MultipathLimit : int.MaxValue;
        into.AddRange(Multipath.SharingWith(rib, attributes, node, most));
    }

    private uint BestOfRest(uint node)
    {
        var byNeighbour = Decision.GroupsByNeighbour(rib.Settings);
        var best = 0u;
        foreach (var at in rest)
        {
            if (byNeighbour && IsOvershadowed(node, at)) continue;
            if (best == 0 || IsBetter(node, at, best)) best = at;
        }
        return best;
    }

    private bool IsOvershadowed(uint node, uint at)
    {
        foreach (var other in rest)
        {
            if (other == at) continue;
            if (Decision.Overshadows(rib.CandidateOf(node, other), rib.CandidateOf(node, at), rib.Settings, out _)) return true;
        }
        return false;
    }

    private bool IsBetter(uint node, uint a, uint b) =>
        Decision.Compare(rib.CandidateOf(node, a), rib.CandidateOf(node, b), rib.Settings, out _) < 0;
}
