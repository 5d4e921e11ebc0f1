using System.Text;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using Calico.Bgp.Sources.Etcd;

namespace Calico.Bgp.Sources.Tests.Etcd;

public class EtcdLayoutTests
{
    private const string Resources = "/calico/resources/v3/projectcalico.org/";

    private static OriginContent Read(string key, string value) => EtcdLayout.Read(3, key, Encoding.UTF8.GetBytes(value));

    private static T One<T>(string key, string value) where T : Resource
    {
        var content = Read(key, value);
        Assert.Empty(content.Problems);
        var definition = Assert.Single(content.Definitions);
        Assert.Empty(definition.Problems);
        Assert.Equal((new(3, key), 0), (content.Origin, definition.Line));
        return Assert.IsType<T>(definition.Value);
    }

    [Fact]
    public void The_kinds_that_decide_something_are_read_and_no_others() => Assert.Equal(
        [
            "/calico/ipam/v2/host/", Resources + "bfdconfigurations/", Resources + "bgpconfigurations/", Resources + "bgpfilters/",
            Resources + "bgppeers/", Resources + "caliconodestatuses/", Resources + "felixconfigurations/", Resources + "ippools/",
            Resources + "nodes/",
        ],
        EtcdLayout.Prefixes(Concern.Plan | Concern.Nat | Concern.Report).AsEnumerable());

    [Fact]
    public void Where_policy_is_enforced_what_it_is_made_of_is_read_too() => Assert.Equal(
        [
            "bgpconfigurations", "felixconfigurations", "globalnetworkpolicies", "globalnetworksets", "hostendpoints", "ippools",
            "networkpolicies", "networksets", "nodes", "profiles", "stagedglobalnetworkpolicies", "stagedkubernetesnetworkpolicies",
            "stagednetworkpolicies", "tiers", "workloadendpoints",
        ],
        EtcdLayout.Prefixes(Concern.Policy).Select(prefix => prefix[Resources.Length..^1]));

    [Fact]
    public void A_policy_and_an_endpoint_of_a_workload_are_Calicos_own()
    {
        const string Policy = """
            {"kind":"NetworkPolicy","apiVersion":"projectcalico.org/v3","metadata":{"name":"default.web","namespace":"shop"},
             "spec":{"tier":"default","order":5,"ingress":[{"action":"Allow","protocol":"TCP","destination":{"ports":[80,"8000:8010"]}}]}}
            """;
        var policy = One<NetworkPolicy>(Resources + "networkpolicies/shop/default.web", Policy);
        Assert.Equal(("shop", "web", 5.0), (policy.Metadata.Namespace, policy.Name, policy.Spec.Order));
        const string Endpoint = """
            {"kind":"WorkloadEndpoint","apiVersion":"projectcalico.org/v3","metadata":{"name":"n1-k8s-web-eth0","namespace":"shop"},
             "spec":{"node":"n1","orchestrator":"k8s","pod":"web","endpoint":"eth0","interfaceName":"cali1","ipNetworks":["10.0.0.1/32"]}}
            """;
        Assert.Equal("cali1", One<WorkloadEndpoint>(Resources + "workloadendpoints/shop/n1-k8s-web-eth0", Endpoint).Interface);
    }

    [Fact]
    public void An_object_is_Calicos_own()
    {
        const string Peer = """
            {"kind":"BGPPeer","apiVersion":"projectcalico.org/v3","metadata":{"name":"tor","uid":"4c6e"},
             "spec":{"peerIP":"192.0.2.1","asNumber":65001}}
            """;
        var peer = One<BgpPeer>(Resources + "bgppeers/tor", Peer);
        Assert.Equal(("tor", new Asn(65001)), (peer.Name, peer.AsNumber));
        const string Node = """
            {"kind":"Node","apiVersion":"projectcalico.org/v3","metadata":{"name":"n1","labels":{"rack":"a"}},
             "spec":{"bgp":{"ipv4Address":"10.0.0.1/24","asNumber":64513}}}
            """;
        var node = One<Node>(Resources + "nodes/n1", Node);
        Assert.Equal((Kinds.Node, "a", new Asn(64513)), (node.Kind, node.Labels["rack"], node.AsNumber!.Value));
    }

    [Theory]
    [InlineData("ipv4/block/10.244.7.0-26", """{"state":"confirmed","deleted":false}""", "n1-10-244-7-0-26 10.244.7.0/26 Confirmed False")]
    [InlineData("ipv4/block/10.244.7.0-26", """{"state":"pendingDeletion","deleted":true}""",
        "n1-10-244-7-0-26 10.244.7.0/26 PendingDeletion True")]
    [InlineData("ipv6/block/fd00:10::40-122", "{}", "n1-fd00-10--40-122 fd00:10::40/122 None False")]
    [InlineData("ipv4/block/10.0.0.1-32", "", "n1-10-0-0-1-32 10.0.0.1/32 None False")]
    public void A_blocks_affinity_stands_in_its_key(string below, string value, string expected)
    {
        var affinity = One<BlockAffinity>("/calico/ipam/v2/host/n1/" + below, value);
        Assert.Equal(expected, $"{affinity.Name} {affinity.Cidr} {affinity.State} {affinity.Deleted}");
        Assert.Equal(("n1", AffinityType.Host), (affinity.Node, affinity.Type));
    }

    [Theory]
    [InlineData("/calico/ipam/v2/host/n1/ipv5/block/10.0.0.0-26")]
    [InlineData("/calico/ipam/v2/host/n1")]
    [InlineData("/calico/ipam/v2/host/n1/ipv4/handle/10.0.0.0-26")]
    public void Other_keys_beside_affinities_say_nothing(string key) => Assert.Empty(Read(key, "{}").Definitions);

    [Theory]
    [InlineData(Resources + "bgppeers/a", "{\"kind\":", "this is not JSON")]
    [InlineData("/calico/ipam/v2/host/n1/ipv4/block/10.0.0.0-26", "confirmed", "this is not JSON")]
    public void A_value_that_cannot_be_read_leaves_what_the_key_said(string key, string value, string reason)
    {
        var content = Read(key, value);
        var problem = Assert.Single(content.Problems);
        Assert.StartsWith(reason, problem.Reason, StringComparison.Ordinal);
        Assert.Equal((false, key), (content.Whole, problem.File));
    }

    [Theory]
    [InlineData("/calico/ipam/v2/host/n1/ipv4/block/10.0.0.300-26", "{}", "spec.cidr")]
    [InlineData("/calico/ipam/v2/host/n1/ipv4/block/10.0.0.0-26", """{"state":"lost"}""", "spec.state")]
    [InlineData(Resources + "bgppeers/a",
        """{"kind":"BGPPeer","apiVersion":"projectcalico.org/v3","metadata":{"name":"a"},"spec":{"peerIP":"x"}}""", "spec.peerIP")]
    public void A_bad_object_is_refused_by_its_field_and_its_key(string key, string value, string field)
    {
        var definition = Assert.Single(Read(key, value).Definitions);
        Assert.Null(definition.Value);
        Assert.Contains(definition.Problems, problem => problem.Field == field && problem.File == key);
    }
}
