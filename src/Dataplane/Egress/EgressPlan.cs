using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>A node, or a pod, that is a gateway, and the addresses that packets leave it with.</summary>
/// <param name="Gateway">Of a pod its own key.</param>
/// <param name="Hosts">The node's own addresses, or the pod's, by which others reach it.</param>
/// <param name="Addresses">Of the gateway's pools, one of a family.</param>
/// <param name="ByHost">Families in which a pool has natOutgoing, so that packets leave with the node's own address.</param>
public sealed record EgressReplica(
    ResourceKey Gateway, string Node, ListOf<Address> Hosts, ListOf<Address> Addresses, ListOf<IpFamily> ByHost)
{
    /// <summary>It is a pod on that node, and not the node.</summary>
    public bool IsPod { get; init; }

    /// <summary>Why it takes no packets, as its pod says; null: it does.</summary>
    public string? Unready { get; init; }

    /// <summary>Its targets upstream are asked.</summary>
    public bool IsProbed { get; init; }

    /// <summary>Its node is other such gateways, too: what it says may be of another, where it does not say of which.</summary>
    public bool IsOneOfSeveral { get; init; }

    /// <summary>Whose routes its packets go by before its node's (ExternalNetwork); null: its node's alone.</summary>
    public int? RouteTable { get; init; }

    /// <summary>It is that node itself.</summary>
    public bool Is(string node) => !IsPod && Node == node;

    /// <summary>It sends with that address, or is reached by it.</summary>
    public bool Has(Address address) => Addresses.Contains(address) || Hosts.Contains(address);

    public Address? HostOf(IpFamily family) => Of(Hosts, family);

    public Address? AddressOf(IpFamily family) => Of(Addresses, family);

    /// <summary>It has something to send with.</summary>
    public bool Serves(IpFamily family) => AddressOf(family) != null || ByHost.Contains(family);

    private static Address? Of(ListOf<Address> some, IpFamily family)
    {
        foreach (var one in some)
            if (one.Family == family) return one;
        return null;
    }
}

/// <param name="Problems">Nodes without an address, pools that are not there.</param>
public sealed record EgressGatewayPlan(ResourceKey Key, ListOf<EgressReplica> Replicas, ListOf<string> Problems)
{
    /// <summary>What selectors see, the labels of its namespace apart.</summary>
    public Labels Labels { get; init; } = Labels.Empty;
    public Labels NamespaceLabels { get; init; } = Labels.Empty;

    /// <summary>The node's among those that may have the address, from 0; null: it is none of them.</summary>
    public uint? PlaceOf(string node, Address address)
    {
        for (var at = 0; at < Replicas.Count; at++)
            if (Replicas[at].Is(node) && Replicas[at].Addresses.Contains(address)) return (uint)at;
        return null;
    }

    /// <summary>By what its nodes know that it leads anywhere.</summary>
    public ListOf<EgressProbe> Probes { get; init; } = [];
}

/// <summary>Replicas that one pod's packets may leave by.</summary>
/// <param name="Words">Which gateways were asked for: what is the same is one way, whatever replicas there are.</param>
/// <param name="Preferred">Of the replicas those that a pod with maxNextHops uses while any of them is there; empty: all.</param>
public sealed record EgressWay(string Words, ListOf<EgressReplica> Replicas, ListOf<EgressReplica> Preferred)
{
    /// <summary>The gateway that has it is used where there is no other; null: none is avoided.</summary>
    public Address? Avoided { get; init; }

    public bool Avoids(EgressReplica replica) => Avoided is { } address && replica.Has(address);
}

/// <param name="To">Null: as if there were no gateways.</param>
public sealed record EgressClassRule(Prefix Destination, EgressWay? To)
{
    /// <summary>What begins while a gateway is under maintenance goes by this one, and what has begun goes on; null: none is.</summary>
    public EgressWay? Moved { get; init; }

    /// <summary>The maintenance is over: what has begun in it goes on by its way, and what begins now goes as before.</summary>
    public bool IsOver { get; init; }
}

/// <summary>All that have the same rules, whatever their names: the longest destinations first, in each family.</summary>
public sealed record EgressClass(ListOf<EgressClassRule> Rules)
{
    public EgressClassRule? For(Address destination)
    {
        foreach (var rule in Rules)
            if (rule.Destination.Contains(destination)) return rule;
        return null;
    }
}

/// <summary>A pod, and how it leaves.</summary>
internal readonly record struct EgressPodUse(EgressPod Pod, EgressUse Use)
{
    public IEnumerable<EgressWay> Ways => Use.Class?.Rules.SelectMany(rule => new[] { rule.To, rule.Moved }).OfType<EgressWay>() ?? [];
}

/// <summary>How a pod leaves the cluster.</summary>
/// <param name="Class">Null: as if there were no gateways; or it leaves by no way.</param>
/// <param name="Blocked">Why it leaves by no way; null: it does.</param>
public readonly record struct EgressUse(EgressClass? Class, string? Blocked = null)
{
    public static readonly EgressUse None = new(null);
}
