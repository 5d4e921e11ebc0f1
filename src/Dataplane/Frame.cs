using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane;

/// <summary>Where packets meet the features: the base chains that they share, and the order in which their rules stand in each.</summary>
internal static class Frame
{
    private const int BehindKubeProxy = 100 + 10; // srcnat + 10

    /// <summary>
    /// It stands behind kube-proxy's (srcnat), because the first chain that sets a connection's source wins: if ours were first,
    /// kube-proxy's mark would stay on the packet, be copied to what encapsulates it, and have that masqueraded, too.
    /// </summary>
    public static readonly NftChain Postrouting =
        new("postrouting", new("nat", NftHookPoint.Postrouting, BehindKubeProxy), []) { Comment = "the way out of the pools" };

    /// <summary>The features' names.</summary>
    public static readonly ImmutableArray<string> Order = [Nat.FeatureName];
}
