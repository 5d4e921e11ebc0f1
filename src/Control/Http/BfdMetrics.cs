// What BFD's sessions are measured by. A session that several peers share is counted for each.

using System.Globalization;
using Calico.Bgp.Bfd;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Http;

internal static class BfdMetrics
{
    public static void Write(PrometheusText text, ISpeaker speaker)
    {
        var sessions = (from neighbour in speaker.Bfd from peer in neighbour.Peers select (peer, neighbour.Session)).ToArray();
        if (sessions.Length > 0) WriteSessions(text, sessions);
        if (speaker.Bfd.Count > 0)
            OwnMetrics.One(text, "calico_bgp_bfd_strays_total", "counter", "BFD packets of nobody that is watched", speaker.BfdStrays);
        if (speaker.BfdLateness is { } lateness && lateness.Samples > 0) WriteLateness(text, lateness);
    }

    private static void WriteSessions(PrometheusText text, (string Peer, BfdSessionStatus Session)[] sessions)
    {
        Each("calico_bgp_bfd_session_up", "gauge", "Whether the BFD session with a peer is up", one => one.State == BfdState.Up ? 1 : 0);
        Each("calico_bgp_bfd_up_total", "counter", "Times the BFD session came up", one => one.Ups);
        Each("calico_bgp_bfd_losses_total", "counter", "Times the BFD session was lost, by nobody's order", one => one.Losses);
        Each(
            "calico_bgp_bfd_interval_seconds", "gauge", "How often BFD packets are sent, before jitter", one => one.Interval.TotalSeconds);
        Each(
            "calico_bgp_bfd_detection_time_seconds", "gauge", "After so much silence the BFD session is down",
            one => one.DetectionTime.TotalSeconds);
        text.Head("calico_bgp_bfd_packets_total", "counter", "BFD packets by direction");
        foreach (var (peer, session) in sessions)
        {
            text.Sample("calico_bgp_bfd_packets_total", session.Counters.Received, ("peer", peer), ("direction", "in"));
            text.Sample("calico_bgp_bfd_packets_total", session.Counters.Sent, ("peer", peer), ("direction", "out"));
        }
        Each(
            "calico_bgp_bfd_packets_discarded_total", "counter", "BFD packets that RFC 5880 6.8.6 discards",
            one => one.Counters.Discarded);

        void Each(string name, string type, string help, Func<BfdSessionStatus, double> value)
        {
            text.Head(name, type, help);
            foreach (var (peer, session) in sessions) text.Sample(name, value(session), ("peer", peer));
        }
    }

    private static void WriteLateness(PrometheusText text, BfdLateness lateness)
    {
        const string Name = "calico_bgp_bfd_lateness_seconds";
        text.Head(Name, "histogram", "How late BFD packets leave");
        var sum = 0L;
        for (var bucket = 0; bucket < BfdLateness.Bounds.Length; bucket++)
            text.Sample($"{Name}_bucket", sum += lateness.Count(bucket), ("le", Seconds(BfdLateness.Bounds[bucket])));
        text.Sample($"{Name}_bucket", lateness.Samples, ("le", "+Inf"));
        text.Sample($"{Name}_sum", lateness.Sum.TotalSeconds);
        text.Sample($"{Name}_count", lateness.Samples);
        OwnMetrics.One(text, "calico_bgp_bfd_lateness_seconds_max", "gauge", "The latest BFD packet so far", lateness.Most.TotalSeconds);
    }

    private static string Seconds(int microseconds) => (microseconds / 1e6).ToString("0.######", CultureInfo.InvariantCulture);
}
