// Metrics that BIRD's exporter has no name for: messages by type, sessions by state, the kernel's table and
// memory by purpose.

using Calico.Bgp.Dataplane;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Http;

internal static class OwnMetrics
{
    public static void WriteRouter(PrometheusText text, RouterStatus router, bool ready, KernelStatus kernel, MemoryReport memory)
    {
        text.Head("calico_bgp_info", "gauge", "What this speaker is");
        text.Sample(
            "calico_bgp_info", 1, ("version", router.Version), ("router_id", router.RouterId.ToString()), ("as", router.As.ToString()),
            ("host", router.HostName));
        One(text, "calico_bgp_start_time_seconds", "gauge", "When the daemon started", router.Started.ToUnixTimeMilliseconds() / 1000.0);
        One(text, "calico_bgp_ready", "gauge", "Whether the first tables have been exchanged", ready ? 1 : 0);
        One(
            text, "calico_bgp_restart_waits", "gauge", "After a restart, End-of-RIBs that are waited for before peers' routes are taken",
            router.Recovery?.Waits ?? 0);
        text.Head("calico_bgp_fib_routes", "gauge", "Routes for the kernel's table by state");
        text.Sample("calico_bgp_fib_routes", kernel.Wanted, ("state", "wanted"));
        text.Sample("calico_bgp_fib_routes", kernel.Installed, ("state", "installed"));
        text.Sample("calico_bgp_fib_routes", kernel.Pending, ("state", "pending"));
        text.Sample("calico_bgp_fib_routes", kernel.Refusals.Length, ("state", "refused"));
        One(text, "calico_bgp_fib_writes_total", "counter", "Changes written to the kernel's table", kernel.Writes);
        One(text, "calico_bgp_fib_failures_total", "counter", "Changes that the kernel refused", kernel.Failures);
        One(text, "calico_bgp_fib_resyncs_total", "counter", "Times the kernel's tables were read anew", kernel.Resyncs);
        text.Head("calico_bgp_memory_bytes", "gauge", "Memory by purpose");
        text.Sample("calico_bgp_memory_bytes", memory.RoutingTables, ("purpose", "routing_tables"));
        text.Sample("calico_bgp_memory_bytes", memory.RouteAttributes, ("purpose", "route_attributes"));
        text.Sample("calico_bgp_memory_bytes", memory.Protocols, ("purpose", "protocols"));
        text.Sample("calico_bgp_memory_bytes", memory.Configuration, ("purpose", "configuration"));
    }

    /// <summary>As Prometheus' own exporters name it: what is in force, and whether what lies on the disk was taken.</summary>
    /// <param name="started">A start has read the configuration too.</param>
    public static void WriteConfiguration(PrometheusText text, IDaemon daemon, DateTimeOffset started)
    {
        var taken = daemon.LastReload is not { Refused: not null };
        One(text, "calico_bgp_config_last_reload_successful", "gauge", "Whether bgpd.yaml was taken when it was last read", taken ? 1 : 0);
        One(
            text, "calico_bgp_config_last_reload_success_timestamp_seconds", "gauge", "When a configuration was last taken",
            (daemon.LastTaken ?? started).ToUnixTimeMilliseconds() / 1000.0);
        if (daemon.Sources.Count > 0)
            text.Head("calico_bgp_source_in_sync", "gauge", "Whether a source of resources has been read, and is told of every change");
        foreach (var source in daemon.Sources)
            text.Sample("calico_bgp_source_in_sync", source.State.InSyncSince == null ? 0 : 1, ("source", source.Name));
        if (daemon.Planned is not { } plan) return;
        text.Head("calico_bgp_resource_problems", "gauge", "What is wrong with the resources: an error keeps it out of force");
        var refused = plan.ResourceProblems.Count(problem => problem.Severity == ProblemSeverity.Error);
        text.Sample("calico_bgp_resource_problems", refused, ("severity", "error"));
        text.Sample(
            "calico_bgp_resource_problems", plan.ResourceProblems.Length - refused + plan.Plan.Problems.Count, ("severity", "warning"));
    }

    /// <summary>By name: where there are several of a name (sessions), the longest and the sum.</summary>
    public static void WriteLoops(PrometheusText text, IReadOnlyList<LoopStatus> loops)
    {
        var byName = loops.GroupBy(loop => loop.Name).ToArray();
        text.Head("calico_bgp_loop_turn_seconds_max", "gauge", "The longest that a loop was at work without taking up something else");
        foreach (var loop in byName)
            text.Sample("calico_bgp_loop_turn_seconds_max", loop.Max(one => one.LongestTurn).TotalSeconds, ("loop", loop.Key));
        text.Head("calico_bgp_loop_defects_total", "counter", "Mistakes in this program that loops have met");
        foreach (var loop in byName) text.Sample("calico_bgp_loop_defects_total", loop.Sum(one => one.Defects), ("loop", loop.Key));
    }

    public static void WriteNat(PrometheusText text, NatView nat)
    {
        text.Head("calico_bgp_nat_pools", "gauge", "Pools by who translates what leaves them");
        foreach (var treatment in Enum.GetValues<PoolTreatment>())
            text.Sample("calico_bgp_nat_pools", nat.Plan.Pools.Count(pool => pool.Treatment == treatment), ("treatment", treatment.Word()));
        One(text, "calico_bgp_nat_transactions_total", "counter", "Changes written to our table of nftables", nat.Table.Transactions);
        One(text, "calico_bgp_nat_repairs_total", "counter", "Times somebody else had changed that table", nat.Table.Repairs);
        One(text, "calico_bgp_nat_refused", "gauge", "Parts of that table that the kernel refuses", nat.Table.Problems.Length);
        One(text, "calico_bgp_nat_connections_cut_total", "counter", "Connections cut because pools changed", nat.ConnectionsCut);
    }

    public static void WriteSessions(PrometheusText text, IReadOnlyList<ProtocolStatus> protocols)
    {
        text.Head("calico_bgp_sessions", "gauge", "Sessions by state");
        foreach (var phase in Enum.GetValues<Phase>())
        {
            var count = protocols.Count(protocol => protocol.Session?.Phase == phase);
            text.Sample("calico_bgp_sessions", count, ("state", StatusAnswers.Word(phase)));
        }

        text.Head("calico_bgp_messages_total", "counter", "BGP messages of the current session by direction and type");
        Each(protocols, (peer, counters) => Messages(text, peer, counters));
        text.Head("calico_bgp_message_bytes_total", "counter", "Octets of BGP messages of the current session");
        Each(protocols, (peer, counters) =>
        {
            text.Sample("calico_bgp_message_bytes_total", counters.In.Octets, ("peer", peer), ("direction", "in"));
            text.Sample("calico_bgp_message_bytes_total", counters.Out.Octets, ("peer", peer), ("direction", "out"));
        });
        text.Head("calico_bgp_attributes_discarded_total", "counter", "Malformed attributes that were dropped (RFC 7606)");
        Each(protocols, (peer, counters) => text.Sample(
            "calico_bgp_attributes_discarded_total", counters.AttributesDiscarded, ("peer", peer)));
        text.Head("calico_bgp_treated_as_withdrawn_total", "counter", "Malformed updates whose routes count as withdrawn (RFC 7606)");
        Each(protocols, (peer, counters) => text.Sample(
            "calico_bgp_treated_as_withdrawn_total", counters.TreatedAsWithdrawn, ("peer", peer)));
        text.Head("calico_bgp_established_total", "counter", "Times the session became established");
        foreach (var (name, session) in Sessions(protocols))
            text.Sample("calico_bgp_established_total", session.EstablishedTransitions, ("peer", name));
        text.Head("calico_bgp_peer_hold_time_seconds", "gauge", "Hold time of the current session; 0: none is kept (RFC 4271 4.2)");
        foreach (var (name, session) in Sessions(protocols))
            if (session is { Phase: Phase.Established, Negotiated: { } agreed })
                text.Sample("calico_bgp_peer_hold_time_seconds", agreed.HoldTime, ("peer", name));
        text.Head(
            "calico_bgp_peer_last_error_timestamp_seconds", "gauge", "When a peer's last NOTIFICATION, socket error or loss of link was");
        foreach (var (name, session) in Sessions(protocols))
        {
            LastError(text, name, "sent", session.Faults.Sent);
            LastError(text, name, "received", session.Faults.Received);
            LastError(text, name, "socket", session.Faults.Socket);
            LastError(text, name, "way", session.Faults.Way);
        }
    }

    public static void WriteRoutes(PrometheusText text, IReadOnlyList<ProtocolStatus> protocols)
    {
        text.Head(
            "calico_bgp_stale_seconds_left", "gauge",
            "Of families that a lost session left: until their stale routes go, or become the last resort (long_lived)");
        foreach (var protocol in protocols)
            foreach (var kept in protocol.Kept)
                text.Sample(
                    "calico_bgp_stale_seconds_left", kept.Left.TotalSeconds, ("peer", protocol.Name), ("family", kept.Family.Word()),
                    ("long_lived", kept.IsLong ? "true" : "false"));
        text.Head("calico_bgp_routes", "gauge", "Routes of a peer by family and place");
        foreach (var (peer, channel) in Channels(protocols))
        {
            Route(text, peer, channel, "received", channel.Routes.Imported + channel.Routes.Filtered);
            Route(text, peer, channel, "accepted", channel.Routes.Imported);
            Route(text, peer, channel, "filtered", channel.Routes.Filtered);
            Route(text, peer, channel, "preferred", channel.Routes.Preferred);
            Route(text, peer, channel, "advertised", channel.Routes.Exported);
        }
        text.Head(
            "calico_bgp_as_set_updates_total", "counter", "Announced prefixes that an AS_SET made count as withdrawn (RFC 9774)");
        foreach (var (peer, channel) in Channels(protocols))
            text.Sample("calico_bgp_as_set_updates_total", channel.AsSets, ("peer", peer), ("family", channel.Family.Word()));
        text.Head("calico_bgp_route_changes_total", "counter", "Announced and withdrawn prefixes by direction");
        foreach (var (peer, channel) in Channels(protocols))
        {
            Change(text, peer, channel, "in", "update", channel.Counts.ImportUpdates.Received);
            Change(text, peer, channel, "in", "withdraw", channel.Counts.ImportWithdraws.Received);
            Change(text, peer, channel, "out", "update", channel.Counts.ExportUpdates.Accepted);
            Change(text, peer, channel, "out", "withdraw", channel.Counts.ExportWithdraws.Accepted);
        }
    }

    public static void One(PrometheusText text, string name, string type, string help, double value)
    {
        text.Head(name, type, help);
        text.Sample(name, value);
    }

    private static IEnumerable<(string Peer, ChannelStatus Channel)> Channels(IReadOnlyList<ProtocolStatus> protocols) =>
        from protocol in protocols
        where protocol.Session != null
        from channel in protocol.Channels
        select (protocol.Name, channel);

    private static IEnumerable<(string Peer, SessionSnapshot Session)> Sessions(IReadOnlyList<ProtocolStatus> protocols) =>
        from protocol in protocols
        where protocol.Session != null
        select (protocol.Name, protocol.Session);

    private static void Each(IReadOnlyList<ProtocolStatus> protocols, Action<string, MessageCounters> write)
    {
        foreach (var (peer, session) in Sessions(protocols)) write(peer, session.Counters);
    }

    private static void LastError(PrometheusText text, string peer, string kind, SessionFault? fault)
    {
        if (fault == null) return;
        var at = fault.At.ToUnixTimeMilliseconds() / 1000.0;
        text.Sample("calico_bgp_peer_last_error_timestamp_seconds", at, ("peer", peer), ("kind", kind));
    }

    private static void Messages(PrometheusText text, string peer, MessageCounters counters)
    {
        Message(text, peer, "open", counters.In.Opens, counters.Out.Opens);
        Message(text, peer, "update", counters.In.Updates, counters.Out.Updates);
        Message(text, peer, "notification", counters.In.Notifications, counters.Out.Notifications);
        Message(text, peer, "keepalive", counters.In.Keepalives, counters.Out.Keepalives);
        Message(text, peer, "route_refresh", counters.In.Refreshes, counters.Out.Refreshes);
    }

    private static void Message(PrometheusText text, string peer, string type, long received, long sent)
    {
        text.Sample("calico_bgp_messages_total", received, ("peer", peer), ("direction", "in"), ("type", type));
        text.Sample("calico_bgp_messages_total", sent, ("peer", peer), ("direction", "out"), ("type", type));
    }

    private static void Route(PrometheusText text, string peer, ChannelStatus channel, string place, long count) =>
        text.Sample("calico_bgp_routes", count, ("peer", peer), ("family", channel.Family.Word()), ("place", place));

    private static void Change(PrometheusText text, string peer, ChannelStatus channel, string direction, string change, long count) =>
        text.Sample(
            "calico_bgp_route_changes_total", count, ("peer", peer), ("family", channel.Family.Word()), ("direction", direction),
            ("change", change));
}
