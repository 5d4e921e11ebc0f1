using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Resources.Reading.Egress;

/// <summary>
/// EgressGateway, as the operator judges it (its egressgateway controller). What would change who leaves by which way and is not done here
/// is refused; what a gateway of pods needs and a node does not is warned of.
/// </summary>
internal static class EgressGatewayReader
{
    private enum LogSeverity { Trace, Debug, Info, Warn, Error, Fatal }

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
        Probes(spec["egressGatewayFailureDetection"].Section());
        var gateway = new EgressGateway(metadata)
        {
            Replicas = spec["replicas"].Number(0, int.MaxValue),
            Pools = pools,
            ExternalNetwork = networks.Count > 0 ? networks[0] : null,
            GivenLabels = labels,
            NodeSelector = nodes,
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

    private static void Probes(Fields detection)
    {
        Refuse(detection, "icmpProbe", "is not supported yet");
        Refuse(detection, "httpProbe", "is not supported yet");
        if (detection["healthTimeoutDataStoreSeconds"].Number(1, int.MaxValue) != null)
            detection.Warn("healthTimeoutDataStoreSeconds", "has no effect: what a gateway does needs no datastore");
        detection.WarnOfOthers();
    }

    private static void Refuse(Fields fields, string name, string reason)
    {
        if (fields[name] is { IsAbsent: false, IsEmptyList: false } said) said.Error(reason);
    }
}
