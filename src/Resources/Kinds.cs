using System.Collections.Immutable;
using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;
using Calico.Bgp.Resources.Reading;
using Calico.Bgp.Resources.Reading.Egress;
using Calico.Bgp.Resources.Reading.Policies;

namespace Calico.Bgp.Resources;

/// <summary>
/// The kinds of objects that decide something here, a row each: how APIs and manifests name it, who reads it, whether it lives in a
/// namespace, who is concerned (nobody, where the row does not say). Nothing else in this room knows a kind by name.
/// </summary>
public static class Kinds
{
    /// <summary>Calico's API, and its objects as they lie in Kubernetes.</summary>
    private static readonly ImmutableArray<(string Group, string Version)> Calico =
        [("projectcalico.org", "v3"), ("crd.projectcalico.org", "v1")];
    /// <summary>Kinds that Calico's API shows of what lies elsewhere: there are no objects of them in Kubernetes.</summary>
    private static readonly ImmutableArray<(string Group, string Version)> CalicoAlone = [Calico[0]];
    private static readonly ImmutableArray<(string Group, string Version)> Core = [("", "v1")];
    private static readonly ImmutableArray<(string Group, string Version)> Discovery = [("discovery.k8s.io", "v1")];

    private static readonly ImmutableArray<(string Group, string Version)> Networking = [("networking.k8s.io", "v1")];
    private static readonly ImmutableArray<(string Group, string Version)> PolicyApi = [("policy.networking.k8s.io", "v1alpha2")];
    private static readonly ImmutableArray<(string Group, string Version)> OldPolicyApi = [("policy.networking.k8s.io", "v1alpha1")];

    private static readonly ImmutableArray<(string Group, string Version)> Operator = [("operator.tigera.io", "v1")];

    private static readonly ImmutableArray<ResourceKind>.Builder Rows = ImmutableArray.CreateBuilder<ResourceKind>();

    public static readonly KindOf<BgpConfiguration> BgpConfiguration =
        Row(new KindOf<BgpConfiguration>(Named(Calico, "BGPConfiguration", "bgpconfigurations"), BgpConfigurationReader.Read)
        { Concerns = Concern.Plan | Concern.Policy, Less = Resources.BgpConfiguration.Less });

    public static readonly KindOf<BgpPeer> BgpPeer =
        Row(new KindOf<BgpPeer>(Named(Calico, "BGPPeer", "bgppeers"), BgpPeerReader.Read)
        { Concerns = Concern.Plan | Concern.Nat, IsExplained = true });

    public static readonly KindOf<BgpFilter> BgpFilter =
        Row(new KindOf<BgpFilter>(Named(Calico, "BGPFilter", "bgpfilters"), BgpFilterReader.Read) { Concerns = Concern.Plan });

    public static readonly KindOf<BfdConfiguration> BfdConfiguration =
        Row(new KindOf<BfdConfiguration>(Named(Calico, "BFDConfiguration", "bfdconfigurations"), BfdConfigurationReader.Read)
        { Concerns = Concern.Plan });

    public static readonly KindOf<IPPool> IPPool =
        Row(new KindOf<IPPool>(Named(Calico, "IPPool", "ippools"), IPPoolReader.Read)
        { Concerns = Concern.Plan | Concern.Nat | Concern.Policy | Concern.Egress });

    /// <summary>Kubernetes' half of a node: sources bring it, no <see cref="ResourceChange"/> does; readers see
    /// <see cref="Node"/>.</summary>
    public static readonly KindOf<Node> KubernetesNode =
        Row(new KindOf<Node>(Named(Core, "Node", "nodes"), NodeReader.ReadKubernetes));

    /// <summary>A node as all that is known of it: Calico's object and Kubernetes' joined.</summary>
    public static readonly KindOf<Node> Node =
        Row(new KindOf<Node>(Named(Calico, "Node", "nodes"), NodeReader.ReadCalico)
        {
            Half = KubernetesNode,
            Join = Resources.Node.Join,
            Concerns = Concern.Plan | Concern.Nat | Concern.Policy | Concern.Services | Concern.Egress,
            IsExplained = true,
        });

    public static readonly KindOf<BlockAffinity> BlockAffinity =
        Row(new KindOf<BlockAffinity>(Named(Calico, "BlockAffinity", "blockaffinities"), IpamReader.ReadAffinity)
        { Concerns = Concern.Plan });

    public static readonly KindOf<IpamBlock> IpamBlock =
        Row(new KindOf<IpamBlock>(Named(Calico, "IPAMBlock", "ipamblocks"), IpamReader.ReadBlock)
        { Concerns = Concern.Plan, ChangesWithPods = true });

    public static readonly KindOf<FelixConfiguration> FelixConfiguration =
        Row(new KindOf<FelixConfiguration>(Named(Calico, "FelixConfiguration", "felixconfigurations"), FelixConfigurationReader.Read)
        { Concerns = Concern.Plan | Concern.Nat | Concern.Policy | Concern.Services | Concern.Egress });

    public static readonly KindOf<CalicoNodeStatus> CalicoNodeStatus =
        Row(new KindOf<CalicoNodeStatus>(Named(Calico, "CalicoNodeStatus", "caliconodestatuses"), CalicoNodeStatusReader.Read)
        { Concerns = Concern.Plan | Concern.Report });

    public static readonly KindOf<Secret> Secret =
        Row(new KindOf<Secret>(Named(Core, "Secret", "secrets"), SecretReader.Read) { IsNamespaced = true, Concerns = Concern.Plan });

    public static readonly KindOf<Service> Service =
        Row(new KindOf<Service>(Named(Core, "Service", "services"), ServiceReader.Read)
        { IsNamespaced = true, Concerns = Concern.Plan | Concern.Policy | Concern.Services });

    public static readonly KindOf<EndpointSlice> EndpointSlice =
        Row(new KindOf<EndpointSlice>(Named(Discovery, "EndpointSlice", "endpointslices"), ServiceReader.ReadSlice)
        { IsNamespaced = true, Under = slice => slice.Service, Concerns = Concern.Plan | Concern.Policy | Concern.Services });

    public static readonly KindOf<Endpoints> Endpoints =
        Row(new KindOf<Endpoints>(Named(Core, "Endpoints", "endpoints"), ServiceReader.ReadEndpoints)
        { IsNamespaced = true, IsMirrored = true, Concerns = Concern.Plan });

    public static readonly KindOf<NetworkPolicy> NetworkPolicy =
        Row(new KindOf<NetworkPolicy>(Named(Calico, "NetworkPolicy", "networkpolicies"), NetworkPolicyReader.Read)
        { IsNamespaced = true, IsExplained = true, Concerns = Concern.Policy });

    public static readonly KindOf<GlobalNetworkPolicy> GlobalNetworkPolicy =
        Row(new KindOf<GlobalNetworkPolicy>(Named(Calico, "GlobalNetworkPolicy", "globalnetworkpolicies"), NetworkPolicyReader.ReadGlobal)
        { IsExplained = true, Concerns = Concern.Policy });

    public static readonly KindOf<StagedNetworkPolicy> StagedNetworkPolicy =
        Row(new KindOf<StagedNetworkPolicy>(Named(Calico, "StagedNetworkPolicy", "stagednetworkpolicies"), NetworkPolicyReader.ReadStaged)
        { IsNamespaced = true, IsExplained = true, Concerns = Concern.Policy });

    public static readonly KindOf<StagedGlobalNetworkPolicy> StagedGlobalNetworkPolicy =
        Row(new KindOf<StagedGlobalNetworkPolicy>(Named(Calico, "StagedGlobalNetworkPolicy", "stagedglobalnetworkpolicies"),
            NetworkPolicyReader.ReadStagedGlobal)
        { IsExplained = true, Concerns = Concern.Policy });

    public static readonly KindOf<StagedKubernetesNetworkPolicy> StagedKubernetesNetworkPolicy =
        Row(new KindOf<StagedKubernetesNetworkPolicy>(Named(Calico, "StagedKubernetesNetworkPolicy", "stagedkubernetesnetworkpolicies"),
            KubernetesPolicyReader.ReadStaged)
        { IsNamespaced = true, IsExplained = true, Concerns = Concern.Policy });

    public static readonly KindOf<KubernetesNetworkPolicy> KubernetesNetworkPolicy =
        Row(new KindOf<KubernetesNetworkPolicy>(Named(Networking, "NetworkPolicy", "networkpolicies"), KubernetesPolicyReader.Read)
        { IsNamespaced = true, Word = "KubernetesNetworkPolicy", IsExplained = true, Concerns = Concern.Policy });

    public static readonly KindOf<ClusterNetworkPolicy> ClusterNetworkPolicy =
        Row(new KindOf<ClusterNetworkPolicy>(Named(PolicyApi, "ClusterNetworkPolicy", "clusternetworkpolicies"), ClusterPolicyReader.Read)
        { IsExplained = true, Concerns = Concern.Policy });

    public static readonly KindOf<AdminNetworkPolicy> AdminNetworkPolicy =
        Row(new KindOf<AdminNetworkPolicy>(Named(OldPolicyApi, "AdminNetworkPolicy", "adminnetworkpolicies"), ClusterPolicyReader.ReadAdmin)
        { IsExplained = true, Concerns = Concern.Policy });

    public static readonly KindOf<BaselineAdminNetworkPolicy> BaselineAdminNetworkPolicy =
        Row(new KindOf<BaselineAdminNetworkPolicy>(Named(OldPolicyApi, "BaselineAdminNetworkPolicy", "baselineadminnetworkpolicies"),
            ClusterPolicyReader.ReadBaseline)
        { IsExplained = true, Concerns = Concern.Policy });

    public static readonly KindOf<Tier> Tier =
        Row(new KindOf<Tier>(Named(Calico, "Tier", "tiers"), TierReader.Read)
        { Given = Policies.Tier.BuiltIn, Concerns = Concern.Policy });

    public static readonly KindOf<Profile> Profile =
        Row(new KindOf<Profile>(Named(CalicoAlone, "Profile", "profiles"), ProfileReader.Read)
        { IsMirrored = true, Given = Policies.Profile.BuiltIn, Concerns = Concern.Policy });

    public static readonly KindOf<KubernetesNamespace> KubernetesNamespace =
        Row(new KindOf<KubernetesNamespace>(Named(Core, "Namespace", "namespaces"), ProfileReader.ReadNamespace)
        { Concerns = Concern.Policy | Concern.Egress });

    public static readonly KindOf<ServiceAccount> ServiceAccount =
        Row(new KindOf<ServiceAccount>(Named(Core, "ServiceAccount", "serviceaccounts"), ProfileReader.ReadServiceAccount)
        { IsNamespaced = true, Concerns = Concern.Policy });

    public static readonly KindOf<WorkloadEndpoint> WorkloadEndpoint =
        Row(new KindOf<WorkloadEndpoint>(Named(CalicoAlone, "WorkloadEndpoint", "workloadendpoints"), EndpointReader.ReadWorkload)
        { IsNamespaced = true, IsMirrored = true, Concerns = Concern.Policy | Concern.Egress });

    public static readonly KindOf<Pod> Pod =
        Row(new KindOf<Pod>(Named(Core, "Pod", "pods"), PodReader.Read)
        { IsNamespaced = true, Concerns = Concern.Policy | Concern.Services | Concern.Egress });

    public static readonly KindOf<HostEndpoint> HostEndpoint =
        Row(new KindOf<HostEndpoint>(Named(Calico, "HostEndpoint", "hostendpoints"), EndpointReader.ReadHost)
        { Concerns = Concern.Policy });

    public static readonly KindOf<NetworkSet> NetworkSet =
        Row(new KindOf<NetworkSet>(Named(Calico, "NetworkSet", "networksets"), NetworkSetReader.Read)
        { IsNamespaced = true, Concerns = Concern.Policy });

    public static readonly KindOf<GlobalNetworkSet> GlobalNetworkSet =
        Row(new KindOf<GlobalNetworkSet>(Named(Calico, "GlobalNetworkSet", "globalnetworksets"), NetworkSetReader.ReadGlobal)
        { Concerns = Concern.Policy });

    public static readonly KindOf<EgressGateway> EgressGateway =
        Row(new KindOf<EgressGateway>(Named(Operator, "EgressGateway", "egressgateways"), EgressGatewayReader.Read)
        { IsNamespaced = true, IsExplained = true, Concerns = Concern.Egress });

    public static readonly KindOf<EgressGatewayPolicy> EgressGatewayPolicy =
        Row(new KindOf<EgressGatewayPolicy>(Named(Calico, "EgressGatewayPolicy", "egressgatewaypolicies"), EgressGatewayPolicyReader.Read)
        { IsExplained = true, Concerns = Concern.Egress });

    public static readonly KindOf<ExternalNetwork> ExternalNetwork =
        Row(new KindOf<ExternalNetwork>(Named(Calico, "ExternalNetwork", "externalnetworks"), EgressGatewayPolicyReader.ReadNetwork)
        { Concerns = Concern.Egress });

    /// <summary>Halves by themselves among them. In no order that counts.</summary>
    public static readonly ImmutableArray<ResourceKind> All = Rows.ToImmutable();

    private static KindOf<T> Row<T>(KindOf<T> row) where T : Resource
    {
        Rows.Add(row);
        return row;
    }

    private static ImmutableArray<ApiName> Named(ImmutableArray<(string Group, string Version)> groups, string kind, string plural) =>
        [.. groups.Select(group => new ApiName(group.Group, group.Version, kind, plural))];
}
