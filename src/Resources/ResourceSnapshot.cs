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

    public Resource? Find(ResourceId id) => id.Kind switch
    {
        ResourceKind.BgpConfiguration => BgpConfigurations.GetValueOrDefault(id.Key.Name),
        ResourceKind.BgpPeer => BgpPeers.GetValueOrDefault(id.Key.Name),
        ResourceKind.BgpFilter => BgpFilters.GetValueOrDefault(id.Key.Name),
        ResourceKind.IPPool => IPPools.GetValueOrDefault(id.Key.Name),
        ResourceKind.Node => Nodes.GetValueOrDefault(id.Key.Name),
        ResourceKind.BlockAffinity => BlockAffinities.GetValueOrDefault(id.Key.Name),
        ResourceKind.IpamBlock => IpamBlocks.GetValueOrDefault(id.Key.Name),
        ResourceKind.FelixConfiguration => FelixConfigurations.GetValueOrDefault(id.Key.Name),
        ResourceKind.CalicoNodeStatus => CalicoNodeStatuses.GetValueOrDefault(id.Key.Name),
        ResourceKind.Secret => Secrets.GetValueOrDefault(id.Key),
        ResourceKind.Service => Services.GetValueOrDefault(id.Key),
        ResourceKind.EndpointSlice => EndpointSlices.GetValueOrDefault(id.Key),
        _ => null,
    };

    /// <summary>All objects, in no promised order.</summary>
    public IEnumerable<Resource> All() =>
    [
        .. BgpConfigurations.Values, .. BgpPeers.Values, .. BgpFilters.Values, .. IPPools.Values, .. Nodes.Values,
        .. BlockAffinities.Values, .. IpamBlocks.Values, .. FelixConfigurations.Values, .. CalicoNodeStatuses.Values,
        .. Secrets.Values, .. Services.Values, .. EndpointSlices.Values,
    ];

    internal IEnumerable<ResourceId> Ids() => All().Select(resource => resource.Id);

    private static ImmutableSortedDictionary<string, T> ByName<T>() => ImmutableSortedDictionary.Create<string, T>(StringComparer.Ordinal);
    private static ImmutableSortedDictionary<ResourceKey, T> ByKey<T>() => ImmutableSortedDictionary<ResourceKey, T>.Empty;
}
