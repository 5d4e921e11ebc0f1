using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

internal static class NetworkPolicyReader
{
    private static readonly PolicySpec Nothing = new() { Tier = Tier.Default };

    public static NetworkPolicy Read(Metadata metadata, Fields root) => new(metadata) { Spec = Nothing };
    public static GlobalNetworkPolicy ReadGlobal(Metadata metadata, Fields root) => new(metadata) { Spec = Nothing };
    public static StagedNetworkPolicy ReadStaged(Metadata metadata, Fields root) => new(metadata) { Spec = Nothing };
    public static StagedGlobalNetworkPolicy ReadStagedGlobal(Metadata metadata, Fields root) => new(metadata) { Spec = Nothing };
}

internal static class KubernetesPolicyReader
{
    private static readonly PolicySpec Nothing = new() { Tier = Tier.Default };

    public static KubernetesNetworkPolicy Read(Metadata metadata, Fields root) => new(metadata) { Spec = Nothing };
    public static StagedKubernetesNetworkPolicy ReadStaged(Metadata metadata, Fields root) => new(metadata) { Spec = Nothing };
}

internal static class ClusterPolicyReader
{
    private static readonly PolicySpec Nothing = new() { Tier = Tier.Default };

    public static ClusterNetworkPolicy Read(Metadata metadata, Fields root) => new(metadata) { Spec = Nothing };
    public static AdminNetworkPolicy ReadAdmin(Metadata metadata, Fields root) => new(metadata) { Spec = Nothing };
    public static BaselineAdminNetworkPolicy ReadBaseline(Metadata metadata, Fields root) => new(metadata) { Spec = Nothing };
}

internal static class TierReader
{
    public static Tier Read(Metadata metadata, Fields root) => new(metadata);
}

internal static class ProfileReader
{
    public static Profile Read(Metadata metadata, Fields root) => new(metadata);
    public static KubernetesNamespace ReadNamespace(Metadata metadata, Fields root) => new(metadata);
    public static ServiceAccount ReadServiceAccount(Metadata metadata, Fields root) => new(metadata);
}

internal static class EndpointReader
{
    public static WorkloadEndpoint ReadWorkload(Metadata metadata, Fields root) => new(metadata);
    public static HostEndpoint ReadHost(Metadata metadata, Fields root) => new(metadata);
}

internal static class PodReader
{
    public static Pod Read(Metadata metadata, Fields root) => new(metadata);
}

internal static class NetworkSetReader
{
    public static NetworkSet Read(Metadata metadata, Fields root) => new(metadata);
    public static GlobalNetworkSet ReadGlobal(Metadata metadata, Fields root) => new(metadata);
}
