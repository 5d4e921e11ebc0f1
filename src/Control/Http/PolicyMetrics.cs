// What network policy decides and has, for Prometheus. Counters are read from the kernel for the scrape that asks; nobody polls them.

using System.ComponentModel;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Control.Http;

internal static class PolicyMetrics
{
    /// <summary>Nothing where policy is off.</summary>
    public static async Task WriteAsync(PrometheusText text, IDataplane dataplane, CancellationToken stop)
    {
        var policy = dataplane.Policy;
        if (!policy.Enabled) return;
        OwnMetrics.One(text, "calico_bgp_policy_policies", "gauge", "Network policies that are enforced", policy.Policies);
        text.Head("calico_bgp_policy_endpoints", "gauge", "Endpoints on this node's interfaces");
        text.Sample("calico_bgp_policy_endpoints", policy.Workloads, ("kind", "workload"));
        text.Sample("calico_bgp_policy_endpoints", policy.Hosts, ("kind", "host"));
        OwnMetrics.One(text, "calico_bgp_policy_endpoints_without_interface", "gauge",
            "Workloads of this node whose interface is not here, or is called otherwise", policy.WithoutInterface);
        OwnMetrics.One(text, "calico_bgp_policy_programs", "gauge", "Programs that these endpoints share", policy.Programs);
        OwnMetrics.One(text, "calico_bgp_policy_sets", "gauge", "Sets that their rules match by", policy.Sets);
        if (dataplane.View.Table.LastTransaction is { } last)
            OwnMetrics.One(text, "calico_bgp_policy_last_transaction_timestamp_seconds", "gauge", "When our table was last changed",
                last.ToUnixTimeMilliseconds() / 1000.0);
        OwnMetrics.One(text, "calico_bgp_policy_closed", "gauge", "Policies that are closed: the kernel refuses a rule of them",
            policy.Problems.Length);
        OwnMetrics.One(text, "calico_bgp_policy_connections_cut_total", "counter",
            "Connections cut: a change forbids them, or their pod is gone", policy.ConnectionsCut);
        OwnMetrics.One(text, "calico_bgp_policy_log_lost_total", "counter", "Logged packets that nobody took: more came than are kept",
            dataplane.Denied.Lost);
        if (dataplane.Dns is { IsInUse: true } dns) WriteNames(text, dns);
        if (await CountsAsync(dataplane, stop).ConfigureAwait(false) is not { } counts) return;
        WriteDenied(text, counts);
        text.Head("calico_bgp_policy_packets_total", "counter", "Connections' first packets that a policy or a profile has decided");
        foreach (var count in counts.Policies) Write(text, "calico_bgp_policy_packets_total", count, one => one.Packets);
        text.Head("calico_bgp_policy_bytes_total", "counter", "Their octets");
        foreach (var count in counts.Policies) Write(text, "calico_bgp_policy_bytes_total", count, one => one.Octets);
    }

    private static void WriteNames(PrometheusText text, DnsView dns)
    {
        OwnMetrics.One(text, "calico_bgp_dns_name_lists", "gauge", "Different lists of names that rules allow", dns.Lists);
        OwnMetrics.One(text, "calico_bgp_dns_open", "gauge", "Addresses that names have opened, each for whom it is open", dns.Open);
        OwnMetrics.One(text, "calico_bgp_dns_unheard", "gauge", "1: nothing is learned, because the kernel does not let us listen",
            dns.Problem == null ? 0 : 1);
        OwnMetrics.One(text, "calico_bgp_dns_unheld", "gauge",
            "1: nothing waits until the kernel has what a response opens, though it should: the kernel has no queues",
            dns.Unheld == null ? 0 : 1);
        OwnMetrics.One(text, "calico_bgp_dns_names", "gauge", "Names that are known, of all endpoints", dns.Names);
        OwnMetrics.One(text, "calico_bgp_dns_streams", "gauge", "Directions of TCP connections whose messages are put together",
            dns.Streams);
        OwnMetrics.One(text, "calico_bgp_dns_given_up_total", "counter", "Times that something was forgotten because something was full",
            dns.GivenUp);
        var counts = dns.Counts;
        OwnMetrics.One(text, "calico_bgp_dns_queries_total", "counter", "Queries to trusted servers that were looked at", counts.Queries);
        text.Head("calico_bgp_dns_responses_total", "counter", "Responses of trusted servers that were looked at, by what came of them");
        text.Sample("calico_bgp_dns_responses_total", counts.Held, ("result", "held"));
        text.Sample("calico_bgp_dns_responses_total", counts.Unasked, ("result", "unasked"));
        text.Sample("calico_bgp_dns_responses_total", counts.Damaged, ("result", "damaged"));
        text.Sample("calico_bgp_dns_responses_total", counts.Responses - counts.Held - counts.Unasked - counts.Damaged,
            ("result", "passed"));
        OwnMetrics.One(text, "calico_bgp_dns_held_seconds_total", "counter", "How long responses were held, all together",
            counts.HeldFor.TotalSeconds);
        OwnMetrics.One(text, "calico_bgp_dns_released_unprogrammed_total", "counter",
            "Held responses that went on before the kernel had what they open", counts.Unprogrammed);
        OwnMetrics.One(text, "calico_bgp_dns_denied_delayed_total", "counter",
            "Denied packets that waited until the kernel had what a response opens, and were judged again", counts.Delayed);
        OwnMetrics.One(text, "calico_bgp_dns_opened_total", "counter", "Addresses that were opened, each for whom", counts.Opened);
    }

    /// <summary>By what: the rules of policies and profiles together, and each reason that is none of theirs.</summary>
    private static void WriteDenied(PrometheusText text, PolicyCounts counts)
    {
        const string name = "calico_bgp_policy_denied_packets_total";
        text.Head(name, "counter", "Packets that network policy has denied");
        text.Sample(name, counts.Policies.Aggregate(0ul, (sum, one) => sum + one.Denied.Packets), ("by", "rule"));
        foreach (var other in counts.Others) text.Sample(name, other.Denied.Packets, ("by", other.Reason));
    }

    /// <summary>Null: the kernel does not tell, and all else is worth a scrape.</summary>
    private static async Task<PolicyCounts?> CountsAsync(IDataplane dataplane, CancellationToken stop)
    {
        try
        {
            return await dataplane.CountPoliciesAsync(stop).ConfigureAwait(false);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static void Write(PrometheusText text, string metric, PolicyCount count, Func<PacketCount, ulong> figure)
    {
        var direction = count.Direction == PolicyTypes.Ingress ? "ingress" : "egress";
        var name = count.Of.Key.Namespace.Length == 0 ? count.Of.Key.Name : $"{count.Of.Key.Namespace}/{count.Of.Key.Name}";
        Write("allow", count.Allowed);
        Write("deny", count.Denied);

        void Write(string verdict, PacketCount of) => text.Sample(metric, figure(of), ("kind", count.Of.Kind.Word), ("policy", name),
            ("direction", direction), ("verdict", verdict));
    }
}
