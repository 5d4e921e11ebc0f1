// What of gateways out of the cluster somebody would be woken for, for Prometheus.

using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Egress.Replication;

namespace Calico.Bgp.Control.Http;

internal static class EgressMetrics
{
    /// <summary>Nothing where egress is off.</summary>
    public static void Write(PrometheusText text, EgressView egress)
    {
        if (!egress.Enabled) return;
        var counts = egress.Counts;
        text.Head("calico_bgp_egress_replica_usable", "gauge", "Whether this node can hand packets to a gateway's node, or is it");
        foreach (var gateway in egress.Gateways)
            foreach (var replica in gateway.Replicas)
                text.Sample("calico_bgp_egress_replica_usable", replica.IsUsable ? 1 : 0, ("gateway", $"{gateway.Key}"),
                    ("node", replica.Node));
        OwnMetrics.One(text, "calico_bgp_egress_pods_blocked", "gauge", "Pods that leave the cluster by no way, as this node knows them",
            egress.Blocked.Select(one => one.Pod).Distinct().Count());
        OwnMetrics.One(text, "calico_bgp_egress_refused", "gauge", "Routes, rules, next hops and links of gateways that the kernel refuses",
            egress.Refused.Count);
        text.Head("calico_bgp_egress_address_moves_total", "counter", "Times that a gateway's address came to this node, or left it");
        text.Sample("calico_bgp_egress_address_moves_total", counts.Taken, ("direction", "here"));
        text.Sample("calico_bgp_egress_address_moves_total", counts.GivenUp, ("direction", "away"));
        OwnMetrics.One(text, "calico_bgp_egress_connections_ended_total", "counter",
            "Connections ended, because their pods leave by another way", counts.Ended);
        if (egress.FlowLog is { } log)
        {
            OwnMetrics.One(text, "calico_bgp_egress_flows_logged_total", "counter", "Flows that the log has", log.Logged);
            OwnMetrics.One(text, "calico_bgp_egress_flows_unlogged_total", "counter", "Flows, at least, that came too fast for it",
                log.Lost);
        }
        if (egress.Replication is { } shared) Write(text, shared, counts);
    }

    private static void Write(PrometheusText text, EgressReplicationView shared, EgressCounts counts)
    {
        OwnMetrics.One(text, "calico_bgp_egress_replication_waits", "gauge",
            "1: this node waits for flows before it takes an address", shared.IsBehind ? 1 : 0);
        OwnMetrics.One(text, "calico_bgp_egress_replication_closed", "gauge",
            "1: others cannot ask this node for its flows", shared.Problem == null ? 0 : 1);
        Each("calico_bgp_egress_replication_in_sync", "Whether all flows of a node are here", peer => peer.Taken.IsWhole ? 1 : 0);
        Each("calico_bgp_egress_replication_asked", "Whether a node takes flows of this one", peer => peer.Given == null ? 0 : 1);
        Each("calico_bgp_egress_replication_waiting_flows", "Flows that a node is to be told yet", peer => peer.Given?.Waiting ?? 0);
        const string listed = "calico_bgp_egress_replication_listed_flows", at = "calico_bgp_egress_replication_list_timestamp_seconds";
        text.Head(listed, "gauge", "How many flows there were when all of them were told last");
        foreach (var peer in shared.Peers) WriteOf(listed, peer, peer.Taken.Listed, peer.Given?.Listed);
        text.Head(at, "gauge", "When all flows were told last");
        foreach (var peer in shared.Peers) WriteOf(at, peer, Seconds(peer.Taken.ListedAt), Seconds(peer.Given?.Since));
        const string flows = "calico_bgp_egress_replication_flows_total";
        text.Head(flows, "counter", "Flows, and ends of flows, that nodes have told each other; refused: the kernel did not take them");
        text.Sample(flows, counts.FlowsGiven, ("result", "given"));
        text.Sample(flows, counts.FlowsTaken, ("result", "taken"));
        text.Sample(flows, counts.FlowsRefused, ("result", "refused"));
        OwnMetrics.One(text, "calico_bgp_egress_replication_unwaited_total", "counter",
            "Times that addresses were taken without the flows of who had them", counts.Unwaited);

        void Each(string name, string help, Func<EgressReplicationPeerView, double> value)
        {
            text.Head(name, "gauge", help);
            foreach (var peer in shared.Peers) text.Sample(name, value(peer), ("peer", peer.Node));
        }

        void WriteOf(string name, EgressReplicationPeerView peer, double? taken, double? given)
        {
            if (taken is { } theirs) text.Sample(name, theirs, ("peer", peer.Node), ("direction", "in"));
            if (given is { } ours) text.Sample(name, ours, ("peer", peer.Node), ("direction", "out"));
        }
    }

    private static double? Seconds(DateTimeOffset? time) => time?.ToUnixTimeMilliseconds() / 1000.0;
}
