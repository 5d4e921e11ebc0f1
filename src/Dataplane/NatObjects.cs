using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>What of the objects decides NAT, kept as they change: the same after the same objects, in whatever order they came.</summary>
internal sealed class NatObjects
{
    private readonly SortedDictionary<string, IPPool> pools = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, ListOf<Address>> hosts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FelixConfiguration> configurations = new(StringComparer.Ordinal);
    private readonly HashSet<string> upstreamPeers = new(StringComparer.Ordinal);

    /// <summary>By name.</summary>
    public IReadOnlyCollection<IPPool> Pools => pools.Values;

    /// <summary>Those of all nodes (<see cref="NodeAddresses"/>).</summary>
    public IEnumerable<Address> Hosts => hosts.Values.SelectMany(addresses => addresses);

    /// <summary>Names of BGPPeers whose annotation says that their network translates.</summary>
    public IReadOnlySet<string> UpstreamPeers => upstreamPeers;

    public FelixConfiguration Felix(string node) => FelixConfiguration.Effective(
        configurations.GetValueOrDefault(FelixConfiguration.Default),
        configurations.GetValueOrDefault(FelixConfiguration.NodePrefix + node));

    /// <returns>False: no plan can differ by it.</returns>
    public bool Apply(ResourceChange change)
    {
        var name = change.Key.Name;
        if (change.Kind == Kinds.IPPool) return Put(pools, name, (IPPool?)change.After);
        if (change.Kind == Kinds.FelixConfiguration) return Put(configurations, name, (FelixConfiguration?)change.After);
        if (change.Kind == Kinds.Node) return TakeHost(name, (Node?)change.After);
        if (change.Kind == Kinds.BgpPeer)
            return change.After != null && IsUpstream(change.After.Annotations) ? upstreamPeers.Add(name) : upstreamPeers.Remove(name);
        return false;
    }

    private static bool Put<T>(IDictionary<string, T> into, string name, T? now) where T : Resource
    {
        if (now == null) return into.Remove(name);
        into[name] = now;
        return true;
    }

    /// <summary>Labels and conditions of nodes change all the time.</summary>
    private bool TakeHost(string name, Node? node)
    {
        ListOf<Address> now = node == null ? [] : [.. NodeAddresses.Of(node)];
        if (hosts.GetValueOrDefault(name) == now) return false;
        if (now.Count == 0) hosts.Remove(name);
        else hosts[name] = now;
        return true;
    }

    private static bool IsUpstream(Labels annotations) =>
        annotations.TryGetValue(UpstreamSettings.PeerAnnotation, out var value) && value.Equals("true", StringComparison.OrdinalIgnoreCase);
}
