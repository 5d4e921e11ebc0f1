using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

internal static class NetworkSetReader
{
    public static NetworkSet Read(Metadata metadata, Fields root)
    {
        var (nets, domains) = Spec(metadata, root);
        var labels = metadata.Labels.With(Labels.From([new(ProfileLabels.Namespace, metadata.Namespace)]));
        return new(metadata with { Labels = labels }) { Nets = nets, Domains = domains };
    }

    public static GlobalNetworkSet ReadGlobal(Metadata metadata, Fields root)
    {
        var (nets, domains) = Spec(metadata, root);
        return new(metadata) { Nets = nets, Domains = domains };
    }

    private static (ListOf<Prefix> Nets, ListOf<DomainPattern> Domains) Spec(Metadata metadata, Fields root)
    {
        if (metadata.Labels.ContainsKey(ProfileLabels.Namespace))
            root["metadata"].Section()["labels"].Section().Error(ProfileLabels.Namespace, "is a label that Calico itself gives");
        var spec = root["spec"].Section();
        var nets = spec["nets"].Values(Net);
        var domains = spec["allowedEgressDomains"].List(DomainReader.Name);
        spec.RefuseOthers();
        return (nets, [.. domains.Distinct()]);
    }

    private static Prefix? Net(Field field)
    {
        field.Require("a network");
        return field.Network();
    }
}
