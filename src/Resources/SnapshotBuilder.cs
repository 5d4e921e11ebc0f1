using System.Collections.Immutable;

namespace Calico.Bgp.Resources;

/// <summary>The next snapshot in the making: what does not change is shared with the one before.</summary>
internal sealed class SnapshotBuilder(ResourceSnapshot from)
{
    private readonly ImmutableSortedDictionary<string, BgpConfiguration>.Builder bgpConfigurations = from.BgpConfigurations.ToBuilder();
    private readonly ImmutableSortedDictionary<string, BgpPeer>.Builder bgpPeers = from.BgpPeers.ToBuilder();
    private readonly ImmutableSortedDictionary<string, BgpFilter>.Builder bgpFilters = from.BgpFilters.ToBuilder();
    private readonly ImmutableSortedDictionary<string, IPPool>.Builder pools = from.IPPools.ToBuilder();
    private readonly ImmutableSortedDictionary<string, Node>.Builder nodes = from.Nodes.ToBuilder();
    private readonly ImmutableSortedDictionary<string, BlockAffinity>.Builder affinities = from.BlockAffinities.ToBuilder();
    private readonly ImmutableSortedDictionary<string, IpamBlock>.Builder blocks = from.IpamBlocks.ToBuilder();
    private readonly ImmutableSortedDictionary<string, FelixConfiguration>.Builder felix = from.FelixConfigurations.ToBuilder();
    private readonly ImmutableSortedDictionary<string, CalicoNodeStatus>.Builder statuses = from.CalicoNodeStatuses.ToBuilder();
    private readonly ImmutableSortedDictionary<ResourceKey, Secret>.Builder secrets = from.Secrets.ToBuilder();
    private readonly ImmutableSortedDictionary<ResourceKey, Service>.Builder services = from.Services.ToBuilder();
    private readonly ImmutableSortedDictionary<ResourceKey, EndpointSlice>.Builder slices = from.EndpointSlices.ToBuilder();
    private readonly ImmutableSortedDictionary<ResourceKey, ImmutableArray<EndpointSlice>>.Builder byService =
        from.SlicesByService.ToBuilder();

    /// <param name="resource">Null: it is gone.</param>
    public void Put(ResourceKind kind, ResourceKey key, Resource? resource)
    {
        switch (kind)
        {
            case ResourceKind.BgpConfiguration: Put(bgpConfigurations, key.Name, resource); break;
            case ResourceKind.BgpPeer: Put(bgpPeers, key.Name, resource); break;
            case ResourceKind.BgpFilter: Put(bgpFilters, key.Name, resource); break;
            case ResourceKind.IPPool: Put(pools, key.Name, resource); break;
            case ResourceKind.Node: Put(nodes, key.Name, resource); break;
            case ResourceKind.BlockAffinity: Put(affinities, key.Name, resource); break;
            case ResourceKind.IpamBlock: Put(blocks, key.Name, resource); break;
            case ResourceKind.FelixConfiguration: Put(felix, key.Name, resource); break;
            case ResourceKind.CalicoNodeStatus: Put(statuses, key.Name, resource); break;
            case ResourceKind.Secret: Put(secrets, key, resource); break;
            case ResourceKind.Service: Put(services, key, resource); break;
            case ResourceKind.EndpointSlice: PutSlice(key, (EndpointSlice?)resource); break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, "no reader sees this kind");
        }
    }

    private static void Put<TKey, T>(ImmutableSortedDictionary<TKey, T>.Builder into, TKey key, Resource? resource)
        where TKey : notnull where T : Resource
    {
        if (resource == null) into.Remove(key);
        else into[key] = (T)resource;
    }

    private void PutSlice(ResourceKey key, EndpointSlice? slice)
    {
        var (before, after) = (slices.GetValueOrDefault(key)?.Service, slice?.Service);
        if (before is { } left && before != after) Index(left, key, null);
        if (after is { } of) Index(of, key, slice);
        Put(slices, key, slice);
    }

    private void Index(ResourceKey service, ResourceKey key, EndpointSlice? slice)
    {
        var others = byService.GetValueOrDefault(service, []).RemoveAll(one => one.Key == key);
        if (slice != null) others = [.. others.Append(slice).OrderBy(one => one.Key)];
        if (others.IsEmpty) byService.Remove(service);
        else byService[service] = others;
    }

    public ResourceSnapshot Build(ImmutableArray<ResourceProblem> problems) => new()
    {
        BgpConfigurations = bgpConfigurations.ToImmutable(),
        BgpPeers = bgpPeers.ToImmutable(),
        BgpFilters = bgpFilters.ToImmutable(),
        IPPools = pools.ToImmutable(),
        Nodes = nodes.ToImmutable(),
        BlockAffinities = affinities.ToImmutable(),
        IpamBlocks = blocks.ToImmutable(),
        FelixConfigurations = felix.ToImmutable(),
        CalicoNodeStatuses = statuses.ToImmutable(),
        Secrets = secrets.ToImmutable(),
        Services = services.ToImmutable(),
        EndpointSlices = slices.ToImmutable(),
        SlicesByService = byService.ToImmutable(),
        Problems = problems,
    };
}
