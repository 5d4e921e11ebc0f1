namespace Calico.Bgp.Answers;

/// <summary><c>/v1/egress</c>: gateways out of the cluster, and who leaves by them.</summary>
public sealed record EgressAnswer(
    bool Enabled, IReadOnlyList<EgressGatewayAnswer> Gateways, IReadOnlyList<EgressBlockedAnswer> Blocked);

/// <param name="Name">namespace/name.</param>
/// <param name="Pods">All of the cluster that may leave by it, namespace/name.</param>
public sealed record EgressGatewayAnswer(
    string Name, IReadOnlyList<EgressReplicaAnswer> Replicas, IReadOnlyList<string> Problems, IReadOnlyList<string> Pods);

/// <param name="Addresses">What packets leave it with; empty where it is the node's own (a pool with natOutgoing).</param>
/// <param name="Usable">Packets of this node leave by it.</param>
/// <param name="State">How it is reached from this node, or why it is not.</param>
public sealed record EgressReplicaAnswer(string Node, IReadOnlyList<string> Addresses, bool ByHost, bool Usable, string State);

/// <param name="Reason">Why it leaves the cluster by no way.</param>
public sealed record EgressBlockedAnswer(string Pod, string Node, string Reason);

/// <summary><c>/v1/egress/explain</c>: by which gateway a pod's packets to an address leave.</summary>
public sealed record EgressExplanationAnswer(string Verdict, IReadOnlyList<string> Reasons);
