using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Sources.Kubernetes;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

public sealed class ClusterKindsTests
{
    private static string[] Words(Concern wanted) =>
        [.. ClusterSource.Kinds(wanted).Select(kind => kind.Word).Order(StringComparer.Ordinal)];

    [Fact]
    public void Every_kind_that_somebody_acts_on_is_followed_and_no_other() => Assert.Equal(
        ["BFDConfiguration", "BGPConfiguration", "BGPFilter", "BGPPeer", "BlockAffinity", "CalicoNodeStatus", "EndpointSlice",
            "FelixConfiguration", "IPPool", "Node", "Service"],
        Words(Follower.Wanted));

    [Fact]
    public void A_node_that_enforces_policy_follows_what_policy_is_made_of_too() => Assert.Equal(
        ["AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy", "GlobalNetworkPolicy", "GlobalNetworkSet",
            "HostEndpoint", "KubernetesNetworkPolicy", "Namespace", "NetworkPolicy", "NetworkSet", "Pod", "ServiceAccount",
            "StagedGlobalNetworkPolicy", "StagedKubernetesNetworkPolicy", "StagedNetworkPolicy", "Tier"],
        Words(Follower.Wanted | Concern.Policy).Except(Words(Follower.Wanted)));

    [Fact]
    public void A_node_with_egress_gateways_follows_what_they_are_made_of_too() => Assert.Equal(
        ["EgressGateway", "EgressGatewayPolicy", "ExternalNetwork", "Namespace", "Pod"],
        Words(Follower.Wanted | Concern.Egress).Except(Words(Follower.Wanted)));

    /// <summary>For the host ports of its own: a thousand nodes are not to be told of each other's.</summary>
    [Fact]
    public void A_node_that_translates_services_follows_its_own_pods_and_with_policy_all()
    {
        Assert.Equal(["Pod"], Words(Follower.Wanted | Concern.Services).Except(Words(Follower.Wanted)));
        Assert.Equal("/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&", PathOfPods(Concern.Services));
        Assert.Equal("/api/v1/pods?", PathOfPods(Concern.Services | Concern.Policy));
        Assert.Equal("/api/v1/pods?", PathOfPods(Concern.Services | Concern.Egress));
        Assert.Single(ClusterSource.Collections(Follower.Wanted | Concern.Services, "node-1"), of => of.OnNode != null);
    }

    private static string PathOfPods(Concern wanted)
    {
        var pods = Assert.Single(ClusterSource.Collections(Follower.Wanted | wanted, "node-1"), of => of.Kind.Word == "Pod");
        return pods.Path(pods.Kind.Names[0]);
    }

    [Theory]
    [InlineData("policy", Concern.Policy)]
    [InlineData("services", Concern.Services)]
    [InlineData("egress", Concern.Egress)]
    public void The_rights_that_are_shipped_for_a_section_are_those_that_it_needs(string section, Concern wanted)
    {
        var needed =
            from kind in ClusterSource.Kinds(wanted).Except(ClusterSource.Kinds(Follower.Wanted))
            from name in kind.Names
            from verb in (string[])["list", "watch"]
            select $"{name.Group}/{name.Plural} {verb}";
        var granted =
            from chunk in YamlDocuments.Split(File.ReadAllText(Project.PathOf("deploy", "kubernetes", section, "account.yaml")))
            let role = YamlTree.Read(chunk.Text.ToString(), 1, new(Depth: 16, Size: 1000), out _)
            where Words(role, "kind").SequenceEqual(["ClusterRole"])
            from rule in ((SequenceNode)Member(role, "rules")!).Items
            from @group in Words(rule, "apiGroups")
            from resource in Words(rule, "resources")
            from verb in Words(rule, "verbs")
            select $"{@group}/{resource} {verb}";
        Assert.Equal(needed.Order(StringComparer.Ordinal), granted.Order(StringComparer.Ordinal));
    }

    private static DocumentNode? Member(DocumentNode? of, string name) =>
        of is MappingNode map ? map.Entries.FirstOrDefault(entry => entry.Key.Text == name).Value : null;

    private static IEnumerable<string> Words(DocumentNode? of, string name) => Member(of, name) switch
    {
        SequenceNode list => list.Items.Cast<ScalarNode>().Select(item => item.Text),
        ScalarNode word => [word.Text],
        _ => [],
    };
}
