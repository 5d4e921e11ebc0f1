using System.Collections.Immutable;

namespace Calico.Bgp.Resources;

/// <summary>
/// All objects that count at one moment, validated. Persistent collections, each in ordinal order of names: a change copies a path, not
/// the whole, and what follows from a snapshot does not depend on how it came about.
/// </summary>
public sealed record ResourceSnapshot
{
    public static readonly ResourceSnapshot Empty = new();

    public ImmutableSortedDictionary<string, BgpConfiguration> BgpConfigurations { get; init; } = ByName<BgpConfiguration>();
    public ImmutableSortedDictionary<string, BgpPeer> BgpPeers { get; init; } = ByName<BgpPeer>();
    public ImmutableSortedDictionary<string, BgpFilter> BgpFilters { get; init; } = ByName<BgpFilter>();
    public ImmutableSortedDictionary<string, IPPool> IPPools { get; init; } = ByName<IPPool>();
    /// <summary>Effective nodes: Calico's and Kubernetes' object of a name merged.</summary>
    public ImmutableSortedDictionary<string, Node> Nodes { get; init; } = ByName<Node>();
    public ImmutableSortedDictionary<string, BlockAffinity> BlockAffinities { get; init; } = ByName<BlockAffinity>();
    public ImmutableSortedDictionary<string, IpamBlock> IpamBlocks { get; init; } = ByName<IpamBlock>();
    public ImmutableSortedDictionary<string, FelixConfiguration> FelixConfigurations { get; init; } = ByName<FelixConfiguration>();
    public ImmutableSortedDictionary<string, CalicoNodeStatus> CalicoNodeStatuses { get; init; } = ByName<CalicoNodeStatus>();
    public ImmutableSortedDictionary<ResourceKey, Secret> Secrets { get; init; } = ByKey<Secret>();
    public ImmutableSortedDictionary<ResourceKey, Service> Services { get; init; } = ByKey<Service>();
    public ImmutableSortedDictionary<ResourceKey, EndpointSlice> EndpointSlices { get; init; } = ByKey<EndpointSlice>();

    /// <summary>The same slices under the service that they name, each list sorted by key. No entry: no slice.</summary>
    public ImmutableSortedDictionary<ResourceKey, ImmutableArray<EndpointSlice>> SlicesByService { get; init; } =
        ByKey<ImmutableArray<EndpointSlice>>();

    /// <summary>Sorted by file and line.</summary>
    public ImmutableArray<ResourceProblem> Problems { get; init; } = [];

    public ImmutableArray<EndpointSlice> SlicesOf(ResourceKey service) => SlicesByService.GetValueOrDefault(service, []);

    private static ImmutableSortedDictionary<string, T> ByName<T>() => ImmutableSortedDictionary.Create<string, T>(StringComparer.Ordinal);
    private static ImmutableSortedDictionary<ResourceKey, T> ByKey<T>() => ImmutableSortedDictionary<ResourceKey, T>.Empty;
}
