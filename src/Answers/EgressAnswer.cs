using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary><c>/v1/egress</c>: gateways out of the cluster, and who leaves by them.</summary>
public sealed record EgressAnswer(
    bool Enabled, IReadOnlyList<EgressGatewayAnswer> Gateways, IReadOnlyList<EgressBlockedAnswer> Blocked)
{
    /// <summary>What the kernel refuses of all that leads packets to gateways, with its words; absent where it takes all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Refused { get; init; }

    /// <summary>Absent where flows are not logged on this node.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EgressFlowLogAnswer? FlowLog { get; init; }

    /// <summary>Absent where no flows are given to other nodes, or taken from them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EgressReplicationAnswer? Replication { get; init; }

    /// <summary>Why flows that were asked for (?flows=true) are not told; absent: they are, or were not asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Uncounted { get; init; }

    /// <summary>Why nothing is done by sections of bgpd.yaml that are there; absent: that is not so.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? NotInForce { get; init; }
}

/// <param name="Logged">Flows since the daemon has begun.</param>
/// <param name="Lost">Flows, at least, that came faster than they were heard.</param>
/// <param name="Problem">Why none is logged; null: they are.</param>
public sealed record EgressFlowLogAnswer(long Logged, long Lost, string? Problem);

/// <summary>Flows of pinned gateways that this node shares with others.</summary>
/// <param name="Waits">This node takes no address from another, because it waits for its flows.</param>
/// <param name="Problem">Why others cannot take flows here; null: they can.</param>
public sealed record EgressReplicationAnswer(bool Waits, string? Problem, IReadOnlyList<EgressReplicationPeerAnswer> Peers);

/// <param name="Addresses">Of the gateways that are shared with it.</param>
/// <param name="Given">Null: it has not asked.</param>
public sealed record EgressReplicationPeerAnswer(
    string Node, IReadOnlyList<string> Addresses, EgressTakenAnswer Taken, EgressGivenAnswer? Given);

/// <param name="Held">Addresses that it says it has.</param>
/// <param name="Whole">All of their flows are here, as far as it has told.</param>
/// <param name="Since">Since when that is so, or is not.</param>
/// <param name="Listed">How many flows it had when it told all of them last.</param>
/// <param name="Told">How many flows, and ends of flows, it has told since.</param>
/// <param name="Problem">Why nothing is taken; null: it is.</param>
public sealed record EgressTakenAnswer(
    IReadOnlyList<string> Held, bool Whole, DateTimeOffset Since, long Listed, long Told, string? Problem);

/// <param name="Since">When it was told all flows last.</param>
/// <param name="Listed">How many those were.</param>
/// <param name="Told">How many flows, and ends of flows, since.</param>
/// <param name="Waiting">How many it is to be told yet.</param>
public sealed record EgressGivenAnswer(DateTimeOffset Since, long Listed, long Told, int Waiting);

/// <param name="Name">namespace/name.</param>
/// <param name="Pods">All of the cluster that may leave by it, namespace/name.</param>
public sealed record EgressGatewayAnswer(
    string Name, IReadOnlyList<EgressReplicaAnswer> Replicas, IReadOnlyList<string> Problems, IReadOnlyList<string> Pods)
{
    /// <summary>Absent where they were not asked for, or the gateway has no node here.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EgressFlowsAnswer? Flows { get; init; }
}

/// <summary>Flows that leave by the gateway on this node now, as the kernel has them.</summary>
/// <param name="Whole">False: the table has more connections than are looked at.</param>
/// <param name="ByPod">Those with the most flows first; of more than a thousand pods these.</param>
public sealed record EgressFlowsAnswer(long Total, bool Whole, IReadOnlyList<EgressPodFlowsAnswer> ByPod);

/// <param name="Pod">namespace/name; null: pods that are no more.</param>
public sealed record EgressPodFlowsAnswer(string? Pod, long Flows);

/// <param name="Addresses">What packets leave it with; empty where it is the node's own (a pool with natOutgoing).</param>
/// <param name="Usable">Packets of this node leave by it.</param>
/// <param name="State">How it is reached from this node, or why it is not.</param>
public sealed record EgressReplicaAnswer(string Node, IReadOnlyList<string> Addresses, bool ByHost, bool Usable, string State);

/// <param name="Reason">Why it leaves the cluster by no way.</param>
public sealed record EgressBlockedAnswer(string Pod, string Node, string Reason);

/// <summary><c>/v1/egress/explain</c>: by which gateway a pod's packets to an address leave.</summary>
public sealed record EgressExplanationAnswer(string Verdict, IReadOnlyList<string> Reasons);
