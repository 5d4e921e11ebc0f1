using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>A connection that leaves the cluster by a gateway that is this node.</summary>
/// <param name="Pod">Null: no pod has its source any more.</param>
/// <param name="Leaving">What it leaves with: what a firewall outside sees.</param>
public sealed record EgressFlow(
    ResourceKey? Pod, ResourceKey Gateway, EgressFlowEnd Source, EgressFlowEnd Leaving, EgressFlowEnd Destination, byte Protocol)
{
    public string ProtocolWord => Enum.IsDefined((IpProtocol)Protocol) ? TranslationWords.Of((IpProtocol)Protocol) : $"protocol {Protocol}";
}

/// <param name="Port">Null: the protocol has none.</param>
public readonly record struct EgressFlowEnd(Address Address, ushort? Port);

/// <summary>
/// Whose the connections are that this node is the gateway of: by what they leave with, which is a gateway's own address; or, where that is
/// the node's, by whether their pod leaves by a gateway that is this node. What it knows stays as it was made.
/// </summary>
internal sealed class EgressFlows
{
    private readonly string node;
    private readonly Dictionary<Address, (ResourceKey Key, EgressUse Use)> pods = [];
    private readonly Dictionary<Address, ResourceKey> own = [];
    private readonly HashSet<Address> hosts = [];

    public EgressFlows(string node, EgressPicture picture)
    {
        this.node = node;
        var replicas = picture.Gateways.SelectMany(gateway => gateway.Replicas).Where(replica => replica.Node == node).ToArray();
        Gateways = [.. replicas.Select(replica => replica.Gateway).Distinct()];
        foreach (var replica in replicas)
        {
            foreach (var address in replica.Addresses) own.TryAdd(address, replica.Gateway);
            if (replica.ByHost.Count > 0) hosts.UnionWith(replica.Hosts);
        }
        foreach (var (pod, use) in picture.Uses)
            foreach (var address in pod.Addresses) pods[address] = (pod.Key, use);
    }

    /// <summary>Those that this node is a replica of.</summary>
    public ListOf<ResourceKey> Gateways { get; }

    /// <returns>Null: it leaves by none of our gateways.</returns>
    public EgressFlow? Of(TrackedConnection tracked) => Of(tracked.Connection, tracked.State!);

    public EgressFlow? Of(Connection connection, ConnectionState state)
    {
        var pod = pods.TryGetValue(connection.Source, out var known) ? known : ((ResourceKey Key, EgressUse Use)?)null;
        var gateway = own.TryGetValue(state.Client, out var its) ? its
            : pod != null && hosts.Contains(state.Client) ? ByHost(pod.Value.Use, connection.Server) : null;
        return gateway is not { } by ? null : new(pod?.Key, by, new(connection.Source, connection.SourcePort),
            new(state.Client, state.ClientPort), new(connection.Server, connection.ServerPort), connection.Protocol);
    }

    private ResourceKey? ByHost(EgressUse use, Address destination) => use.Class?.For(destination)?.To?.Replicas
        .FirstOrDefault(replica => replica.Node == node && replica.ByHost.Contains(destination.Family))?.Gateway;
}
