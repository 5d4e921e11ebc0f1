using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress.Replication;

/// <summary>Whose flows this node takes, and whom it gives its own.</summary>
/// <param name="Own">This node's addresses, at which the others ask.</param>
/// <param name="Held">Addresses of shared gateways that are here.</param>
/// <param name="Pools">Where pods have their addresses from: nobody else's flows are taken.</param>
/// <param name="Inside">Pools and nodes: no flow leads there.</param>
/// <param name="MarkMask">Bits of a connection's mark that mean something else on each node.</param>
internal sealed record ReplicationPlan(
    ushort Port, ListOf<Address> Own, ListOf<ReplicationPeer> Peers, ListOf<Address> Held, ListOf<Prefix> Pools, ListOf<Prefix> Inside,
    uint MarkMask)
{
    /// <summary>This node's own pods: what they send leaves their node untranslated while another holds the address.</summary>
    public required Lazy<IReadOnlySet<Address>> Local { get; init; }

    /// <summary>Nodes that are watched and not heard.</summary>
    public ImmutableHashSet<Address> Unheard { get; init; } = [];

    /// <summary>Others are watched, and nobody is heard: whatever passes them, passes this node by.</summary>
    public bool IsAlone { get; init; }

    /// <summary>This node waits for flows of others: where it has an address for want of them, they know better of its flows.</summary>
    public bool IsBehind { get; init; }

    /// <summary>Of that address's flows nobody knows better.</summary>
    public bool Knows(Address address) => !IsBehind && Held.Contains(address);

    /// <summary>Null: nobody that shares a gateway with this node has that address.</summary>
    public ReplicationPeer? PeerAt(Address host)
    {
        foreach (var peer in Peers)
            if (peer.Hosts.Contains(host)) return peer;
        return null;
    }
}

/// <summary>Another node of pinned gateways that this node is one of.</summary>
/// <param name="Shared">Their addresses.</param>
/// <param name="IsLater">Of one of them it stands behind this node, and gives it up when this one is there.</param>
internal sealed record ReplicationPeer(string Node, ListOf<Address> Hosts, ListOf<Address> Shared, bool IsLater);

/// <summary>Flows of gateways that this node shares with others.</summary>
/// <param name="IsBehind">It waits for flows before it takes an address from who has it.</param>
/// <param name="Problem">Why others cannot take flows here; null: they can.</param>
public sealed record EgressReplicationView(bool IsBehind, string? Problem, ListOf<EgressReplicationPeerView> Peers);

/// <param name="Addresses">Of the gateways that are shared with it.</param>
public sealed record EgressReplicationPeerView(string Node, ListOf<Address> Addresses, EgressTakenView Taken, EgressGivenView? Given);

/// <summary>What is taken of another node's flows.</summary>
/// <param name="Held">Addresses that it says are there.</param>
/// <param name="IsWhole">All of their flows are here, as far as it has told.</param>
/// <param name="Since">Since when that is so, or is not.</param>
/// <param name="Listed">How many flows it had when it said all of them last.</param>
/// <param name="Told">How many it has told since.</param>
/// <param name="Problem">Why nothing is taken; null: something is.</param>
public sealed record EgressTakenView(
    ListOf<Address> Held, bool IsWhole, DateTimeOffset Since, long Listed, long Told, string? Problem)
{
    /// <summary>When it has said all of them last; null: never yet.</summary>
    public DateTimeOffset? ListedAt { get; init; }
}

/// <summary>What another node is given.</summary>
/// <param name="Listed">How many flows it was told when it was told all of them last.</param>
/// <param name="Told">How many since.</param>
/// <param name="Waiting">How many it is to be told yet.</param>
public sealed record EgressGivenView(DateTimeOffset Since, long Listed, long Told, int Waiting);
