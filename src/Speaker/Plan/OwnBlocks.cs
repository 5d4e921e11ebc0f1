using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>A block of pod addresses of this node.</summary>
/// <param name="Leaving">pendingDeletion: still routed here, but its pods' routes go out one by one.</param>
internal sealed record OwnBlock(Prefix Cidr, bool Leaving, string Origin);

/// <summary>
/// The blocks that are this node's. A pending affinity is not yet one; one that is deleted, or not a host's (a load balancer's), is none.
/// State "" is from before there were states and counts as confirmed.
/// </summary>
internal static class OwnBlocks
{
    public static ImmutableArray<OwnBlock> Of(NodeView view) =>
        [.. Affine(view).Concat(PodCidrs(view)).DistinctBy(block => block.Cidr)
            .OrderBy(block => block.Cidr.ToString(), StringComparer.Ordinal)];

    private static IEnumerable<OwnBlock> Affine(NodeView view) =>
        from affinity in view.Resources.Of(Kinds.BlockAffinity)
        where affinity.Node == view.Settings.Node && affinity.Type == AffinityType.Host
        where !affinity.Deleted && affinity.State != AffinityState.Pending
        select new OwnBlock(affinity.Cidr, affinity.State == AffinityState.PendingDeletion, affinity.Id.ToString());

    private static IEnumerable<OwnBlock> PodCidrs(NodeView view) =>
        view.Settings.UsePodCidr ? view.Self.PodCidrs.Select(cidr => new OwnBlock(cidr, Leaving: false, $"{view.Self.Id} podCIDRs")) : [];

    /// <summary>One inside another: then their order decides, and a rule for all of them would not do.</summary>
    public static bool AreNested(IReadOnlyCollection<OwnBlock> blocks)
    {
        var sorted = blocks.Select(block => block.Cidr).Order().ToArray();
        for (var i = 1; i < sorted.Length; i++)
            if (sorted[i - 1].Contains(sorted[i])) return true;
        return false;
    }
}
