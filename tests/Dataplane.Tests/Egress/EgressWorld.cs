using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>A client, two nodes that are gateways, one far away, and pools for gateways: what tests of egress begin with.</summary>
internal static class EgressWorld
{
    public static readonly Resource[] Cluster =
    [
        Host("client", "172.20.0.1"), Host("gate1", "172.20.0.11", ("egress", "yes")), Host("gate2", "172.20.0.12", ("egress", "yes")),
        Host("far", "203.0.113.9"), Pool("pods", "192.168.0.0/16"), Pool("red", "10.10.10.0/30", nat: false),
        Pool("blue", "10.10.11.0/31", nat: false), Space("edge"), Space("alpha"),
        Gateway("red", "red"), Gateway("blue", "blue", 1),
    ];

    public static Node Host(string name, string address, params (string Key, string Value)[] labels) => Node(name, address) with
    {
        Metadata = new(name) { Labels = Labels.From(labels.Select(label => KeyValuePair.Create(label.Key, label.Value))) },
    };

    public static KubernetesNamespace Space(string name, EgressWish? wish = null) => new(new Metadata(name)) { Egress = wish };

    public static EgressGateway Gateway(string name, string pool, int? replicas = null) => new(new Metadata(name, "edge"))
    {
        Pools = [new(pool, null)],
        Replicas = replicas,
        GivenLabels = Labels.From([new("code", name)]),
        NodeSelector = Labels.From([new("egress", "yes")]),
    };

    public static EgressChoice Choice(string gateway, int most = 0) =>
        new(Selector.Parse($"code == '{gateway}'"), Selector.Parse("projectcalico.org/name == 'edge'"), most);

    public static EgressWish By(string gateway, int most = 0) => new() { Gateway = Choice(gateway, most) };

    public static Pod PodOn(string node, string address, EgressWish? wish = null, string name = "a", string within = "alpha") =>
        new(new Metadata(name, within)) { Node = node, Nets = [new(Address.Parse(address), 32)], Egress = wish };
}
