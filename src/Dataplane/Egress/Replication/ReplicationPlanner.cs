using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress.Replication;

/// <summary>What is planned of gateways → with whom this node shares their addresses.</summary>
internal static class ReplicationPlanner
{
    /// <param name="here">Addresses of gateways that are at this node.</param>
    /// <returns>Null: with nobody.</returns>
    public static ReplicationPlan? Of(
        string node, EgressSettings settings, EgressPicture picture, ListOf<Address> here, ListOf<EgressNeighbour> watched,
        ImmutableHashSet<Address> unheard)
    {
        var shared = picture.Nodes.Where(gateway => gateway.Replicas.Count > 1 && gateway.Replicas.Any(one => one.Is(node))).ToArray();
        if (shared.Length == 0) return null;
        var peers = shared.SelectMany(gateway => gateway.Replicas).Where(one => !one.Is(node)).Select(one => one.Node).Distinct()
            .Order(StringComparer.Ordinal).Select(other => Peer(other, node, shared));
        var own = shared.SelectMany(gateway => gateway.Replicas).First(one => one.Is(node)).Hosts;
        var addresses = shared.SelectMany(gateway => gateway.Replicas).SelectMany(one => one.Addresses).ToHashSet();
        var uses = picture.All;
        return new(settings.ReplicationPort, own, [.. peers], [.. here.Where(addresses.Contains)], picture.Pools, picture.Inside,
            settings.MarkMask)
        {
            Local = new(() => uses.Values.Where(one => one.Pod.Node == node).SelectMany(one => one.Pod.Addresses).ToHashSet()),
            Unheard = unheard,
            IsAlone = !watched.Items.IsEmpty && watched.All(one => unheard.Contains(one.Host)),
        };
    }

    private static ReplicationPeer Peer(string other, string node, EgressGatewayPlan[] shared)
    {
        var theirs = shared.Where(gateway => gateway.Replicas.Any(one => one.Is(other))).ToArray();
        return new(other, theirs[0].Replicas.First(one => one.Is(other)).Hosts,
            [.. theirs.SelectMany(gateway => gateway.Replicas.First(one => one.Is(other)).Addresses).Distinct().Order()],
            theirs.Any(gateway => IndexOf(gateway, other) > IndexOf(gateway, node)));
    }

    private static int IndexOf(EgressGatewayPlan gateway, string node) =>
        gateway.Replicas.TakeWhile(one => !one.Is(node)).Count();
}
