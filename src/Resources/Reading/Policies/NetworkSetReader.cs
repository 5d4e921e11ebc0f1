using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

internal static class NetworkSetReader
{
    public static NetworkSet Read(Metadata metadata, Fields root)
    {
        var nets = Nets(metadata, root);
        var labels = metadata.Labels.With(Labels.From([new(ProfileLabels.Namespace, metadata.Namespace)]));
        return new(metadata with { Labels = labels }) { Nets = nets };
    }

    public static GlobalNetworkSet ReadGlobal(Metadata metadata, Fields root) => new(metadata) { Nets = Nets(metadata, root) };

    private static ListOf<Prefix> Nets(Metadata metadata, Fields root)
    {
        if (metadata.Labels.ContainsKey(ProfileLabels.Namespace))
            root["metadata"].Section()["labels"].Section().Error(ProfileLabels.Namespace, "is a label that Calico itself gives");
        var spec = root["spec"].Section();
        var nets = spec["nets"].Values(Net);
        if (!spec["allowedEgressDomains"].IsAbsent) spec.Error("allowedEgressDomains", RuleReader.NoDnsPolicy);
        spec.RefuseOthers();
        return nets;
    }

    private static Prefix? Net(Field field)
    {
        field.Require("a network");
        return field.Network();
    }
}
