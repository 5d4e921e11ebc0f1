using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane;

/// <summary>One thing that the dataplane does for packets; its sets and chains stand in the one table that is ours.</summary>
internal interface IFeature
{
    FeatureRules Render(NatPlan plan);
}

internal sealed record FeatureRules(ImmutableArray<NftSet> Sets, ImmutableArray<NftChain> Chains)
{
    public static readonly FeatureRules None = new([], []);
}
