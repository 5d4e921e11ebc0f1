using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>A way to other nodes: packets with its mark ask its table.</summary>
/// <param name="Hops">Of both families; where there is none of a family, its packets do not leave.</param>
internal sealed record EgressTable(int Number, uint Mark, ListOf<RouteHop> Hops)
{
    /// <summary>Tells whose table it is (<see cref="EgressNumbers.TagOf"/>).</summary>
    public uint Tag { get; init; }
}

/// <summary>What others do for gateways.</summary>
/// <param name="Announced">Addresses that this node is the gateway of, and serves by now.</param>
/// <param name="Watched">Nodes that are to be watched.</param>
public sealed record EgressTidings(ListOf<EgressAnnounced> Announced, ListOf<EgressNeighbour> Watched, EgressProbing Probing)
{
    public static readonly EgressTidings None = new([], [], new(TimeSpan.Zero, 0));

    /// <summary>Of those announced the ones that neighbours on a link look for there.</summary>
    public ListOf<EgressClaim> Claimed { get; init; } = [];

    /// <summary>Gateways that are this node, whose targets upstream are to be asked.</summary>
    public ListOf<EgressProbed> Probed { get; init; } = [];

    /// <summary>This node waits for flows of others, and says so to those that watch it.</summary>
    public bool IsBehind { get; init; }
}

/// <summary>An address of a gateway's that others reach by this node.</summary>
/// <param name="Place">Among the nodes that may have it, the first of which is meant; null: no other node has it.</param>
public readonly record struct EgressAnnounced(Address Address, uint? Place);

/// <param name="Mark">Of the questions, so that they leave as what the gateway is for does; 0: as this node's own.</param>
public sealed record EgressProbed(ResourceKey Gateway, ListOf<EgressProbe> Probes, uint Mark);

/// <summary>Gateways whose targets upstream do not answer.</summary>
/// <param name="Here">Those that are this node, and what is wrong.</param>
/// <param name="Nodes">Addresses of nodes that say so of a gateway of theirs, and not of which.</param>
public sealed record EgressFailing(ImmutableDictionary<ResourceKey, string> Here, ImmutableHashSet<Address> Nodes)
{
    public static readonly EgressFailing None = new(ImmutableDictionary<ResourceKey, string>.Empty, []);

    /// <summary>Addresses of nodes with the gateways of which they say so (<see cref="GatewayRemark.NumberOf"/>).</summary>
    public ImmutableHashSet<(Address Node, uint Gateway)> There { get; init; } = [];

    /// <summary>Addresses of nodes that wait for flows of others.</summary>
    public ImmutableHashSet<Address> Behind { get; init; } = [];

    public bool Says(EgressFailing other) => Behind.SetEquals(other.Behind) && There.SetEquals(other.There)
        && Nodes.SetEquals(other.Nodes) && Here.Count == other.Here.Count && !Here.Except(other.Here).Any();
}

/// <summary>An address of a gateway's that lies in a network of a link.</summary>
public readonly record struct EgressClaim(Address Address, EgressLink On);

public readonly record struct EgressLink(int Index, string Name, MacAddress Mac);

/// <param name="Multiplier">How many may be missed.</param>
public sealed record EgressProbing(TimeSpan Interval, int Multiplier)
{
    /// <summary>How long a node is believed whose daemon is not heard, and that answers by itself.</summary>
    public TimeSpan RestartTime { get; init; }
}

/// <summary>A node that is to be watched.</summary>
/// <param name="Interface">The link of ours that it is on; 0: it is several hops away.</param>
/// <param name="Local">What this node says that with; null: what the route says.</param>
public readonly record struct EgressNeighbour(Address Host, int Interface, Address? Local = null);

/// <summary>What is wanted of routes, rules and next hops.</summary>
/// <param name="Here">Addresses of gateways that are this node: announced while what they need is in force.</param>
internal sealed record EgressRoutes(uint Mask, int Priority, ListOf<EgressTable> Tables, ListOf<Address> Here)
{
    public static readonly EgressRoutes None = new(0, 0, [], []);

    /// <summary>Tables that others keep, by which packets leave that this node is the gateway of.</summary>
    public ListOf<EgressNetwork> Networks { get; init; } = [];

    /// <summary>The overlay's link, and who is on it.</summary>
    public ListOf<KernelObject> Overlay { get; init; } = [];
}

/// <param name="Mark">Of packets that go by it.</param>
internal readonly record struct EgressNetwork(uint Mark, uint Table, uint Priority);
