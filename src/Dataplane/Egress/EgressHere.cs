using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>Where this node stands to a replica: it is one itself, or packets are handed to it.</summary>
/// <param name="Hop">How it is reached; null: it is not, or this node is it.</param>
/// <param name="Words">For people.</param>
public readonly record struct EgressStanding(bool IsHere, RouteHop? Hop, string Words)
{
    public bool IsUsable => IsHere || Hop != null;
}

/// <summary>
/// What this node can do for packets of a way: hand them to nodes that are on a link of its own. It must be so, because whoever routes them
/// in between would send them out by himself; an overlay to gateways is not built yet.
/// </summary>
/// <param name="unheard">Nodes' addresses that were watched and are not heard.</param>
internal sealed class EgressHere(string node, NextHopResolver resolver, IReadOnlySet<Address> unheard)
{
    public EgressStanding Of(EgressReplica replica, IpFamily family)
    {
        if (!replica.Serves(family)) return No($"has no {family.Word()} address to send with");
        if (replica.Node == node) return new(true, null, "here");
        if (replica.HostOf(family) is not { } host) return No($"its node has no {family.Word()} address");
        var way = resolver.Resolve(host);
        if (way is not { Resolvable: true, Connected: true, OwnAddress: false })
            return No($"{host} is on no link of this node, and an overlay to gateways is not supported yet");
        return unheard.Contains(host) ? No($"{host} is not heard") : new(false, new(host, way.Interface, OnLink: true), $"via {host}");
    }

    private static EgressStanding No(string words) => new(false, null, words);

    /// <summary>The replica that this node is itself; of several the first.</summary>
    public EgressReplica? Own(EgressWay way, IpFamily family) =>
        Used(way, family).FirstOrDefault(replica => replica.Node == node);

    /// <summary>Nodes that packets are handed to.</summary>
    public IEnumerable<RouteHop> Hops(EgressWay way, IpFamily family) =>
        Used(way, family).Select(replica => Of(replica, family).Hop).OfType<RouteHop>().Distinct();

    /// <summary>Those that a pod keeps to, while there is one of them; else any.</summary>
    private EgressReplica[] Used(EgressWay way, IpFamily family)
    {
        EgressReplica[] preferred = [.. way.Preferred.Where(IsUsable)];
        return preferred.Length > 0 ? preferred : [.. way.Replicas.Where(IsUsable)];

        bool IsUsable(EgressReplica replica) => Of(replica, family).IsUsable;
    }

    /// <summary>Whether packets of the way may come to this node from others'.</summary>
    public bool Serves(EgressWay way, IpFamily family) => way.Replicas.Any(replica => replica.Node == node && replica.Serves(family));
}
