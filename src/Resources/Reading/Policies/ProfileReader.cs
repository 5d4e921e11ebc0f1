using Calico.Bgp.Resources.Policies;
using Calico.Bgp.Resources.Reading.Egress;

namespace Calico.Bgp.Resources.Reading.Policies;

/// <summary>Profiles, and the objects of Kubernetes' that give them.</summary>
internal static class ProfileReader
{
    public static Profile Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        var profile = new Profile(metadata)
        {
            Ingress = RuleReader.Read(spec["ingress"], "", null),
            Egress = RuleReader.Read(spec["egress"], "", null),
            LabelsToApply = spec["labelsToApply"].Labels(),
        };
        spec.RefuseOthers();
        return profile;
    }

    public static KubernetesNamespace ReadNamespace(Metadata metadata, Fields root) =>
        new(Lean(metadata)) { Egress = EgressWishReader.Read(metadata.Annotations, root) };

    public static ServiceAccount ReadServiceAccount(Metadata metadata, Fields root) => new(Lean(metadata));

    /// <summary>Of annotations nothing follows that has not been read.</summary>
    private static Metadata Lean(Metadata metadata) =>
        metadata with { Namespace = Repeats.Of(metadata.Namespace), Labels = Repeats.Of(metadata.Labels), Annotations = Labels.Empty };
}
