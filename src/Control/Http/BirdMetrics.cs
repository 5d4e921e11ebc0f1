// bird_exporter's metrics, by the names and labels of its current format, one series per protocol and family.

using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Http;

/// <summary>The metrics of bird_exporter's new format: labels name, proto, ip_version, import_filter and export_filter.</summary>
internal static class BirdMetrics
{
    public sealed record Metric(string Name, string Type, string Help, Func<ProtocolStatus, ChannelStatus, DateTimeOffset, double> Value);

    public static readonly Metric[] OfChannels =
    [
        new("bird_protocol_up", "gauge", "Protocol is up", (protocol, channel, _) => protocol.Up && channel.Up ? 1 : 0),
        new("bird_protocol_uptime", "gauge", "Seconds since the protocol came up", (protocol, _, now) => Uptime(protocol, now)),
        Gauge("prefix_import_count", "Number of imported routes", channel => channel.Routes.Imported),
        Gauge("prefix_export_count", "Number of exported routes", channel => channel.Routes.Exported),
        Gauge("prefix_filter_count", "Number of filtered routes", channel => channel.Routes.Filtered),
        Gauge("prefix_preferred_count", "Number of preferred routes", channel => channel.Routes.Preferred),
        Change("update_import_receive", "Number of received updates", counts => counts.ImportUpdates.Received),
        Change("update_import_reject", "Number of incoming updates being rejected", counts => counts.ImportUpdates.Rejected),
        Change("update_import_filter", "Number of incoming updates being filtered", counts => counts.ImportUpdates.Filtered),
        Change("update_import_ignore", "Number of incoming updates being ignored", counts => counts.ImportUpdates.Ignored),
        Change("update_import_accept", "Number of incoming updates being accepted", counts => counts.ImportUpdates.Accepted),
        Change("withdraw_import_receive", "Number of received withdraws", counts => counts.ImportWithdraws.Received),
        Change("withdraw_import_reject", "Number of incoming withdraws being rejected", counts => counts.ImportWithdraws.Rejected),
        Change("withdraw_import_ignore", "Number of incoming withdraws being ignored", counts => counts.ImportWithdraws.Ignored),
        Change("withdraw_import_accept", "Number of incoming withdraws being accepted", counts => counts.ImportWithdraws.Accepted),
        Change("update_export_receive", "Number of updates offered for export", counts => counts.ExportUpdates.Received),
        Change("update_export_reject", "Number of outgoing updates being rejected", counts => counts.ExportUpdates.Rejected),
        Change("update_export_filter", "Number of outgoing updates being filtered", counts => counts.ExportUpdates.Filtered),
        Change("update_export_accept", "Number of outgoing updates being accepted", counts => counts.ExportUpdates.Accepted),
        Change("withdraw_export_receive", "Number of withdraws offered for export", counts => counts.ExportWithdraws.Received),
        Change("withdraw_export_accept", "Number of outgoing withdraws being accepted", counts => counts.ExportWithdraws.Accepted),
    ];

    public static void Write(PrometheusText text, Metric metric, IReadOnlyList<ProtocolStatus> protocols, DateTimeOffset now)
    {
        text.Head(metric.Name, metric.Type, metric.Help);
        foreach (var protocol in protocols)
            foreach (var channel in protocol.Channels) Sample(text, metric, protocol, channel, metric.Value(protocol, channel, now));
    }

    public static void WriteDaemon(PrometheusText text, RouterStatus router)
    {
        text.Head("bird_daemon_up", "gauge", "Whether the daemon is up");
        text.Sample("bird_daemon_up", 1);
        text.Head("bird_daemon_info", "gauge", "What the daemon is");
        text.Sample("bird_daemon_info", 1, ("router_id", router.RouterId.ToString()), ("version", router.Version));
        text.Head("bird_last_reboot_timestamp_seconds", "gauge", "When the daemon started");
        text.Sample("bird_last_reboot_timestamp_seconds", router.Started.ToUnixTimeSeconds());
        text.Head("bird_last_reconfig_timestamp_seconds", "gauge", "When the daemon last took a configuration");
        text.Sample("bird_last_reconfig_timestamp_seconds", router.Reconfigured.ToUnixTimeSeconds());
    }

    public static void WriteStates(PrometheusText text, IReadOnlyList<ProtocolStatus> protocols)
    {
        text.Head("bird_bgp_state_count", "gauge", "State of each BGP protocol");
        foreach (var protocol in protocols)
        {
            if (protocol.Session == null) continue;
            text.Sample("bird_bgp_state_count", 1, ("name", protocol.Name), ("proto", "BGP"), ("state", State(protocol)));
        }
    }

    // Only "up" has the state as a label: on the others it would break a series with every change.
    private static void Sample(PrometheusText text, Metric metric, ProtocolStatus protocol, ChannelStatus channel, double value)
    {
        ReadOnlySpan<(string, string)> labels =
        [
            ("name", protocol.Name), ("proto", Proto(protocol.Kind)), ("ip_version", channel.Family == Net.IpFamily.IPv4 ? "4" : "6"),
            ("import_filter", channel.Import.Name), ("export_filter", channel.Export.Name), ("state", State(protocol)),
        ];
        text.Sample(metric.Name, value, metric == OfChannels[0] ? labels : labels[..5]);
    }

    private static double Uptime(ProtocolStatus protocol, DateTimeOffset now) =>
        protocol.Up ? Math.Max(0, (now - protocol.Since).TotalSeconds) : 0;

    private static string State(ProtocolStatus protocol) => protocol.Session?.Phase.ToString() ?? "";

    private static string Proto(ProtocolKind kind) =>
        kind is ProtocolKind.Bgp or ProtocolKind.Bfd ? kind.ToString().ToUpperInvariant() : kind.ToString();

    private static Metric Gauge(string name, string help, Func<ChannelStatus, long> value) =>
        new($"bird_protocol_{name}", "gauge", help, (_, channel, _) => value(channel));

    // Gauges there and so here, though they count: a query written for one type warns on the other.
    private static Metric Change(string name, string help, Func<UpdateCounts, long> value) =>
        new($"bird_protocol_changes_{name}_count", "gauge", help, (_, channel, _) => value(channel.Counts));
}
