using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane;

/// <param name="IsUpstream">Its infrastructure translates.</param>
public sealed record UpstreamPeerView(string Name, bool Established, bool IsUpstream);

/// <summary>What the dataplane does at one moment, for those that look in.</summary>
/// <param name="Ready">The resources are known; before that what an earlier run left is not touched.</param>
/// <param name="ConnectionsCut">Since the start.</param>
public sealed record NatView(
    bool Enabled, bool Ready, NatPlan Plan, ImmutableArray<UpstreamPeerView> Peers, NftStatus Table, long ConnectionsCut)
{
    /// <summary>Why nothing can be done; null: it can.</summary>
    public string? Problem { get; init; }

    public static readonly NatView Off = new(false, false, NatPlan.Nothing, [], NftStatus.None, 0);
}
