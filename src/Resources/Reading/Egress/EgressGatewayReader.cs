using Calico.Bgp.Net;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Resources.Reading.Egress;

/// <summary>
/// EgressGateway, as the operator judges it (its egressgateway controller). What would change who leaves by which way and is not done here
/// is refused; what a gateway of pods needs and a node does not is warned of.
/// </summary>
internal static class EgressGatewayReader
{
    private enum LogSeverity { Trace, Debug, Info, Warn, Error, Fatal }

    private const int SecondsOfADay = 86_400;

    private static readonly string[] OfPods =
        ["tolerations", "topologySpreadConstraints", "terminationGracePeriodSeconds", "priorityClassName", "containers", "initContainers"];

    public static EgressGateway Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        _ = spec["logSeverity"].Choice<LogSeverity>();
        var pools = spec["ipPools"].List(Pool);
        if (spec["ipPools"].IsAbsent || spec["ipPools"].IsEmptyList) spec.Error("ipPools", "expected a pool or more, got none");
        var networks = spec["externalNetworks"].List(field => field.Word());
        if (networks.Count > 1)
            spec.Error("externalNetworks", $"expected one network, got {networks.Count}: several are not supported yet");
        Refuse(spec, "aws", "is not supported: addresses of AWS are not asked for");
        var (labels, nodes) = Template(spec["template"].Section());
        var probes = Probes(spec["egressGatewayFailureDetection"].Section());
        var gateway = new EgressGateway(metadata)
        {
            Replicas = spec["replicas"].Number(0, int.MaxValue),
            Pools = pools,
            ExternalNetwork = networks.Count > 0 ? networks[0] : null,
            GivenLabels = labels,
            NodeSelector = nodes,
            Probes = probes,
        };
        spec.WarnOfOthers();
        return gateway;
    }

    private static EgressPool? Pool(Field field)
    {
        var pool = field.Section();
        var read = new EgressPool(pool["name"].Word(), pool["cidr"].MaskedNetwork());
        if (pool["name"].IsAbsent && pool["cidr"].IsAbsent) field.Error("expected a name or a cidr, got neither");
        pool.RefuseOthers();
        return read;
    }

    private static (Labels Labels, Labels Nodes) Template(Fields template)
    {
        var (metadata, spec) = (template["metadata"].Section(), template["spec"].Section());
        var read = (metadata["labels"].Labels(), spec["nodeSelector"].Labels());
        _ = metadata["annotations"];
        Refuse(spec, "affinity", "is not supported yet: nodeSelector alone chooses the nodes");
        foreach (var field in OfPods)
            if (!spec[field].IsAbsent) spec.Warn(field, "has no effect: the gateway is the node itself, and no pod");
        metadata.WarnOfOthers();
        spec.WarnOfOthers();
        template.WarnOfOthers();
        return read;
    }

    private static ListOf<EgressProbe> Probes(Fields detection)
    {
        EgressProbe?[] probes =
        [
            Probe(detection["icmpProbe"], "ips", EgressProbeKind.Icmp, EgressProbe.IcmpInterval, EgressProbe.IcmpTimeout),
            Probe(detection["httpProbe"], "urls", EgressProbeKind.Http, EgressProbe.HttpInterval, EgressProbe.HttpTimeout),
        ];
        if (detection["healthTimeoutDataStoreSeconds"].Number(1, int.MaxValue) != null)
            detection.Warn("healthTimeoutDataStoreSeconds", "has no effect: what a gateway does needs no datastore");
        detection.WarnOfOthers();
        return [.. probes.OfType<EgressProbe>()];
    }

    /// <returns>Null: there is none, or it has no target.</returns>
    private static EgressProbe? Probe(Field field, string targets, EgressProbeKind kind, TimeSpan interval, TimeSpan timeout)
    {
        if (field.IsAbsent) return null;
        var probe = field.Section();
        probe[targets].Require("what is to answer");
        var read = new EgressProbe(kind, probe[targets].List(item => Target(kind, item)),
            Seconds(probe["intervalSeconds"], interval), Seconds(probe["timeoutSeconds"], timeout));
        if (read.Timeout <= read.Interval)
        {
            // A target that answers each time would be lost between two questions, and be back with the next, for ever.
            read = read with { Timeout = read.Interval + read.Timeout };
            probe.Warn("timeoutSeconds", $"is no longer than intervalSeconds, {read.Interval.TotalSeconds:0}, and counts from the next "
                + $"question on: silence of {read.Timeout.TotalSeconds:0} s loses the gateway");
        }
        probe.RefuseOthers();
        return read.Targets.Count == 0 ? null : read;
    }

    private static TimeSpan Seconds(Field field, TimeSpan otherwise) =>
        field.Number(1, SecondsOfADay) is { } seconds ? TimeSpan.FromSeconds(seconds) : otherwise;

    private static string? Target(EgressProbeKind kind, Field field)
    {
        if (field.Text() is not { } said) return null;
        if (EgressProbe.Problem(kind, said) is not { } problem) return said;
        field.Error(problem);
        return null;
    }

    private static void Refuse(Fields fields, string name, string reason)
    {
        if (fields[name] is { IsAbsent: false, IsEmptyList: false } said) said.Error(reason);
    }
}
